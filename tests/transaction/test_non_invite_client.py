"""
Tests for `sipsorcery.transaction.non_invite_client`.
"""

from __future__ import annotations

from sipsorcery.transaction.effects import Deliver, Failed, Send, Terminated, TimedOut
from sipsorcery.transaction.non_invite_client import NonInviteClientTransaction
from sipsorcery.transaction.state import State
from sipsorcery.transaction.timers import Timers
from tests.transaction.cases import ClientCase
from tests.transaction.messages import make_request, make_response

OPTIONS = make_request("OPTIONS")
TRYING = make_response(OPTIONS, 100)
OK = make_response(OPTIONS, 200)
BUSY = make_response(OPTIONS, 486)


class NonInviteClientCase(ClientCase[NonInviteClientTransaction]):
    """
    Makes machines.
    """

    kind = NonInviteClientTransaction
    request = OPTIONS


class TryingTests(NonInviteClientCase):
    """
    No response yet (RFC 3261, 17.1.2.2).
    """

    def test_timer_e(self) -> None:
        """
        Over UDP the request goes out again after T1, 2*T1 ... at most T2, until Timer F
        fires.
        """
        machine = self.machine()
        for due in (0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5):
            self.assert_fires(machine, due, Send(OPTIONS))
            self.assertIs(machine.state, State.Trying)
        self.assert_fires(machine, 32.0, TimedOut(), Terminated())
        self.assert_over(machine)

    def test_reliable(self) -> None:
        """
        Over TCP there is no Timer E, only Timer F.
        """
        machine = self.machine(reliable=True)
        self.assert_fires(machine, 32.0, TimedOut(), Terminated())
        self.assert_over(machine)

    def test_other_timers(self) -> None:
        """
        T1 and T2 may be others.
        """
        timers = Timers(t1=1.0, t2=1.5)
        machine = NonInviteClientTransaction(
            OPTIONS, reliable=False, now=100.0, timers=timers
        )
        machine.take_effects()
        for due in (101.0, 102.5, 104.0):
            self.assert_fires(machine, due, Send(OPTIONS))

    def test_transport_failure(self) -> None:
        """
        If the request cannot be sent the user is told and all is over.
        """
        machine = self.machine()
        machine.transport_failed(0.0)
        self.assert_effects(machine, Failed(), Terminated())
        self.assert_over(machine)

    def test_provisional(self) -> None:
        """
        A 1xx goes to the user; Timers E and F go on.
        """
        machine = self.machine()
        machine.receive(TRYING, 0.1)
        self.assert_effects(machine, Deliver(TRYING))
        self.assert_waits(machine, State.Proceeding, 0.5)

    def test_final(self) -> None:
        """
        Any final response goes to the user; Timer K begins.
        """
        for response in (OK, BUSY):
            machine = self.machine()
            machine.receive(response, 0.1)
            self.assert_effects(machine, Deliver(response))
            self.assert_waits(machine, State.Completed, 5.1)

    def test_final_reliable(self) -> None:
        """
        Over TCP Timer K is zero: all is over at once.
        """
        machine = self.machine(reliable=True)
        machine.receive(OK, 0.1)
        self.assert_effects(machine, Deliver(OK), Terminated())
        self.assert_over(machine)


class ProceedingTests(NonInviteClientCase):
    """
    A 1xx has come.
    """

    def test_timer_e(self) -> None:
        """
        When the running Timer E has fired it is T2 from then on, until Timer F.
        """
        machine = self.machine(TRYING)
        for due in (0.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5):
            self.assert_fires(machine, due, Send(OPTIONS))
            self.assertIs(machine.state, State.Proceeding)
        self.assert_fires(machine, 32.0, TimedOut(), Terminated())
        self.assert_over(machine)

    def test_more(self) -> None:
        """
        More 1xx go to the user, and so does the final response.
        """
        machine = self.machine(TRYING)
        machine.receive(TRYING, 1.0)
        machine.receive(BUSY, 2.0)
        self.assert_effects(machine, Deliver(TRYING), Deliver(BUSY))
        self.assert_waits(machine, State.Completed, 7.0)

    def test_transport_failure(self) -> None:
        """
        If the request cannot be repeated the user is told and all is over.
        """
        machine = self.machine(TRYING)
        machine.transport_failed(0.5)
        self.assert_effects(machine, Failed(), Terminated())
        self.assert_over(machine)


class CompletedTests(NonInviteClientCase):
    """
    The final response has come.
    """

    def test_repetitions_are_absorbed(self) -> None:
        """
        Nothing more goes to the user, and Timer K goes on.
        """
        machine = self.machine(OK)
        for response in (TRYING, OK, BUSY):
            machine.receive(response, 1.0)
        machine.transport_failed(1.0)
        self.assert_waits(machine, State.Completed, 5.0)

    def test_timer_k(self) -> None:
        """
        Timer K ends it.
        """
        machine = self.machine(OK)
        self.assert_fires(machine, 5.0, Terminated())
        self.assert_over(machine)


class TerminatedTests(NonInviteClientCase):
    """
    It is over.
    """

    def test_nothing_happens(self) -> None:
        """
        Whatever comes now does nothing.
        """
        machine = self.machine(OK, reliable=True)
        for response in (TRYING, OK):
            machine.receive(response, 1.0)
        machine.transport_failed(1.0)
        self.assert_over(machine)
