"""
The call flows of RFC 3665, section 3, between SIPp and a whole server of ours.

Those whose point is what a second proxy does have Kamailio for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.store.directory import Directory
from tests.integration.kamailio import Kamailio
from tests.integration.nat import NAT
from tests.integration.ports import free_port
from tests.integration.scenarios import read, register
from tests.integration.server import DOMAIN, PASSWORD, Server
from tests.integration.sipp import SIPp, Tally

CALLS = 20


class FlowCase(TestCase):
    """
    A server, and SIPp for the phones.
    """

    timeout = 120
    sip = ""  # more of the section [sip]
    appserver = False  # whether calls go through the application server

    def setUp(self) -> Deferred[None]:  # type: ignore[override]  # trial waits
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.runs: list[SIPp] = []
        self.server = Server(
            *(self.folder / "server", self.text(), self.sip),
            appserver=self.appserver,
            prepare=self.prepare,
        )
        return Deferred.fromCoroutine(self.server.start())

    def tearDown(self) -> Deferred[None]:  # type: ignore[override]  # likewise
        return Deferred.fromCoroutine(self.stop())

    def text(self) -> str:
        """
        Give more configuration.
        """
        return ""

    async def prepare(self, directory: Directory) -> None:
        """
        Put more into the directory, before the servers start.
        """

    async def stop(self) -> None:
        """
        Stop everything.
        """
        for run in self.runs:
            await run.program.stop()
        await self.server.stop()

    def run_sipp(
        self,
        scenario: str,
        transport: Transport = Transport.UDP,
        *,
        user: str = "101",
        calls: int = CALLS,
        port: int | None = None,
        target: Endpoint | None = None,
        uri: str = f"101@{DOMAIN}",
        status: str = "",
        address: str | None = None,
        options: Sequence[str] = (),
    ) -> SIPp:
        """
        Start one of our scenarios.

        :param user: the service, in SIPp's words.
        :param uri: what the credentials are for.
        :param status: the one that the scenario leaves open.
        :param address: that of its Contact, host and port; None: the real one.
        :param options: what else its command line says.
        """
        folder = self.folder / f"{scenario}-{len(self.runs)}"
        folder.mkdir()
        run = SIPp(
            folder,
            scenario,
            transport,
            calls=calls,
            at_once=5,
            port=port,
            target=target,
            text=read(scenario, address).replace("STATUS", status),
            repeats=True,
            options=(
                *("-s", user, "-au", "100" if target else user, "-ap", PASSWORD),
                *("-auth_uri", uri),
                *options,
            ),
        )
        self.runs.append(run)
        return run

    async def assert_done(self, run: SIPp, calls: int = CALLS) -> None:
        """
        Check that every call went as the scenario says.
        """
        try:
            tally = await run.tally()
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.errors}") from error
        self.assertEqual((tally.successful, tally.failed), (calls, 0), self.errors)

    @property
    def errors(self) -> str:
        """
        What all runs had to complain of: who waits in vain knows nothing of why.
        """
        return "\n".join(f"{run.end}: {run.errors}" for run in self.runs)

    async def register(
        self, target: Endpoint | None = None, address: str | None = None
    ) -> int:
        """
        Register the phone 101 over UDP, and give its port.

        :param target: where it sends to; None: the server.
        :param address: as for `run_sipp`.
        """
        port = free_port()
        run = register(
            self.folder / "register",
            target or self.server.end(),
            PASSWORD,
            port=port,
            address=address,
        )
        self.runs.append(run)
        self.assertEqual(await run.tally(), Tally(1, 0, 0, 0), run.errors)
        return port

    async def call(
        self,
        caller: str,
        callee: str,
        transport: Transport = Transport.UDP,
        status: str = "",
    ) -> None:
        """
        Let the phone 100 call the registered phone 101, by these scenarios.
        """
        port = await self.register()
        called = self.run_sipp(callee, port=port, status=status)
        await called.ready()
        target = self.server.end(transport)
        calling = self.run_sipp(caller, transport, target=target, status=status)
        await self.assert_done(calling)
        await self.assert_done(called)


class SessionTests(FlowCase):
    """
    Through our proxy alone.
    """

    async def test_session(self) -> None:
        """
        3.2 and 3.7: with credentials the call is established; it is changed by a
        re-INVITE and ended along the Record-Routes.
        """
        await self.call("caller", "callee")

    async def test_session_over_tcp(self) -> None:
        """
        The same, from a caller over TCP to a phone over UDP.
        """
        await self.call("caller", "callee", Transport.TCP)

    async def test_redirect(self) -> None:
        """
        3.6: a redirection goes back to the caller, who decides.
        """
        await self.call("caller-refused", "callee-refuses", status="302")

    async def test_no_answer(self) -> None:
        """
        3.8: nobody answers, and the caller gives up.
        """
        await self.call("caller-gives-up", "callee-rings")

    async def test_busy(self) -> None:
        """
        3.9: the phone is busy.
        """
        await self.call("caller-refused", "callee-refuses", status="486")

    async def test_unavailable(self) -> None:
        """
        3.11: the phone says that nobody is there.
        """
        await self.call("caller-refused", "callee-refuses", status="480")

    async def test_not_registered(self) -> None:
        """
        3.11, where the proxy says so itself: the account has no phone.
        """
        run = self.run_sipp("caller-refused", target=self.server.end(), status="480")
        await self.assert_done(run)

    async def test_unknown(self) -> None:
        """
        There is no such account.
        """
        run = self.run_sipp(
            "caller-refused",
            target=self.server.end(),
            user="999",
            uri=f"999@{DOMAIN}",
            status="404",
        )
        await self.assert_done(run)


class SilenceTests(FlowCase):
    """
    A phone that is off.
    """

    # Half a minute is three seconds so.
    sip = "t1 = 0.05"

    async def test_no_response(self) -> None:
        """
        3.10: it does not answer at all; after Timer B the caller hears 408.
        """
        await self.register()
        run = self.run_sipp(
            "caller-refused", target=self.server.end(), status="408", calls=1
        )
        await self.assert_done(run, 1)


class NATTests(FlowCase):
    """
    Phones behind NATs.
    """

    async def test_both(self) -> None:
        """
        Two phones behind two NATs register and call each other. Neither names an
        address that anybody reaches; all of the dialog finds its way both ways.
        """
        nats = [NAT(self.server.end(), f"127.0.0.{number}") for number in (2, 3)]
        for nat in nats:
            self.addCleanup(nat.stop)
        first, second = nats
        theirs, ours = "10.99.0.1:5060", "10.98.0.1:5060"
        port = await self.register(second.inside, theirs)
        called = self.run_sipp("callee", port=port, address=theirs)
        await called.ready()
        calling = self.run_sipp("caller", target=first.inside, address=ours)
        await self.assert_done(calling)
        await self.assert_done(called)
        self.assertEqual([len(nat.mappings) for nat in nats], [1, 1])


class NeighbourTests(FlowCase):
    """
    Another proxy in the path.
    """

    def text(self) -> str:
        """
        Take the loopback for a trunk, as far as it has no credentials.
        """
        return "[[trunk]]\nname = 'kamailio'\nnetworks = ['127.0.0.1/32']"

    async def kamailio(self, upstream: str) -> Kamailio:
        """
        Start a neighbour that sends calls to *upstream*.
        """
        folder = self.folder / "kamailio"
        folder.mkdir()
        proxy = Kamailio(folder, upstream)
        self.addCleanup(lambda: Deferred.fromCoroutine(proxy.stop()))
        await proxy.ready()
        return proxy

    async def talk(self, target: Endpoint, callee: str) -> None:
        """
        Let a caller without credentials call, by way of *target*.
        """
        scenario = read("caller")
        # What a trunk sends is not challenged.
        begin = scenario.index('  <recv response="407"')
        end = scenario.index("  <send retrans", begin)
        folder = self.folder / "caller"
        folder.mkdir()
        text = scenario[: scenario.index("  <send")] + scenario[end:].replace(
            f"sip:[service]@{DOMAIN}", callee
        ).replace("      [authentication]\n", "")
        run = SIPp(
            folder,
            "caller",
            Transport.UDP,
            calls=CALLS,
            at_once=5,
            target=target,
            text=text,
            repeats=True,
        )
        self.runs.append(run)
        await self.assert_done(run)

    async def test_before_us(self) -> None:
        """
        3.2: its calls come to our users, and both of us stay in the path.
        """
        port = await self.register()
        called = self.run_sipp("callee", port=port)
        await called.ready()
        us = self.server.end()
        proxy = await self.kamailio(f"sip:101@{DOMAIN}")
        await proxy.add_srv(DOMAIN, us)
        await self.talk(proxy.end(Transport.UDP), f"sip:101@{DOMAIN}")
        await self.assert_done(called)
        self.assertEqual(
            proxy.relayed, {"INVITE": 2 * CALLS, "ACK": 2 * CALLS, "BYE": CALLS}
        )

    async def test_behind_us(self) -> None:
        """
        3.2: our calls go to its users, and both of us stay in the path.
        """
        called = self.run_sipp("callee")
        await called.ready()
        end = called.end
        proxy = await self.kamailio(f"sip:101@{end.host}:{end.port}")
        there = proxy.end(Transport.UDP)
        await self.talk(self.server.end(), f"sip:101@{there.host}:{there.port}")
        await self.assert_done(called)
        self.assertEqual(
            proxy.relayed, {"INVITE": 2 * CALLS, "ACK": 2 * CALLS, "BYE": CALLS}
        )
