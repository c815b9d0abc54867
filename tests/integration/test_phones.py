"""
The whole suite as its users have it: set up by command, run by twistd, used by phones.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any, ClassVar

from twisted.internet.defer import Deferred
from twisted.internet.utils import getProcessOutputAndValue

from sipsorcery.endpoint import Endpoint, Transport
from tests import LONG, ROOT
from tests.integration.baresip import Baresip, Registration, connect
from tests.integration.ports import free_port
from tests.integration.scenarios import read, register
from tests.integration.sipp import SIPp
from tests.integration.test_twistd import READY, TwistdTestCase
from tests.integration.twistd import Twistd
from tests.transport.authority import Authority

DOMAIN = "example.com"
# How often the servers are killed.
_ROUNDS = 20 if LONG else 1
_CALLS = 5
CONFIGURATION = """
[server]
data_dir = "data"
[ssh]
listen = ""
[proxy]
listen = ["udp:127.0.0.1:{port}", "tcp:127.0.0.1:{port}", "tls:127.0.0.1:{tls}"]
"""


class PhonesCase(TwistdTestCase):
    """
    A service that was set up by command, with the accounts 100 and 101.

    :cvar prepared: the folder that the first test has set up; the others copy its data.
    """

    prepared: ClassVar[Path | None] = None

    async def _set_up(self) -> None:
        self.authority = Authority(Path(self.mktemp()))
        port = free_port(row=2)
        self.ends = {
            transport: Endpoint(transport, "127.0.0.1", port + transport.is_secure)
            for transport in (Transport.UDP, Transport.TCP, Transport.TLS)
        }
        self.configure(CONFIGURATION.format(port=port, tls=port + 1))
        if PhonesCase.prepared is not None:
            shutil.copytree(PhonesCase.prepared / "data", self.folder / "data")
            return
        await self.command("init")
        await self.command("domain", "add", DOMAIN)
        for name in ("100", "101"):
            await self.command(
                *("account", "add", f"{name}@{DOMAIN}", "--owner", "admin"),
                *("--password-stdin",),
                given=f"secret-of-{name}",
            )
        PhonesCase.prepared = Path(self.mktemp()).absolute()
        shutil.copytree(self.folder, PhonesCase.prepared)

    async def command(self, *arguments: str, given: str = "") -> str:
        """
        Run a command, which succeeds; give what it prints.
        """
        out, error, status = await getProcessOutputAndValue(
            sys.executable,
            ("-m", "sipsorcery", *arguments),
            {**os.environ, "PYTHONPATH": str(ROOT)},
            str(self.folder),
            stdinBytes=given.encode(),
        )
        self.assertEqual(status, 0, error)
        return str(out, "utf-8")

    async def bindings(self) -> list[dict[str, Any]]:
        """
        Ask where the phones are.
        """
        found: list[dict[str, Any]] = json.loads(
            await self.command("bindings", "--json")
        )
        return found

    async def start(self, command: str = "sipsorcery") -> Twistd:
        """
        Start the servers.
        """
        server = self.run_twistd("--nodaemon", "--pidfile=", command)
        await server.wait_for(READY)
        return server

    async def phone(self, user: str, transport: Transport) -> Baresip:
        """
        Start a phone, and wait until it is registered.
        """
        folder = Path(self.mktemp())
        folder.mkdir()
        where = Registration(DOMAIN, self.ends[transport], f"secret-of-{user}")
        phone = Baresip(folder, self.authority, user=user, registration=where)
        self.addCleanup(lambda: Deferred.fromCoroutine(phone.stop()))
        await phone.ready()
        await phone.registered()
        return phone

    async def establish(self, caller: Baresip, callee: Baresip, user: str) -> None:
        """
        Let one phone call the other, which takes the call.
        """
        await connect(caller, callee, f"sip:{user}@{DOMAIN}")


class CallsTests(PhonesCase):
    """
    Phones that register and call each other.
    """

    async def check_call(self, one: Transport, other: Transport) -> None:
        """
        Let 100 call 101, and 101 hang up; then the other way round.
        """
        await self._set_up()
        await self.start()
        first = await self.phone("100", one)
        second = await self.phone("101", other)
        aors = [each["aor"] for each in await self.bindings()]
        self.assertEqual(aors, [f"sip:100@{DOMAIN}", f"sip:101@{DOMAIN}"])
        await self.establish(first, second, "101")
        await second.hang_up()
        await first.event("CALL_CLOSED")
        await second.event("CALL_CLOSED")
        await self.establish(second, first, "100")
        await second.hang_up()
        await first.event("CALL_CLOSED")

    async def test_udp(self) -> None:
        """
        Both over UDP.
        """
        await self.check_call(Transport.UDP, Transport.UDP)

    async def test_udp_and_tls(self) -> None:
        """
        One over UDP, the other over TLS.
        """
        await self.check_call(Transport.UDP, Transport.TLS)

    async def test_tcp_and_udp(self) -> None:
        """
        One over TCP, the other over UDP.
        """
        await self.check_call(Transport.TCP, Transport.UDP)

    async def test_tls_and_tcp(self) -> None:
        """
        One over TLS, the other over TCP.
        """
        await self.check_call(Transport.TLS, Transport.TCP)


class SIPpTests(PhonesCase):
    """
    Phones that do as RFC 3665 says, and change their calls by a re-INVITE.
    """

    async def take_calls(self, transport: Transport) -> None:
        """
        Register 101, which takes calls where it has registered.
        """
        run = register(
            Path(self.mktemp()),
            self.ends[transport],
            "secret-of-101",
            takes_calls=True,
        )
        self.addCleanup(lambda: Deferred.fromCoroutine(run.program.stop()))
        while not await self.bindings():
            pass

    async def call(self, transport: Transport) -> None:
        """
        Let 100 register, and then call 101 one time after the other.
        """
        folder, end = Path(self.mktemp()), self.ends[transport]
        phone = register(folder, end, "secret-of-100", user="100")
        self.assertEqual((await phone.tally()).successful, 1, phone.errors)
        caller = SIPp(
            folder,
            "caller",
            transport,
            calls=_CALLS,
            at_once=1,
            target=end,
            text=read("caller"),
            repeats=True,
            options=(
                *("-s", "101", "-au", "100", "-ap", "secret-of-100"),
                *("-auth_uri", f"101@{DOMAIN}"),
            ),
        )
        self.addCleanup(lambda: Deferred.fromCoroutine(caller.program.stop()))
        tally = await caller.tally()
        self.assertEqual((tally.successful, tally.failed), (_CALLS, 0), caller.errors)

    async def check_calls(self, one: Transport, other: Transport) -> None:
        """
        Let 100 call 101.
        """
        await self._set_up()
        await self.start()
        await self.take_calls(other)
        await self.call(one)

    async def test_udp(self) -> None:
        """
        Both over UDP.
        """
        await self.check_calls(Transport.UDP, Transport.UDP)

    async def test_tcp(self) -> None:
        """
        Both over TCP, each on a connection of its own making.
        """
        await self.check_calls(Transport.TCP, Transport.TCP)

    async def test_udp_and_tcp(self) -> None:
        """
        One over UDP, the other over TCP.
        """
        await self.check_calls(Transport.UDP, Transport.TCP)

    async def test_baresip_over_tls(self) -> None:
        """
        A phone over TLS calls one over UDP.
        """
        await self._set_up()
        await self.start()
        await self.take_calls(Transport.UDP)
        phone = await self.phone("100", Transport.TLS)
        await phone.dial(f"sip:101@{DOMAIN}")
        await phone.event("CALL_ESTABLISHED")
        await phone.hold()
        await phone.hang_up()
        await phone.event("CALL_CLOSED")


class RemovedTests(PhonesCase):
    """
    An account that is removed by command while the servers run.
    """

    async def test_binding_goes(self) -> None:
        """
        Its binding goes with it, and it is not called nor registered any more.
        """
        await self._set_up()
        await self.start()
        end = self.ends[Transport.UDP]
        for user in ("100", "101"):
            phone = register(Path(self.mktemp()), end, f"secret-of-{user}", user=user)
            self.assertEqual((await phone.tally()).successful, 1, phone.errors)
        self.assertEqual(len(await self.bindings()), 2)
        await self.command("account", "remove", f"101@{DOMAIN}")
        while len(await self.bindings()) > 1:
            pass
        (left,) = await self.bindings()
        self.assertEqual(left["aor"], f"sip:100@{DOMAIN}")
        again = register(Path(self.mktemp()), end, "secret-of-101")
        self.assertEqual((await again.tally()).successful, 0)


class ApartTests(PhonesCase):
    """
    Servers in processes of their own.
    """

    async def test_call(self) -> None:
        """
        The registrar and the proxy find each other, in whatever order they start, and
        a command asks both.
        """
        await self._set_up()
        await self.start("sipproxy")
        await self.start("sipregistrar")
        status = json.loads(await self.command("status", "--json"))
        self.assertEqual([each["role"] for each in status], ["proxy", "registrar"])
        self.assertEqual(len({each["pid"] for each in status}), 2)
        self.assertEqual(json.loads(await self.command("ban", "list", "--json")), [])
        explained = await self.command("ban", "explain", "127.0.0.1")
        self.assertIn("never banned", explained)
        first = await self.phone("100", Transport.UDP)
        second = await self.phone("101", Transport.TCP)
        await self.establish(first, second, "101")
        await first.hang_up()
        await second.event("CALL_CLOSED")


class KilledTests(PhonesCase):
    """
    What outlives the servers.
    """

    async def test_kill(self) -> None:
        """
        After kill -9 and another start a binding from before is called, and a dialog
        from before is ended by its BYE.
        """
        await self._set_up()
        server = await self.start()
        first = await self.phone("100", Transport.UDP)
        second = await self.phone("101", Transport.UDP)
        before = await self.bindings()
        for _ in range(_ROUNDS):
            await self.establish(first, second, "101")
            await server.kill()
            server = await self.start()
            after = await self.bindings()
            self.assertEqual(
                [each["contact"] for each in after],
                [each["contact"] for each in before],
            )
            await first.hang_up()
            await second.event("CALL_CLOSED")
            await self.establish(second, first, "100")
            await first.hang_up()
            await second.event("CALL_CLOSED")
            # Of the call before, too.
            await first.event("CALL_CLOSED")
            await first.event("CALL_CLOSED")
        # While there is a server that they can say goodbye to.
        await first.stop()
        await second.stop()
