"""
Tests for `sipsorcery.transaction.non_invite_server`.
"""

from __future__ import annotations

from sipsorcery.sip.errors import LocalProtocolError
from sipsorcery.transaction.effects import Failed, Send, Terminated, TimedOut
from sipsorcery.transaction.non_invite_server import NonInviteServerTransaction
from sipsorcery.transaction.state import State
from tests.transaction.cases import ServerCase
from tests.transaction.messages import make_request, make_response

OPTIONS = make_request("OPTIONS")
TRYING = make_response(OPTIONS, 100)
OK = make_response(OPTIONS, 200)
BUSY = make_response(OPTIONS, 486)


class NonInviteServerCase(ServerCase[NonInviteServerTransaction]):
    """
    Makes machines.
    """

    kind = NonInviteServerTransaction
    request = OPTIONS


class TryingTests(NonInviteServerCase):
    """
    The user has yet to answer (RFC 3261, 17.2.2).
    """

    def test_repetitions_are_dropped(self) -> None:
        """
        As long as there is no response, none can be repeated.
        """
        machine = self.machine()
        machine.receive(OPTIONS, 0.5)
        self.assert_waits(machine, State.Trying, 3.5)

    def test_100_in_time(self) -> None:
        """
        A 100 goes out by itself when Timer E of the client reaches T2, over any
        transport: "MUST respond [...] with a Status-Code of 100" (RFC 4320, 4.1).
        """
        for reliable in (False, True):
            machine = self.machine(reliable=reliable)
            self.assert_fires(machine, 3.5, Send(TRYING))
            self.assert_waits(machine, State.Proceeding, 32.0)

    def test_early_100(self) -> None:
        """
        Over UDP the user must not send one earlier; over TCP it may.
        """
        machine = self.machine()
        self.assertRaises(LocalProtocolError, machine.respond, TRYING, 3.4)
        self.assert_waits(machine, State.Trying, 3.5)
        machine.respond(TRYING, 3.5)
        self.assert_effects(machine, Send(TRYING))
        self.assert_waits(machine, State.Proceeding, 32.0)
        machine = self.machine(TRYING, reliable=True)
        self.assert_waits(machine, State.Proceeding, 32.0)

    def test_other_provisional_responses(self) -> None:
        """
        "MUST NOT send any provisional response with a Status-Code other than 100".
        """
        for reliable in (False, True):
            machine = self.machine(reliable=reliable)
            ringing = make_response(OPTIONS, 180)
            self.assertRaises(LocalProtocolError, machine.respond, ringing, 10.0)
            self.assert_waits(machine, State.Trying, 3.5)

    def test_408(self) -> None:
        """
        "MUST NOT send a response with Status-Code of 408" (RFC 4320, 4.2).
        """
        machine = self.machine()
        late = make_response(OPTIONS, 408)
        self.assertRaises(LocalProtocolError, machine.respond, late, 1.0)
        self.assert_waits(machine, State.Trying, 3.5)

    def test_final(self) -> None:
        """
        The final response begins Timer J.
        """
        for response in (OK, BUSY):
            machine = self.machine(response, now=1.0)
            self.assert_waits(machine, State.Completed, 33.0)

    def test_final_reliable(self) -> None:
        """
        Over TCP Timer J is zero: all is over at once.
        """
        machine = self.machine(reliable=True)
        machine.respond(OK, 1.0)
        self.assert_effects(machine, Send(OK), Terminated())
        self.assert_over(machine)

    def test_no_answer(self) -> None:
        """
        When the client has given up, no answer goes out any more; the user is told.
        """
        machine = self.machine()
        self.assert_fires(machine, 3.5, Send(TRYING))
        self.assert_fires(machine, 32.0, TimedOut(), Terminated())
        machine.respond(OK, 33.0)
        self.assert_over(machine)

    def test_transport_failure(self) -> None:
        """
        The user is told; the state stays (RFC 6026, 8.8).
        """
        machine = self.machine(OK)
        machine.transport_failed(0.1)
        self.assert_effects(machine, Failed())
        self.assert_waits(machine, State.Completed, 32.0)

    def test_request_is_kept_as_long_as_needed(self) -> None:
        """
        The request goes with the final response, but not when none came.
        """
        self.assertIs(self.machine(TRYING, now=4.0).request, OPTIONS)
        self.assertIsNone(self.machine(OK).request)
        machine = self.machine()
        machine.handle_timer(32.0)
        self.assertIs(machine.request, OPTIONS)


class ProceedingTests(NonInviteServerCase):
    """
    A 100 was sent.
    """

    def test_repeated_request(self) -> None:
        """
        A request that comes again gets the 100 again.
        """
        machine = self.machine(TRYING, now=4.0)
        machine.receive(OPTIONS, 5.0)
        self.assert_effects(machine, Send(TRYING))
        self.assert_waits(machine, State.Proceeding, 32.0)

    def test_more(self) -> None:
        """
        It may be sent again, and the final response ends the waiting.
        """
        machine = self.machine(TRYING, TRYING, BUSY, now=4.0)
        self.assert_waits(machine, State.Completed, 36.0)


class CompletedTests(NonInviteServerCase):
    """
    The final response was sent.
    """

    def test_repeated_request(self) -> None:
        """
        A request that comes again gets what was sent again, whatever the user has done
        to it since; Timer J goes on.
        """
        response = OK.copy()
        machine = self.machine(response)
        response.add("X-Later", "changed")
        machine.receive(OPTIONS, 10.0)
        self.assert_effects(machine, Send(OK))
        self.assert_waits(machine, State.Completed, 32.0)

    def test_second_final_response(self) -> None:
        """
        A user that answers again is told that it has done so already.
        """
        machine = self.machine(OK)
        for response in (TRYING, OK, BUSY):
            self.assertRaises(LocalProtocolError, machine.respond, response, 10.0)
        self.assert_waits(machine, State.Completed, 32.0)

    def test_timer_j(self) -> None:
        """
        Timer J ends it.
        """
        machine = self.machine(OK)
        self.assert_fires(machine, 32.0, Terminated())
        self.assert_over(machine)


class TerminatedTests(NonInviteServerCase):
    """
    It is over.
    """

    def test_nothing_happens(self) -> None:
        """
        Whatever comes now does nothing.
        """
        machine = self.machine(OK)
        machine.handle_timer(32.0)
        machine.take_effects()
        machine.receive(OPTIONS, 33.0)
        machine.respond(BUSY, 33.0)
        machine.transport_failed(33.0)
        self.assert_over(machine)

    def test_nothing_happens_over_tcp(self) -> None:
        """
        So over TCP, where a 100 had been sent before.
        """
        machine = self.machine(TRYING, reliable=True)
        machine.respond(OK, 1.0)
        machine.take_effects()
        machine.receive(OPTIONS, 2.0)
        self.assert_over(machine)
