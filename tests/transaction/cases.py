"""
What the tests of the four machines share.
"""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.transaction.machine import Machine
from sipsorcery.transaction.state import State


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
