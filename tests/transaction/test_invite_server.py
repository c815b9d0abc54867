"""
Tests for `sipsorcery.transaction.invite_server`.
"""

from __future__ import annotations

from sipsorcery.sip.errors import LocalProtocolError
from sipsorcery.transaction.derived import make_ack
from sipsorcery.transaction.effects import Deliver, Failed, Send, Terminated, TimedOut
from sipsorcery.transaction.invite_server import InviteServerTransaction
from sipsorcery.transaction.state import State
from tests.transaction.cases import ServerCase
from tests.transaction.messages import make_request, make_response

INVITE = make_request("INVITE")
TRYING = make_response(INVITE, 100)
RINGING = make_response(INVITE, 180)
OK = make_response(INVITE, 200)
BUSY = make_response(INVITE, 486)
ACK = make_ack(INVITE, BUSY)


class InviteServerCase(ServerCase[InviteServerTransaction]):
    """
    Makes machines.
    """

    kind = InviteServerTransaction
    request = INVITE


class ProceedingTests(InviteServerCase):
    """
    The user has yet to answer (RFC 3261, 17.2.1).
    """

    def test_100(self) -> None:
        """
        If the user says nothing within 200 ms, a 100 goes out, over any transport.
        """
        for reliable in (False, True):
            machine = self.machine(reliable=reliable)
            self.assert_fires(machine, 0.2, Send(TRYING))
            self.assert_waits(machine, State.Proceeding, None)

    def test_no_100(self) -> None:
        """
        A user that speaks earlier stops that.
        """
        machine = self.machine(RINGING)
        self.assert_waits(machine, State.Proceeding, None)

    def test_no_limit(self) -> None:
        """
        It may ring for ever: how long is for the user to say.
        """
        machine = self.machine(RINGING)
        machine.handle_timer(1000.0)
        self.assert_waits(machine, State.Proceeding, None)

    def test_repeated_invite(self) -> None:
        """
        An INVITE that comes again gets the last provisional response again; before
        there is one, nothing.
        """
        machine = self.machine()
        machine.receive(INVITE, 0.1)
        self.assert_effects(machine)
        machine.handle_timer(0.2)
        machine.take_effects()
        machine.receive(INVITE, 0.5)
        self.assert_effects(machine, Send(TRYING))
        machine.respond(RINGING, 0.6)
        machine.take_effects()
        machine.receive(INVITE, 1.5)
        self.assert_effects(machine, Send(RINGING))

    def test_own_copy(self) -> None:
        """
        What is repeated is what was sent, whatever the user has done to it since.
        """
        response = RINGING.copy()
        machine = self.machine(response)
        response.add("X-Later", "changed")
        machine.receive(INVITE, 0.5)
        self.assert_effects(machine, Send(RINGING))

    def test_early_ack(self) -> None:
        """
        An ACK to nothing is dropped.
        """
        machine = self.machine(RINGING)
        machine.receive(ACK, 0.1)
        self.assert_waits(machine, State.Proceeding, None)

    def test_success(self) -> None:
        """
        A 2xx begins Timer L, over any transport (RFC 6026, 7.1).
        """
        for reliable in (False, True):
            machine = self.machine(OK, reliable=reliable)
            self.assert_waits(machine, State.Accepted, 32.0)

    def test_failure(self) -> None:
        """
        A failure begins Timers G and H; over TCP only H.
        """
        self.assert_waits(self.machine(BUSY), State.Completed, 0.5)
        machine = self.machine(BUSY, reliable=True)
        self.assert_waits(machine, State.Completed, 32.0)

    def test_transport_failure(self) -> None:
        """
        The user is told; the state stays, for the next response may pass (RFC 6026,
        8.8).
        """
        machine = self.machine(RINGING)
        machine.transport_failed(0.1)
        self.assert_effects(machine, Failed())
        self.assert_waits(machine, State.Proceeding, None)

    def test_request_is_kept_as_long_as_needed(self) -> None:
        """
        The INVITE goes with the final response.
        """
        self.assertIs(self.machine(RINGING).request, INVITE)
        self.assertIsNone(self.machine(RINGING, OK).request)
        self.assertIsNone(self.machine(BUSY).request)


class CompletedTests(InviteServerCase):
    """
    A failure was sent.
    """

    def test_timer_g(self) -> None:
        """
        Over UDP the failure is repeated after T1, 2*T1 ... at most T2; after 64*T1 the
        user hears that there was no ACK.
        """
        machine = self.machine(BUSY)
        for due in (0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5):
            self.assert_fires(machine, due, Send(BUSY))
        self.assert_fires(machine, 32.0, TimedOut(), Terminated())
        self.assert_over(machine)

    def test_timer_h_reliable(self) -> None:
        """
        Over TCP nothing is repeated, but the ACK is waited for.
        """
        machine = self.machine(BUSY, reliable=True)
        self.assert_fires(machine, 32.0, TimedOut(), Terminated())
        self.assert_over(machine)

    def test_repeated_invite(self) -> None:
        """
        An INVITE that comes again gets the failure again; Timer G is not touched.
        """
        machine = self.machine(RINGING, BUSY)
        machine.receive(INVITE, 0.3)
        self.assert_effects(machine, Send(BUSY))
        self.assert_waits(machine, State.Completed, 0.5)

    def test_ack(self) -> None:
        """
        The ACK ends the repetitions; Timer I begins. The user does not see it.
        """
        machine = self.machine(BUSY)
        machine.receive(ACK, 1.0)
        self.assert_waits(machine, State.Confirmed, 6.0)

    def test_ack_reliable(self) -> None:
        """
        Over TCP Timer I is zero: all is over at once.
        """
        machine = self.machine(BUSY, reliable=True)
        machine.receive(ACK, 1.0)
        self.assert_effects(machine, Terminated())
        self.assert_over(machine)

    def test_second_final_response(self) -> None:
        """
        A user that answers again is told that it has done so already.
        """
        machine = self.machine(BUSY)
        for response in (RINGING, OK, BUSY):
            self.assertRaises(LocalProtocolError, machine.respond, response, 1.0)
        self.assert_waits(machine, State.Completed, 0.5)

    def test_transport_failure(self) -> None:
        """
        The user is told; the failure is repeated nevertheless.
        """
        machine = self.machine(BUSY)
        machine.transport_failed(0.1)
        self.assert_effects(machine, Failed())
        self.assert_fires(machine, 0.5, Send(BUSY))


class ConfirmedTests(InviteServerCase):
    """
    The ACK to a failure has come.
    """

    def confirmed(self) -> InviteServerTransaction:
        """
        Make a machine that was acknowledged at 1.
        """
        machine = self.machine(BUSY)
        machine.receive(ACK, 1.0)
        return machine

    def test_absorbs(self) -> None:
        """
        More ACKs and late INVITEs do nothing.
        """
        machine = self.confirmed()
        machine.receive(ACK, 2.0)
        machine.receive(INVITE, 2.0)
        self.assert_waits(machine, State.Confirmed, 6.0)

    def test_no_response(self) -> None:
        """
        The user cannot answer again.
        """
        machine = self.confirmed()
        self.assertRaises(LocalProtocolError, machine.respond, OK, 2.0)

    def test_timer_i(self) -> None:
        """
        Timer I ends it.
        """
        machine = self.confirmed()
        self.assert_fires(machine, 6.0, Terminated())
        self.assert_over(machine)


class AcceptedTests(InviteServerCase):
    """
    A 2xx was sent (RFC 6026, 7.1).
    """

    def test_repeated_invite(self) -> None:
        """
        An INVITE that comes again is absorbed: it is no new call.
        """
        machine = self.machine(RINGING, OK)
        machine.receive(INVITE, 1.0)
        self.assert_waits(machine, State.Accepted, 32.0)

    def test_repeated_2xx(self) -> None:
        """
        The user repeats its 2xx, and a proxy sends those of other forks.
        """
        machine = self.machine(OK)
        for response in (OK, make_response(INVITE, 200, to_tag="c")):
            machine.respond(response, 1.0)
            self.assert_effects(machine, Send(response))
        self.assert_waits(machine, State.Accepted, 32.0)

    def test_other_responses(self) -> None:
        """
        It cannot change its mind.
        """
        machine = self.machine(OK)
        for response in (RINGING, BUSY):
            self.assertRaises(LocalProtocolError, machine.respond, response, 1.0)

    def test_ack(self) -> None:
        """
        An ACK that matches goes to the user.
        """
        machine = self.machine(OK)
        machine.receive(ACK, 1.0)
        self.assert_effects(machine, Deliver(ACK))
        self.assert_waits(machine, State.Accepted, 32.0)

    def test_transport_failure(self) -> None:
        """
        The user is told; it may send its 2xx again.
        """
        machine = self.machine(OK)
        machine.transport_failed(0.1)
        self.assert_effects(machine, Failed())
        self.assert_waits(machine, State.Accepted, 32.0)

    def test_timer_l(self) -> None:
        """
        Timer L ends it.
        """
        machine = self.machine(OK, now=3.0)
        self.assert_fires(machine, 35.0, Terminated())
        self.assert_over(machine)


class TerminatedTests(InviteServerCase):
    """
    It is over.
    """

    def test_nothing_happens(self) -> None:
        """
        Whatever comes now does nothing; a response that comes too late is dropped.
        """
        for response in (OK, BUSY):
            machine = self.machine(response)
            machine.handle_timer(32.0)
            machine.take_effects()
            machine.respond(OK, 33.0)
            machine.receive(INVITE, 33.0)
            machine.receive(ACK, 33.0)
            machine.transport_failed(33.0)
            self.assert_over(machine)
