"""
What the tests of the four machines share.
"""

from __future__ import annotations

from typing import Any, ClassVar, Generic, TypeVar

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transaction.effects import Send
from sipsorcery.transaction.invite_client import InviteClientTransaction
from sipsorcery.transaction.invite_server import InviteServerTransaction
from sipsorcery.transaction.machine import Machine
from sipsorcery.transaction.non_invite_client import NonInviteClientTransaction
from sipsorcery.transaction.non_invite_server import NonInviteServerTransaction
from sipsorcery.transaction.state import State

C = TypeVar("C", InviteClientTransaction, NonInviteClientTransaction)
S = TypeVar("S", InviteServerTransaction, NonInviteServerTransaction)


class MachineCase(SynchronousTestCase):
    """
    Checks of a machine.
    """

    def assert_effects(self, machine: Machine[Any], *expected: object) -> None:
        """
        Check what the machine wants to be done, and that it wants it once.
        """
        self.assertEqual(machine.take_effects(), list(expected))
        self.assertEqual(machine.take_effects(), [])

    def assert_waits(
        self, machine: Machine[Any], state: State, due: float | None
    ) -> None:
        """
        Check the state, the time of the next timer, and that nothing is to be done.
        """
        self.assert_effects(machine)
        self.assertEqual((machine.state, machine.next_timer()), (state, due))

    def assert_fires(
        self, machine: Machine[Any], due: float, *expected: object
    ) -> None:
        """
        Check that nothing happens before a time, and this at it.
        """
        self.assertEqual(machine.next_timer(), due)
        machine.handle_timer(due - 0.001)
        self.assert_effects(machine)
        machine.handle_timer(due)
        self.assert_effects(machine, *expected)

    def assert_over(self, machine: Machine[Any]) -> None:
        """
        Check that the machine has ended and that time does nothing to it any more.
        """
        self.assert_waits(machine, State.Terminated, None)
        self.assertTrue(machine.is_terminated)
        machine.handle_timer(1e9)
        self.assert_effects(machine)


class ClientCase(MachineCase, Generic[C]):
    """
    Makes machines that send.

    :cvar kind: the class of the machines.
    :cvar request: what they send.
    """

    kind: type[C]
    request: ClassVar[Request]

    def machine(
        self, *responses: Response, reliable: bool = False, now: float = 0.0
    ) -> C:
        """
        Make a machine that has sent its request at 0 and received these responses.
        """
        machine = self.kind(self.request, reliable=reliable, now=0.0)
        self.assert_effects(machine, Send(self.request))
        for response in responses:
            machine.receive(response, now)
        machine.take_effects()
        return machine


class ServerCase(MachineCase, Generic[S]):
    """
    Makes machines that answer.

    :cvar kind: the class of the machines.
    :cvar request: what they answer.
    """

    kind: type[S]
    request: ClassVar[Request]

    def machine(
        self, *responses: Response, reliable: bool = False, now: float = 0.0
    ) -> S:
        """
        Make a machine that has its request since 0 and has given these responses.
        """
        machine = self.kind(self.request, reliable=reliable, now=0.0)
        for response in responses:
            machine.respond(response, now)
            self.assert_effects(machine, Send(response))
        return machine
