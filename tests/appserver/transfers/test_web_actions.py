"""
Tests for `sipsorcery.appserver.transfers.web_actions`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.calls.connection import Connection
from sipsorcery.appserver.configured import Configured
from sipsorcery.appserver.dial.dialling import Budget
from sipsorcery.appserver.hosting.callbacks import CallbackFunctions
from sipsorcery.appserver.plans.engine import (
    End,
    HostCall,
    HostError,
    PlanRequest,
    Step,
    Value,
)
from sipsorcery.appserver.plans.execution import Execution
from sipsorcery.appserver.plans.plans import Plans
from sipsorcery.appserver.plans.story import Audience, Story
from sipsorcery.appserver.plans.surroundings import Surroundings
from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.appserver.transfers.web_actions import WebActions, destination_of
from sipsorcery.store.directory import Language
from sipsorcery.ua import ServerCall, Session
from tests.appserver.switchboard import DOMAIN, PHONES, SwitchboardCase, media


class ActionsCase(SwitchboardCase):
    """
    What joe does, whose the phones are.
    """

    def setUp(self) -> None:
        super().setUp()
        clock = self.server.core.clock
        self.actions = WebActions(
            clock,
            connections=self.connections,
            transfers=self.transfers,
            office=self.office,
            accounts=self.book,
            make_bridge=self.bridge,
            now=clock.seconds,
        )

    def code(self, action: Deferred[Any]) -> Code:
        """
        Give why something was refused.
        """
        refused = self.refused(action, Refused)
        assert isinstance(refused, Refused)
        return refused.code

    def call_id(self, phone: Session) -> str:
        """
        Give the Call-ID of the leg to a phone.
        """
        return phone.dialog.call_id


class BlindTransferTests(ActionsCase):
    """
    One party is replaced by somebody who is called.
    """

    def setUp(self) -> None:
        super().setUp()
        self.calls = self.answers("101")
        self.alice = self.call("100", "101")
        self.bob: Session = self.calls[0].session

    def test_replaced(self) -> None:
        """
        102 comes in the place of 101, who is hung up when 102 has answered.
        """
        calls: list[ServerCall] = []
        self.phones["102"].on_invite(calls.append)
        action = self.begin(
            self.actions.blind_transfer("joe", self.call_id(self.bob), "102")
        )
        self.assertTrue(self.bob.is_established)
        calls[0].answer(media(PHONES["102"]))
        self.given(action)
        self.assertTrue(self.bob.is_over)
        self.assert_talks(self.alice, calls[0].session)
        self.run_through(self.alice.bye())
        self.assert_settled()

    def test_nobody_answers(self) -> None:
        """
        If 102 is busy the two go on talking.
        """
        self.phones["102"].on_invite(lambda call: call.reject(486))
        action = self.begin(
            self.actions.blind_transfer("joe", self.call_id(self.bob), "102")
        )
        self.assertEqual(self.code(action), Code.NOT_ANSWERED)
        self.assertTrue(self.bob.is_established)
        self.run_through(self.alice.bye())
        self.assert_settled()

    def test_call_of_another_user(self) -> None:
        """
        Nobody touches the call of another user, nor is told that there is one.
        """
        for call_id in (self.call_id(self.bob), "nothing"):
            action = self.begin(self.actions.blind_transfer("ann", call_id, "102"))
            self.assertEqual(self.code(action), Code.NO_CALL)
        self.assertTrue(self.bob.is_established)
        self.run_through(self.alice.bye())
        self.assert_settled()

    def test_account_that_may_not_call(self) -> None:
        """
        An account that is disabled pays for nothing, nor does one that cannot call.
        """
        table: list[tuple[dict[str, Any], Code]] = [
            ({"admin_disabled": "unpaid"}, Code.ACCOUNT_DISABLED),
            ({"incoming_only": True}, Code.NOT_ADMITTED),
        ]
        for change, expected in table:
            self.book.changes["100"] = change
            action = self.begin(
                self.actions.blind_transfer("joe", self.call_id(self.bob), "102")
            )
            self.assertEqual(self.code(action), expected)
        self.assertTrue(self.bob.is_established)
        self.run_through(self.alice.bye())
        self.assert_settled()

    def test_part_of_a_call_id(self) -> None:
        """
        A call is named by the whole Call-ID.
        """
        part = self.call_id(self.bob)[:-1]
        action = self.begin(self.actions.blind_transfer("joe", part, "102"))
        self.assertEqual(self.code(action), Code.NO_CALL)
        self.run_through(self.alice.bye())
        self.assert_settled()


class AttendedTransferTests(ActionsCase):
    """
    The other ends of two calls are connected.
    """

    def setUp(self) -> None:
        super().setUp()
        self.to_bob, self.to_carol = self.answers("101"), self.answers("102")
        self.alice = self.call("100", "101")
        self.consulted = self.call("101", "102")
        self.bob: Session = self.to_bob[0].session
        self.carol: Session = self.to_carol[0].session

    def test_connected(self) -> None:
        """
        100 and 102 talk, and both legs to 101 are hung up.
        """
        first, second = self.call_id(self.bob), self.call_id(self.consulted)
        self.run_through(self.actions.attended_transfer("joe", first, second))
        self.network.advance()
        self.assert_talks(self.alice, self.carol)
        self.assertTrue(self.bob.is_over)
        self.assertTrue(self.consulted.is_over)
        self.run_through(self.alice.bye())
        self.assertTrue(self.carol.is_over)
        self.assert_settled()

    def test_one_call(self) -> None:
        """
        The two ends of one call are connected already.
        """
        ends = self.call_id(self.alice), self.call_id(self.bob)
        action = self.begin(self.actions.attended_transfer("joe", *ends))
        self.assertEqual(self.code(action), Code.NO_CALL)
        for session in (self.alice, self.carol):
            self.run_through(session.bye())
        self.assert_settled()


class CallBackTests(ActionsCase):
    """
    Two are called, one after the other, and connected.
    """

    def back(self, delay: float = 0.0) -> Deferred[Connection]:
        """
        Let joe have 100 called, and then 101.
        """
        return self.begin(
            self.actions.call_back(
                "joe", f"100@{DOMAIN}", "100", f"sip:101@{DOMAIN}", delay=delay
            )
        )

    def test_connected(self) -> None:
        """
        101 rings when 100 has answered; then they talk, and the end of one is both's.
        """
        first, second = self.answers("100"), self.answers("101")
        connection = self.given(self.back())
        self.assertEqual(len(first), 1)
        self.assertIsNone(first[0].offer)
        self.assert_talks(first[0].session, second[0].session)
        self.assertEqual(list(self.connections), [connection])
        self.assertEqual(connection.owner, "joe")
        self.run_through(second[0].session.bye())
        self.assertTrue(first[0].session.is_over)
        self.assert_settled()

    def test_waits(self) -> None:
        """
        While 101 rings 100 hears nothing, and is not heard (RFC 3725, flow III).
        """
        first = self.answers("100")
        calls: list[ServerCall] = []
        self.phones["101"].on_invite(calls.append)
        action = self.back()
        remote = first[0].session.remote
        assert remote is not None
        self.assertEqual(str(remote.media[0].direction), "inactive")
        self.assertEqual(first[0].caller.uri, calls[0].uri._replace(host=DOMAIN))  # type: ignore[union-attr]  # a SIP URI
        calls[0].answer(media(PHONES["101"]))
        self.given(action)
        self.assert_talks(first[0].session, calls[0].session)
        self.run_through(first[0].session.bye())
        self.assert_settled()

    def test_first_is_busy(self) -> None:
        """
        If 100 does not answer, 101 is left in peace.
        """
        second = self.answers("101")
        self.phones["100"].on_invite(lambda call: call.reject(486))
        self.assertEqual(self.code(self.back()), Code.NOT_ANSWERED)
        self.assertEqual(second, [])
        self.assert_settled()

    def test_second_is_busy(self) -> None:
        """
        If 101 does not answer, 100 is hung up.
        """
        first = self.answers("100")
        self.phones["101"].on_invite(lambda call: call.reject(486))
        self.assertEqual(self.code(self.back()), Code.NOT_ANSWERED)
        self.network.advance()
        self.assertTrue(first[0].session.is_over)
        self.assert_settled()

    def test_first_hangs_up(self) -> None:
        """
        If 100 hangs up meanwhile, 101 rings no more.
        """
        first = self.answers("100")
        calls: list[ServerCall] = []
        self.phones["101"].on_invite(calls.append)
        action = self.back()
        calls[0].ring()
        self.network.advance()
        self.run_through(first[0].session.bye())
        self.assertEqual(self.refused(action, Refused).status, 487)
        self.assertFalse(calls[0].is_pending)
        self.assert_settled()

    def test_delay(self) -> None:
        """
        It may wait a little, but not long.
        """
        first, _ = self.answers("100"), self.answers("101")
        action = self.back(delay=1000.0)
        self.network.advance(14.0)
        self.assertEqual(first, [])
        self.network.advance(2.0)
        self.given(action)
        self.run_through(first[0].session.bye())
        self.assert_settled()

    def test_account_of_another_user(self) -> None:
        """
        Nobody calls at the cost of another user.
        """
        action = self.begin(
            self.actions.call_back("ann", f"100@{DOMAIN}", "100", "101")
        )
        self.assertEqual(self.code(action), Code.NO_ACCOUNT)
        self.assert_settled()


class Returning:
    """
    An engine, and a run: a dialplan that calls 101 back, and the number, and ends.
    """

    def __init__(self) -> None:
        self.requests: list[PlanRequest] = []

    async def start(self, script: str, request: PlanRequest) -> tuple[Returning, Step]:
        """
        Ask for the call-back.
        """
        self.requests.append(request)
        ends = {"first": "101", "second": request.caller.dialled}
        return self, HostCall("callback", ends)

    async def resume(self, value: Value | HostError) -> Step:
        """
        End.
        """
        assert not isinstance(value, HostError)
        return End(480)


class WebCallbackTests(ActionsCase):
    """
    A number is typed in, and the dialplan of its name decides.
    """

    def type_in(self, number: str = "102", owner: str = "joe") -> Deferred[None]:
        """
        Type it in.
        """
        return self.begin(self.actions.web_callback(owner, f"100@{DOMAIN}", number))

    def test_calls_back(self) -> None:
        """
        The dialplan runs as for a call to the number, which is nothing but data; the
        two whom it wants connected are connected.
        """
        engine, clock = Returning(), self.server.core.clock
        self.book.plans["joe", "webcallback"] = "a script"
        plans = Plans(cast(Configured, self.book), {Language.LINES: engine})
        functions = CallbackFunctions(lambda: self.actions, clock.seconds)

        def execution(story: Story, budget: Budget, audience: Audience) -> Execution:
            around = Surroundings(
                clock, plans, lambda _: self.book, budget, audience, functions.of
            )
            return Execution(around, story)

        office = replace(self.office, plans=plans, execution=execution)
        actions = WebActions(
            clock,
            connections=self.connections,
            transfers=self.transfers,
            office=office,
            accounts=self.book,
            make_bridge=self.bridge,
            now=clock.seconds,
        )
        first, second = self.answers("101"), self.answers("102", 5000)
        number = f"sip:102@{DOMAIN}?Subject=x"
        self.given(self.begin(actions.web_callback("joe", f"100@{DOMAIN}", number)))
        (request,) = engine.requests
        self.assertEqual((request.direction, request.body), ("out", b""))
        self.assertEqual(request.uri, f"sip:102@{DOMAIN}")
        self.assert_talks(first[0].session, second[0].session)
        self.run_through(first[0].session.bye())
        self.assert_settled()

    def test_no_plan(self) -> None:
        """
        Only that dialplan decides: who has none has said no.
        """
        self.assertEqual(self.code(self.type_in()), Code.PLAN_MISSING)
        self.assert_settled()

    def test_refuses(self) -> None:
        """
        What the dialplan says is told.
        """
        self.book.plans["joe", "webcallback"] = "exten => _X.,1,Respond(486,Not now)"
        self.assertEqual(self.code(self.type_in()), Code.PLAN_REFUSED)

    def test_dials(self) -> None:
        """
        Whom it dials there is nobody to connect with, and they are hung up.
        """
        self.book.plans["joe", "webcallback"] = f"exten => 102,1,Dial(,,102@{DOMAIN})"
        calls = self.answers("102")
        self.given(self.type_in())
        self.assertTrue(calls[0].session.is_over)
        self.assert_settled()

    def test_account_of_another_user(self) -> None:
        """
        Nobody pays for the calls of others.
        """
        self.book.plans["ann", "webcallback"] = "exten => 102,1,Dial(,,102@h)"
        self.assertEqual(self.code(self.type_in(owner="ann")), Code.NO_ACCOUNT)


class DestinationTests(SynchronousTestCase):
    """
    Whom somebody wants to call.
    """

    def test_forms(self) -> None:
        """
        A URI, a user and host, or a user of the domain.
        """
        table = {
            "100": "sip:100@example.com",
            " 100@far.example ": "sip:100@far.example",
            "sip:100@far.example;transport=tcp": "sip:100@far.example;transport=tcp",
            "sips:100@far.example": "sips:100@far.example",
            "sip:100@far.example?Replaces=1": "sip:100@far.example",
        }
        for text, expected in table.items():
            self.assertEqual(str(destination_of(text, DOMAIN)), expected)

    def test_bad(self) -> None:
        """
        What is none of them is refused.
        """
        for text in ("", "sip:", "sip:far.example", "100@", "1\r\nX: y@h"):
            with self.assertRaises(Refused, msg=text):
                destination_of(text, DOMAIN)
