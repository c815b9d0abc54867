"""
Calls through the application server, between SIPp and a whole server of ours.
"""

from __future__ import annotations

import gc
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from sipsorcery.appserver.calls.bridge import Bridge
from sipsorcery.appserver.calls.call import Call
from sipsorcery.appserver.calls.caller_side import CallerSide
from sipsorcery.appserver.calls.connection import Connection
from sipsorcery.appserver.plans.execution import Execution
from sipsorcery.appserver.service import AppServerService
from sipsorcery.endpoint import Transport
from sipsorcery.store.directory import CDR, Directory, Language
from sipsorcery.ua import ServerCall
from tests import LONG
from tests.integration.ports import free_port
from tests.integration.scenarios import read, register
from tests.integration.server import DOMAIN, PASSWORD
from tests.integration.sipp import SIPp, Tally
from tests.integration.test_phones import PhonesCase
from tests.integration.test_rfc3665 import CALLS, FlowCase

# Calls that are held, and what they are made of.
HELD = 100
_PARTS = (Call, Execution, CallerSide, ServerCall, Bridge, Connection)

# What a busy machine may take until all is written that has happened.
_PATIENCE, _STEP = 30.0, 0.1
_CONTACT = "<sip:101@[local_ip]:[local_port];transport=[transport]>"


# What a stolen password is worth is not for these tests to say.
LIMITS = """
[limits]
ringing_at_once = 0
outside_calls = ""
outside_calls_at_once = 0
"""


class CallCase(FlowCase):
    """
    A server with its application server.
    """

    appserver = True

    def text(self) -> str:
        """
        Let a user have as many calls as SIPp makes.
        """
        return (
            "[limits]\nringing_at_once = 0\n"
            'outside_calls = ""\noutside_calls_at_once = 0'
        )

    async def phone(self, name: str, user: str = "101") -> int:
        """
        Register a further phone of a user, and give its port.
        """
        port = free_port()
        run = register(
            *(self.folder / f"register-{name}", self.server.end(), PASSWORD),
            user=user,
            port=port,
        )
        self.runs.append(run)
        self.assertEqual(await run.tally(), Tally(1, 0, 0, 0), run.errors)
        return port

    async def cdrs(self, count: int) -> list[CDR]:
        """
        Give the records of all legs when there are so many and all are over.

        No call is left by then.
        """
        cdrs = self.server.directory.of("joe").cdrs
        for _ in range(int(_PATIENCE / _STEP)):
            # They are written once a second.
            found = await cdrs.recent(limit=1000)
            ended = [each for each in found if each.ended_at]
            left = self.left
            if not any(left) and len(ended) == len(found) == count:
                return found
            await deferLater(IReactorTime(reactor), _STEP)
        raise AssertionError(f"{left} are left, of {len(found)} {len(ended)} are over")

    @property
    def left(self) -> tuple[int, int, int]:
        """
        Count the calls that are in progress, those that are established, and dialogs.
        """
        dialogs = self.service.agent.core.dialogs
        return len(self.service.calls), len(self.service.connections), len(dialogs)

    @property
    def service(self) -> AppServerService:
        """
        The application server.
        """
        (service,) = (
            each for each in self.server.services if isinstance(each, AppServerService)
        )
        return service


class CallTests(CallCase):
    """
    The accounts have no dialplan.
    """

    async def test_call(self) -> None:
        """
        The call is answered, changed by a re-INVITE and ended: on two legs with a
        record each.
        """
        await self.call("caller", "callee")

    async def test_call_over_tcp(self) -> None:
        """
        The same, from a caller over TCP to a phone over UDP.
        """
        await self.call("caller", "callee", Transport.TCP)

    async def test_late_offer(self) -> None:
        """
        The callee makes the offer, and the caller's answer reaches it in the ACK; a
        hold passes, and so does a re-INVITE without an offer.
        """
        await self.call("caller-late-offer", "callee-late-offer")

    async def test_early_media(self) -> None:
        """
        The caller hears the callee before the answer.
        """
        await self.call("caller-early-media", "callee-early-media")

    async def test_reliable(self) -> None:
        """
        What the callee says before the answer is confirmed on either leg, with the
        numbers of each (RFC 3262).
        """
        await self.call("caller-reliable", "callee-reliable")

    async def test_confirmed_by_us(self) -> None:
        """
        Where the caller cannot confirm anything we do, and the caller just hears it.
        """
        await self.call("caller-early-media", "callee-reliable")

    async def test_fax(self) -> None:
        """
        The switch of a call to T.38 passes, and so does its answer.
        """
        await self.call("caller-fax", "callee-fax")

    async def test_cancel(self) -> None:
        """
        The caller gives up while the phone rings, which hears CANCEL.
        """
        await self.call("caller-gives-up", "callee-rings")

    async def test_busy(self) -> None:
        """
        The phone is busy, and the caller hears that.
        """
        await self.call("caller-refused", "callee-refuses", status="486")

    async def test_not_registered(self) -> None:
        """
        The account has no phone: 480.
        """
        run = self.run_sipp("caller-refused", target=self.server.end(), status="480")
        await self.assert_done(run)

    async def test_unknown(self) -> None:
        """
        There is no such account: 404.
        """
        run = self.run_sipp(
            "caller-refused",
            target=self.server.end(),
            user="999",
            uri=f"999@{DOMAIN}",
            status="404",
        )
        await self.assert_done(run)

    async def test_fork(self) -> None:
        """
        Two phones ring; one answers, and the other hears CANCEL.
        """
        rings = self.run_sipp("callee-rings", port=await self.phone("one"))
        answers = self.run_sipp("callee", port=await self.phone("other"))
        await rings.ready()
        await answers.ready()
        calling = self.run_sipp("caller", target=self.server.end())
        for run in (calling, answers, rings):
            await self.assert_done(run)

    async def test_redirect(self) -> None:
        """
        The phone redirects its calls to another place, which is called in its stead.
        """
        other = self.run_sipp("callee")
        await other.ready()
        text = read("callee-refuses").replace("STATUS", "302")
        there = f"<sip:101@{other.end.host}:{other.end.port}>"
        port = await self.phone("one")
        phone = self.run_text("phone", text.replace(_CONTACT, there), port)
        await phone.ready()
        calling = self.run_sipp("caller", target=self.server.end())
        for run in (calling, other, phone):
            await self.assert_done(run)

    def run_text(self, name: str, text: str, port: int) -> SIPp:
        """
        Start a scenario that no file has as it is.
        """
        folder = Path(self.folder / name)
        folder.mkdir()
        run = SIPp(
            folder,
            name,
            Transport.UDP,
            calls=CALLS,
            at_once=5,
            port=port,
            text=text,
            repeats=True,
        )
        self.runs.append(run)
        return run


class HeldTests(CallCase):
    """
    Many calls at a time, and what is left of them.
    """

    # To look at every object again and again takes a machine that is not busy.
    skip = None if LONG else "it takes a machine for itself: set SIPSORCERY_LONG=1"

    async def test_nothing_is_left(self) -> None:
        """
        When calls that were established together have ended, all tables are as before,
        and no object of a call is left, not for the garbage collector either, though
        transactions live on for a while.
        """
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        port = await self.register()
        phone = self.run_sipp("callee-early-media", port=port, calls=HELD)
        await phone.ready()
        caller = self.run_sipp(
            "caller-vanishes",
            target=self.server.end(),
            calls=HELD,
            options=("-r", "40", "-l", str(HELD)),
        )
        await self.until(lambda: self.left == (HELD, HELD, 2 * HELD))
        self.assertEqual(alive()[Connection], HELD)
        self.hang_up("enough")
        for run in (caller, phone):
            await self.assert_done(run, HELD)
        reasons = {each.ended_reason for each in await self.cdrs(2 * HELD)}
        self.assertEqual(reasons, {"enough"})
        # Whoever has looked at the last ones may not have looked elsewhere yet.
        await self.until(lambda: max(alive().values(), default=0) < HELD / 20)

    def hang_up(self, reason: str) -> None:
        """
        End every call.
        """
        for connection in list(self.service.connections):
            connection.hang_up(reason)

    async def until(self, condition: Callable[[], bool]) -> None:
        """
        Wait until something is so.
        """
        for _ in range(int(_PATIENCE / _STEP)):
            if condition():
                return
            await deferLater(IReactorTime(reactor), _STEP)
        raise AssertionError(f"{self.left} are left, {alive()} live; {self.errors}")


def alive() -> Counter[type]:
    """
    Count the objects that calls are made of, by their type.
    """
    every = (type(each) for each in gc.get_objects())
    return Counter(each for each in every if each in _PARTS)


class TransferTests(CallCase):
    """
    There is a third account, and 101 need not prove who it is: SIPp can do so to a URI
    that its command line says, and to no Contact.
    """

    async def prepare(self, directory: Directory) -> None:
        """
        Add 102, and trust 101.
        """
        accounts = directory.of("joe").accounts
        await accounts.add("102", DOMAIN, PASSWORD)
        near = ("127.0.0.1/32",)
        await accounts.change("101", DOMAIN, trusted_networks=near)

    async def test_blind(self) -> None:
        """
        The callee transfers the caller by REFER, and is told step by step what comes of
        it; the caller and 102 talk then.
        """
        other = self.run_sipp("callee", port=await self.phone("other", "102"))
        phone = self.run_sipp("callee-transfers", port=await self.phone("one"))
        await other.ready()
        await phone.ready()
        calling = self.run_sipp("caller-transferred", target=self.server.end())
        for run in (calling, phone, other):
            await self.assert_done(run)
        reasons = [each.ended_reason for each in await self.cdrs(3 * CALLS)]
        self.assertEqual(reasons.count("Blind transfer"), CALLS)


class LinePlanTests(CallCase):
    """
    The account that calls has a line plan.
    """

    async def plan(self, text: str) -> None:
        """
        Let a line plan decide about what 100 calls.
        """
        joe = self.server.directory.of("joe")
        await joe.dialplans.put("out", text, Language.LINES)
        await joe.accounts.change("100", DOMAIN, out_dialplan="out")

    async def test_provider(self) -> None:
        """
        A number goes to a provider, whose challenge the credentials of the plan answer;
        the caller hears nothing of it.
        """
        provider = self.run_sipp("provider")
        await provider.ready()
        end = provider.end
        await self.plan(
            f"exten => 101,1,Dial(42,secret,${{EXTEN}}@{end.host}:{end.port})"
        )
        caller = self.run_sipp("caller-hangs-up", target=self.server.end())
        await self.assert_done(caller)
        await self.assert_done(provider)
        cdrs = await self.cdrs(2 * CALLS)
        self.assertEqual({each.answered_status for each in cdrs}, {200})
        self.assertEqual({each.dialplan for each in cdrs}, {"out"})
        self.assertEqual(len({each.bridge for each in cdrs}), CALLS)

    async def test_respond(self) -> None:
        """
        A line responds, and nobody is called.
        """
        await self.plan("exten => 101,1,Respond(603,Not today)")
        run = self.run_sipp("caller-refused", target=self.server.end(), status="603")
        await self.assert_done(run)


class ApartTests(PhonesCase):
    """
    The proxy and the application server in processes of their own.
    """

    async def test_call(self) -> None:
        """
        Calls go through the one behind the other, and commands ask both.
        """
        await self._set_up()
        with (self.folder / "sipsorcery.toml").open("a", encoding="ascii") as file:
            file.write(LIMITS)
        phone = SIPp(self.folder, "uas", Transport.UDP, calls=CALLS, repeats=True)
        self.addCleanup(lambda: Deferred.fromCoroutine(phone.program.stop()))
        await phone.ready()
        plan = self.folder / "plan"
        there = f"{phone.end.host}:{phone.end.port}"
        plan.write_text(f"exten => 100,1,Dial(,,${{EXTEN}}@{there})", "ascii")
        owner = ("--owner", "admin", "--kind", "lines")
        await self.command("dialplan", "put", "in", *owner, "--file", str(plan))
        await self.command("account", "set", f"100@{DOMAIN}", "--in-dialplan", "in")
        await self.start("sipproxy")
        await self.start("sipappserver")
        status = json.loads(await self.command("status", "--json"))
        self.assertEqual([each["role"] for each in status], ["appserver", "proxy"])
        folder = self.folder / "caller"
        folder.mkdir()
        caller = SIPp(
            folder,
            "stranger",
            Transport.UDP,
            calls=CALLS,
            target=self.ends[Transport.UDP],
            text=stranger(),
            repeats=True,
            options=("-s", "100"),
        )
        self.addCleanup(lambda: Deferred.fromCoroutine(caller.program.stop()))
        for run in (caller, phone):
            tally = await run.tally()
            self.assertEqual((tally.successful, tally.failed), (CALLS, 0), run.errors)
        self.assertEqual(json.loads(await self.command("calls", "--json")), [])


def stranger() -> str:
    """
    Give the scenario of a caller from elsewhere, whom nobody asks for credentials.
    """
    text = read("caller-hangs-up")
    challenge = text.index('  <recv response="407"')
    invite = text.index("  <send retrans", challenge)
    begin = text.index("  <send retrans")
    text = text[:begin] + text[invite:].replace("      [authentication]\n", "")
    return text.replace("From: <sip:100@example.com>", "From: <sip:eve@elsewhere.test>")
