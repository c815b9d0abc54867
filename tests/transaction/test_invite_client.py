"""
Tests for `sipsorcery.transaction.invite_client`.
"""

from __future__ import annotations

from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import TO
from sipsorcery.transaction.derived import make_ack, make_cancel
from sipsorcery.transaction.effects import (
    Cancel,
    Deliver,
    Failed,
    Send,
    Terminated,
    TimedOut,
)
from sipsorcery.transaction.invite_client import InviteClientTransaction
from sipsorcery.transaction.state import State
from sipsorcery.transaction.timers import Timers
from tests.transaction.cases import ClientCase
from tests.transaction.messages import make_request, make_response

INVITE = make_request("INVITE")
RINGING = make_response(INVITE, 180)
OK = make_response(INVITE, 200)
BUSY = make_response(INVITE, 486)
ACK = make_ack(INVITE, BUSY)


class InviteClientCase(ClientCase[InviteClientTransaction]):
    """
    Makes machines.
    """

    kind = InviteClientTransaction
    request = INVITE


class CallingTests(InviteClientCase):
    """
    No response yet (RFC 3261, 17.1.1.2).
    """

    def test_timer_a_doubles(self) -> None:
        """
        Over UDP the INVITE goes out again after T1, 2*T1, 4*T1 ... without a limit,
        until Timer B fires after 64*T1.
        """
        machine = self.machine()
        for due in (0.5, 1.5, 3.5, 7.5, 15.5, 31.5):
            self.assert_fires(machine, due, Send(INVITE))
            self.assertIs(machine.state, State.Calling)
        self.assert_fires(machine, 32.0, TimedOut(), Terminated())
        self.assert_over(machine)

    def test_reliable(self) -> None:
        """
        Over TCP there is no Timer A, only Timer B.
        """
        machine = self.machine(reliable=True)
        self.assert_fires(machine, 32.0, TimedOut(), Terminated())
        self.assert_over(machine)

    def test_late_timer(self) -> None:
        """
        If time comes late, what should have been sent meanwhile is not made up for.
        """
        machine = self.machine()
        machine.handle_timer(10.0)
        self.assert_effects(machine, Send(INVITE))
        self.assertEqual(machine.next_timer(), 11.0)
        machine.handle_timer(50.0)
        self.assert_effects(machine, TimedOut(), Terminated())

    def test_other_timers(self) -> None:
        """
        T1 may be another one, and time begin anywhere.
        """
        timers = Timers(t1=0.1)
        machine = InviteClientTransaction(
            INVITE, reliable=False, now=100.0, timers=timers
        )
        self.assertEqual(machine.next_timer(), 100.1)
        machine.handle_timer(106.4)
        self.assert_effects(machine, Send(INVITE), TimedOut(), Terminated())

    def test_transport_failure(self) -> None:
        """
        If the INVITE cannot be sent the user is told and all is over (17.1.4).
        """
        machine = self.machine()
        machine.transport_failed(0.0)
        self.assert_effects(machine, Failed(), Terminated())
        self.assert_over(machine)

    def test_provisional(self) -> None:
        """
        A 1xx goes to the user and stops both timers.
        """
        machine = self.machine()
        machine.receive(RINGING, 0.1)
        self.assert_effects(machine, Deliver(RINGING))
        self.assert_waits(machine, State.Proceeding, None)

    def test_success(self) -> None:
        """
        A 2xx goes to the user; no ACK is sent here; Timer M begins (RFC 6026, 7.2).
        """
        for reliable in (False, True):
            machine = self.machine(reliable=reliable)
            machine.receive(OK, 0.1)
            self.assert_effects(machine, Deliver(OK))
            self.assert_waits(machine, State.Accepted, 32.1)

    def test_failure(self) -> None:
        """
        A 300 to 699 is acknowledged and goes to the user; Timer D begins.
        """
        for status in (300, 404, 503, 699):
            failure = make_response(INVITE, status)
            machine = self.machine()
            machine.receive(failure, 0.1)
            self.assert_effects(machine, Send(ACK), Deliver(failure))
            self.assert_waits(machine, State.Completed, 32.1)

    def test_failure_reliable(self) -> None:
        """
        Over TCP Timer D is zero: all is over at once.
        """
        machine = self.machine(reliable=True)
        machine.receive(BUSY, 0.1)
        self.assert_effects(machine, Send(ACK), Deliver(BUSY), Terminated())
        self.assert_over(machine)

    def test_failure_that_cannot_be_acknowledged(self) -> None:
        """
        A failure without a To changes nothing.
        """
        broken = BUSY.copy()
        broken.remove(TO)
        machine = self.machine()
        self.assertRaises(ParseError, machine.receive, broken, 0.1)
        self.assert_waits(machine, State.Calling, 0.5)


class ProceedingTests(InviteClientCase):
    """
    It rings.
    """

    def test_no_timer(self) -> None:
        """
        It may ring for ever: how long is for the user to say.
        """
        machine = self.machine(RINGING)
        machine.handle_timer(1000.0)
        self.assert_waits(machine, State.Proceeding, None)

    def test_more_provisional_responses(self) -> None:
        """
        Every 1xx goes to the user.
        """
        machine = self.machine(RINGING)
        machine.receive(RINGING, 1.0)
        self.assert_effects(machine, Deliver(RINGING))
        self.assert_waits(machine, State.Proceeding, None)

    def test_success(self) -> None:
        """
        A 2xx goes to the user.
        """
        machine = self.machine(RINGING)
        machine.receive(OK, 100.0)
        self.assert_effects(machine, Deliver(OK))
        self.assert_waits(machine, State.Accepted, 132.0)

    def test_failure(self) -> None:
        """
        A failure is acknowledged and goes to the user.
        """
        machine = self.machine(RINGING)
        machine.receive(BUSY, 100.0)
        self.assert_effects(machine, Send(ACK), Deliver(BUSY))
        self.assert_waits(machine, State.Completed, 132.0)

    def test_transport_failure(self) -> None:
        """
        If the way is gone, the user is told.
        """
        machine = self.machine(RINGING)
        machine.transport_failed(5.0)
        self.assert_effects(machine, Failed(), Terminated())
        self.assert_over(machine)


class CompletedTests(InviteClientCase):
    """
    A failure has come.
    """

    def test_repeated_failure(self) -> None:
        """
        A failure that comes again is acknowledged again, and not told again.
        """
        machine = self.machine(BUSY)
        machine.receive(BUSY, 20.0)
        self.assert_effects(machine, Send(ACK))
        self.assert_waits(machine, State.Completed, 32.0)

    def test_other_tag(self) -> None:
        """
        The ACK has the To of the failure that it is for.
        """
        machine = self.machine(BUSY)
        other = make_response(INVITE, 480, to_tag="c")
        machine.receive(other, 1.0)
        self.assert_effects(machine, Send(make_ack(INVITE, other)))
        self.assertEqual(make_ack(INVITE, other)[TO].tag, "c")

    def test_others_are_dropped(self) -> None:
        """
        A 1xx or 2xx that comes too late is dropped.
        """
        machine = self.machine(BUSY)
        machine.receive(RINGING, 1.0)
        machine.receive(OK, 1.0)
        self.assert_waits(machine, State.Completed, 32.0)

    def test_timer_d(self) -> None:
        """
        Timer D ends it.
        """
        machine = self.machine(BUSY)
        self.assert_fires(machine, 32.0, Terminated())
        self.assert_over(machine)

    def test_transport_failure(self) -> None:
        """
        If the ACK cannot be sent the user is told and all is over.
        """
        machine = self.machine(BUSY)
        machine.transport_failed(1.0)
        self.assert_effects(machine, Failed(), Terminated())
        self.assert_over(machine)


class AcceptedTests(InviteClientCase):
    """
    A 2xx has come (RFC 6026, 7.2).
    """

    def test_every_2xx(self) -> None:
        """
        Each 2xx goes to the user: repeated, or of another fork. Timer M goes on.
        """
        machine = self.machine(OK)
        fork = make_response(INVITE, 200, to_tag="c")
        for response in (OK, fork):
            machine.receive(response, 10.0)
            self.assert_effects(machine, Deliver(response))
            self.assert_waits(machine, State.Accepted, 32.0)

    def test_others_are_dropped(self) -> None:
        """
        What is no 2xx is dropped, and so is an error of the transport.
        """
        machine = self.machine(OK)
        machine.receive(RINGING, 1.0)
        machine.receive(BUSY, 1.0)
        machine.transport_failed(1.0)
        self.assert_waits(machine, State.Accepted, 32.0)

    def test_timer_m(self) -> None:
        """
        Timer M ends it, without a word.
        """
        machine = self.machine(OK)
        self.assert_fires(machine, 32.0, Terminated())
        self.assert_over(machine)


class TerminatedTests(InviteClientCase):
    """
    It is over.
    """

    def test_nothing_happens(self) -> None:
        """
        Whatever comes now does nothing.
        """
        machine = self.machine(BUSY, reliable=True)
        for response in (RINGING, OK, BUSY):
            machine.receive(response, 1.0)
        machine.cancel(1.0)
        machine.transport_failed(1.0)
        self.assert_over(machine)


class CancelTests(InviteClientCase):
    """
    The user changes its mind (RFC 3261, 9.1).
    """

    cancel = Cancel(make_cancel(INVITE))

    def test_after_provisional(self) -> None:
        """
        Once there was a 1xx, the CANCEL begins at once; then there are 64*T1 left.
        """
        machine = self.machine(RINGING)
        machine.cancel(10.0)
        self.assert_effects(machine, self.cancel)
        self.assert_waits(machine, State.Proceeding, 42.0)

    def test_before_provisional(self) -> None:
        """
        It waits for the first 1xx, while the INVITE is repeated.
        """
        machine = self.machine()
        machine.cancel(0.1)
        self.assert_fires(machine, 0.5, Send(INVITE))
        machine.receive(RINGING, 0.7)
        self.assert_effects(machine, Deliver(RINGING), self.cancel)
        self.assert_waits(machine, State.Proceeding, 32.7)

    def test_once(self) -> None:
        """
        There is one CANCEL, however often it is asked for and whatever comes then.
        """
        machine = self.machine()
        machine.cancel(0.1)
        machine.cancel(0.2)
        machine.receive(RINGING, 0.3)
        self.assert_effects(machine, Deliver(RINGING), self.cancel)
        machine.receive(RINGING, 0.4)
        machine.cancel(0.5)
        self.assert_effects(machine, Deliver(RINGING))
        self.assert_waits(machine, State.Proceeding, 32.3)

    def test_final_before_provisional(self) -> None:
        """
        If the answer comes without a 1xx there is no CANCEL.
        """
        for response in (OK, BUSY):
            machine = self.machine()
            machine.cancel(0.1)
            machine.receive(response, 0.2)
            self.assertNotIn(self.cancel, machine.take_effects())
            self.assertEqual(machine.next_timer(), 32.2)

    def test_crossing(self) -> None:
        """
        A 2xx that crossed the CANCEL goes to the user like any other.
        """
        machine = self.machine(RINGING)
        machine.cancel(10.0)
        machine.take_effects()
        machine.receive(OK, 10.1)
        self.assert_effects(machine, Deliver(OK))
        self.assert_waits(machine, State.Accepted, 42.1)

    def test_usual(self) -> None:
        """
        The 487 is acknowledged.
        """
        machine = self.machine(RINGING)
        machine.cancel(10.0)
        machine.take_effects()
        response = make_response(INVITE, 487)
        machine.receive(response, 10.1)
        self.assert_effects(machine, Send(ACK), Deliver(response))

    def test_after_final(self) -> None:
        """
        After a final response it does nothing.
        """
        for response in (OK, BUSY):
            machine = self.machine(response)
            machine.cancel(1.0)
            self.assert_effects(machine)
            self.assertEqual(machine.next_timer(), 32.0)

    def test_no_final_response(self) -> None:
        """
        A server that has answered the CANCEL but never the INVITE is given up.
        """
        machine = self.machine(RINGING)
        machine.cancel(10.0)
        machine.take_effects()
        self.assert_fires(machine, 42.0, TimedOut(), Terminated())
        self.assert_over(machine)

    def test_never_any_response(self) -> None:
        """
        A CANCEL that still waits does not keep Timer B from firing.
        """
        machine = self.machine(reliable=True)
        machine.cancel(31.9)
        self.assert_fires(machine, 32.0, TimedOut(), Terminated())
