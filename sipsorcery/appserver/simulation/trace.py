"""
What has happened in a simulation. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sipsorcery.appserver.plans.engine import Value


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What the caller is told in the end.
    """

    status: int
    reason: str

    def __str__(self) -> str:
        return f"{self.status} {self.reason}"


@dataclass(slots=True)
class Step:
    """
    One call of a dialplan to its host.

    :ivar call: such as ``dial``.
    :ivar result: what it came to. That of a dial that was answered, which ends the
        dialplan, has the outcome ``answered``; that of a dial that was given up has
        ``cancelled``.
    :ivar targets: whom a dial leads to, in the order of the dial string.
    :ivar plan: owner and name of the dialplan; that of a callee may run within.
    :ivar at: seconds since the call was made.
    :ivar ended: likewise.
    :ivar notes: what has happened meanwhile, and when.
    """

    call: str
    arguments: Mapping[str, Value]
    result: Value = None
    targets: tuple[str, ...] = ()
    plan: tuple[str, str] = ("", "")
    at: float = 0.0
    ended: float = 0.0
    notes: list[tuple[float, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Email:
    """
    An e-mail that would have been sent.
    """

    to: str
    subject: str
    body: str


@dataclass(slots=True)
class Trace:
    """
    All that has happened to a call.

    :ivar started: when the call was made, in seconds since the epoch.
    :ivar lasted: seconds until the final answer.
    :ivar values: what the dialplans of the owner keep after it.
    """

    answer: Answer = Answer(480, "")
    steps: list[Step] = field(default_factory=list)
    emails: list[Email] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    started: float = 0.0
    lasted: float = 0.0

    @property
    def dialled(self) -> list[str]:
        """
        Everybody whom the dials have led to, in order.
        """
        return [target for step in self.steps for target in step.targets]

    @property
    def said(self) -> list[str]:
        """
        What the dialplan has written to its log.
        """
        return [str(step.arguments["text"]) for step in self.calls("log")]

    def calls(self, name: str) -> list[Step]:
        """
        Give the steps of one kind, such as ``dial``.
        """
        return [step for step in self.steps if step.call == name]

    def as_json(self) -> dict[str, Any]:
        """
        Give what ``sipsorcery simulate --json`` prints.
        """
        return {
            "steps": [
                {
                    "call": step.call,
                    "arguments": dict(step.arguments),
                    "result": step.result,
                    "targets": list(step.targets),
                }
                for step in self.steps
            ],
            "answer": {"status": self.answer.status, "reason": self.answer.reason},
        }
