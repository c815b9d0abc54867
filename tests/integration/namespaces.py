"""
Networks of their own, in namespaces of the kernel: phones behind real NATs.
"""

from __future__ import annotations

import os
import subprocess

from twisted.trial.unittest import SkipTest

from tests.peers import require

#: Where the server is, and the phone behind each of the routers.
SERVER, PHONE = "203.0.113.1", "192.168.1.2"
_ROUTERS = ("203.0.113.11", "203.0.113.12")
_INSIDE = "192.168.1.1"
_FORWARD = "echo 1 > /proc/sys/net/ipv4/ip_forward"
# Every flow gets another port than the phone has, and nothing comes in but its answers.
_MASQUERADE = """
table ip nat {
  chain out {
    type nat hook postrouting priority srcnat;
    oifname "out" masquerade fully-random
  }
}
table ip guard {
  chain forward {
    type filter hook forward priority filter; policy drop;
    iifname "in" accept
    ct state established,related accept
  }
}
"""


class Networks:
    """
    A public network with a server, and two private ones behind a router each.

    Both private networks have the same addresses, as they do at home.

    :raises SkipTest: where namespaces cannot be made, which takes root.
    """

    def __init__(self) -> None:
        self._ip = require("ip", "iproute2")
        self._nft = require("nft", "nftables")
        self._made: list[str] = []
        if os.geteuid() != 0:
            raise SkipTest("network namespaces take root")

    def start(self) -> None:
        """
        Make them.

        :raises SkipTest: if the kernel refuses; nothing is left then.
        """
        try:
            self._make()
        except subprocess.CalledProcessError as error:
            self.stop()
            said = error.stderr.decode("utf-8", "replace").strip()
            raise SkipTest(f"no network namespaces here: {said}") from error

    def stop(self) -> None:
        """
        Remove them, and what is in them.
        """
        while self._made:
            subprocess.run([self._ip, "netns", "del", self._made.pop()], check=False)

    def server(self) -> tuple[str, ...]:
        """
        Give what to put before the command of the server.
        """
        return self._within("server")

    def phone(self, number: int) -> tuple[str, ...]:
        """
        Give what to put before the command of a phone: 0 or 1.
        """
        return self._within(f"phone{number}")

    # Inside

    def _make(self) -> None:
        self._add("server")
        self._ip_in("server", "link add net type bridge")
        self._ip_in("server", f"address add {SERVER}/24 dev net")
        self._ip_in("server", "link set net up")
        for number, address in enumerate(_ROUTERS):
            router, phone = f"router{number}", f"phone{number}"
            self._add(router)
            self._add(phone)
            self._join(router, "out", f"{address}/24", "server", f"to{number}")
            self._ip_in("server", f"link set to{number} master net")
            self._join(router, "in", f"{_INSIDE}/24", phone, "lan")
            self._ip_in(phone, f"address add {PHONE}/24 dev lan")
            self._ip_in(phone, f"route add default via {_INSIDE}")
            self._run(*self._within(router), "sh", "-c", _FORWARD)
            self._run(*self._within(router), self._nft, "-f", "-", given=_MASQUERADE)

    def _add(self, name: str) -> None:
        whole = self._name(name)
        self._run(self._ip, "netns", "add", whole)
        self._made.append(whole)
        self._ip_in(name, "link set lo up")

    def _join(self, one: str, end: str, address: str, other: str, far: str) -> None:
        """
        Put a wire between two, with an address on the first one's end.
        """
        peer = f"link add {end} type veth peer name {far} netns {self._name(other)}"
        self._ip_in(one, peer)
        self._ip_in(one, f"address add {address} dev {end}")
        self._ip_in(one, f"link set {end} up")
        self._ip_in(other, f"link set {far} up")

    def _ip_in(self, name: str, command: str) -> None:
        self._run(self._ip, "-n", self._name(name), *command.split())

    def _within(self, name: str) -> tuple[str, ...]:
        return self._ip, "netns", "exec", self._name(name)

    def _name(self, name: str) -> str:
        # Others may run the same tests on this machine.
        return f"sip-{os.getpid()}-{name}"

    def _run(self, *command: str, given: str = "") -> None:
        subprocess.run(command, input=given.encode(), capture_output=True, check=True)
