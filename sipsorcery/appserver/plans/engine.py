"""
What every engine of dialplans offers: a run that asks for one thing at a time. Pure.

An engine is started with a script and a request. It gives a step: a call to the host,
which the host carries out and answers by resuming the run, or the end. Names, arguments
and values are texts, numbers, truth values, None, and lists and mappings of them, so
that a dialplan may be in any language and a run may wait in any process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

from sipsorcery.appserver.dial.template import Caller

#: What passes between an engine and its host.
Value: TypeAlias = (
    bool | int | float | str | Sequence["Value"] | Mapping[str, "Value"] | None
)


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """
    The request that a dialplan decides about.

    :ivar caller: what variables give of it.
    :ivar direction: ``out`` where the owner of the dialplan calls, ``in`` where they
        are called.
    :ivar owner: the user whose dialplan it is.
    :ivar account: the address-of-record that calls or is called, ``user@domain``.
    :ivar plan: the name of the dialplan.
    :ivar uri: the Request-URI.
    :ivar fields: name and value of each header field, as they came.
    :ivar received: the address that it really came from; "": unknown.
    :ivar time_zone: of the owner, by its name in the IANA database.
    :ivar redirect_uri: where a leg has been redirected, which is why the dialplan runs
        again; "": it runs for the first time.
    """

    method: str = "INVITE"
    caller: Caller = Caller()  # noqa: RUF009 - frozen
    direction: str = "out"
    owner: str = ""
    account: str = ""
    plan: str = ""
    uri: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    received: str = ""
    time_zone: str = "UTC"
    redirect_uri: str = ""


@dataclass(frozen=True, slots=True)
class HostError:
    """
    What a host call comes to that cannot be done: an error for the dialplan.

    :ivar text: what is wrong, for the owner of the dialplan.
    """

    text: str


@dataclass(frozen=True, slots=True)
class HostCall:
    """
    Something that the host shall do: ``dial``, ``respond``.

    The value to resume with, of ``dial``, is a mapping with the ``status`` and the
    ``reason`` of the best response; a run whose call was answered is not resumed. Of
    ``respond`` it is None.

    :ivar lines: what the run has logged before, for its owner.
    """

    name: str
    arguments: Mapping[str, Value] = field(default_factory=dict)
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class End:
    """
    The end of a run, and the final response if there has been none.

    :ivar lines: what the run has logged before, for its owner.
    """

    status: int
    reason: str = ""
    lines: tuple[str, ...] = ()


Step: TypeAlias = HostCall | End


class Run(Protocol):
    """
    One run of a dialplan.
    """

    async def resume(self, value: Value | HostError) -> Step:
        """
        Go on with what the host call has come to.

        It may take a moment where another process does the work; a run that is dropped
        while it waits needs no word of farewell.
        """


@runtime_checkable
class LastingRun(Run, Protocol):
    """
    One that another process can go on with, while it waits for what a dial comes to.
    """

    def dump(self) -> bytes | None:
        """
        Give all that it is made of; None if it does not wait.
        """


class Engine(Protocol):
    """
    Runs dialplans of one language.
    """

    async def start(self, script: str, request: PlanRequest) -> tuple[Run, Step]:
        """
        Start a run.

        :raises AppServerError: if the script is none.
        """


@runtime_checkable
class LastingEngine(Engine, Protocol):
    """
    One whose runs are `LastingRun`.
    """

    def restore(self, dumped: bytes, request: PlanRequest) -> Run:
        """
        Go on with a run that waits.

        :param dumped: what `LastingRun.dump` has given. It is ours, whoever has kept
            it: it has to be proved before it comes here.
        :param request: as it was given to `start`.
        :raises SnapshotError: if it is of another version of the engine.
        """
