"""
Phones behind the NATs of the kernel, which have the same private address both.

Where namespaces cannot be made, `test_rfc3665.NATTests` has a NAT of our own.
"""

from __future__ import annotations

from pathlib import Path

from sipsorcery.endpoint import Endpoint, Transport
from tests.integration.baresip import Baresip, Registration
from tests.integration.namespaces import PHONE, SERVER, Networks
from tests.integration.sipp import SIPp
from tests.integration.test_phones import DOMAIN, PhonesCase
from tests.integration.test_twistd import READY

_SCENARIOS = Path(__file__).with_name("sipp")
_CALLS = 5
_CONFIGURATION = f"""
[server]
data_dir = "data"
[ssh]
listen = ""
[proxy]
listen = ["udp:{SERVER}:5060", "tcp:{SERVER}:5060", "tls:{SERVER}:5061"]
[appserver]
enabled = false
[limits]
allow = []
"""


class NamespaceTests(PhonesCase):
    """
    Two phones that only their routers know.
    """

    timeout = 60

    def setUp(self) -> None:
        super().setUp()
        self.networks = Networks()
        self.addCleanup(self.networks.stop)
        self.networks.start()

    def sipp(
        self, scenario: str, number: int, transport: Transport, *, calls: int
    ) -> SIPp:
        """
        Start a scenario at one of the phones.
        """
        folder = self.folder / f"{scenario}{number}"
        folder.mkdir()
        user = f"10{number}"
        run = SIPp(
            folder,
            scenario,
            transport,
            calls=calls,
            port=5060,
            target=None if scenario == "callee" else Endpoint(transport, SERVER, 5060),
            text=(_SCENARIOS / f"{scenario}.xml").read_text("ascii"),
            repeats=True,
            options=(
                *("-s", "101", "-au", user, "-ap", f"secret-of-{user}"),
                *("-auth_uri", DOMAIN if scenario == "register" else f"101@{DOMAIN}"),
            ),
            host=PHONE,
            within=self.networks.phone(number),
        )
        self.addCleanup(run.program.stop_soon)
        return run

    def baresip(self, number: int, transport: Transport, *commands: str) -> Baresip:
        """
        Start a phone that registers and takes every call.
        """
        user = f"10{number}"
        folder = self.folder / user
        folder.mkdir()
        port = 5060 + transport.is_secure
        where = Registration(
            DOMAIN, Endpoint(transport, SERVER, port), f"secret-of-{user}"
        )
        phone = Baresip(
            folder,
            self.authority,
            user=user,
            answers=True,
            registration=where,
            host=PHONE,
            within=self.networks.phone(number),
            commands=commands,
        )
        self.addCleanup(phone.program.stop_soon)
        return phone

    async def serve_public(self) -> None:
        """
        Start the servers in the public network.
        """
        await self._set_up()
        self.configure(_CONFIGURATION)
        server = self.run_twistd(
            *("--nodaemon", "--pidfile=", "sipsorcery"), within=self.networks.server()
        )
        await server.wait_for(READY)

    async def assert_done(self, run: SIPp, calls: int) -> None:
        """
        Check that every call went as the scenario says.
        """
        tally = await run.tally()
        self.assertEqual((tally.successful, tally.failed), (calls, 0), run.errors)

    async def test_calls(self) -> None:
        """
        One registers, the other calls it: all of the dialog finds its way through both
        routers, which let nothing in that nobody has asked for.
        """
        await self.serve_public()
        await self.assert_done(self.sipp("register", 1, Transport.UDP, calls=1), 1)
        called = self.sipp("callee", 1, Transport.UDP, calls=_CALLS)
        await called.ready()
        calling = self.sipp("caller", 0, Transport.UDP, calls=_CALLS)
        await self.assert_done(calling, _CALLS)
        await self.assert_done(called, _CALLS)
        (binding,) = await self.bindings()
        self.assertIn(PHONE, binding["contact"])

    async def test_phones(self) -> None:
        """
        Two phones of another make, one over UDP and the other over TLS: the first calls
        and hangs up, and the second hears of both.
        """
        await self.serve_public()
        second = self.baresip(1, Transport.TLS)
        await second.program.says("200 OK (")
        first = self.baresip(0, Transport.UDP, f"/dial sip:101@{DOMAIN}")
        await second.program.says("Call established")
        await first.program.says("Call established")
        first.program.stop_soon()
        await second.program.says("session closed")
