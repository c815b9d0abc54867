"""
One turn of a dialplan: from its start, or from an answer, to the next host call.

A turn blocks, so it runs in a thread; the interpreter itself is in a worker process.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic_monty import (
    FunctionSnapshot,
    FutureSnapshot,
    Monty,
    MontyComplete,
    MontyCrashedError,
    MontyError,
    MontyRuntimeError,
    MontySession,
    NameLookupSnapshot,
    OSPolicy,
    ResourceLimits,
)

from sipsorcery.appserver.plans.engine import HostCall, HostError, PlanRequest, Value
from sipsorcery.appserver.plans.time_zone import find_zone
from sipsorcery.appserver.python import values
from sipsorcery.appserver.python.clock import tell_time
from sipsorcery.appserver.python.declarations import DECLARED, Function

# What a turn may log: more is no help to its owner.
_MAX_LINES = 100
_MAX_LINE = 1000
# Ways to say that a dialplan is through.
_EXITS = frozenset({"exit", "quit"})


@dataclass(frozen=True, slots=True)
class Facts:
    """
    What ``sys`` tells of the run so far.
    """

    is_redirect: bool = False
    redirect_uri: str | None = None
    last_failure_status: int = 0
    last_failure_reason: str = ""


@dataclass(frozen=True, slots=True)
class Begin:
    """
    Start a dialplan.
    """

    script: str


@dataclass(frozen=True, slots=True)
class Proceed:
    """
    Go on with a dialplan that waits for an answer.
    """

    snapshot: bytes
    gives: str
    answer: Value | HostError


@dataclass(frozen=True, slots=True)
class Waiting:
    """
    The dialplan waits for its host.

    :ivar gives: what the answer is made into.
    """

    call: HostCall
    snapshot: bytes
    gives: str


@dataclass(frozen=True, slots=True)
class Through:
    """
    The dialplan has come to its end.

    :ivar error: what has stopped it; "": nothing.
    """

    error: str = ""
    lines: tuple[str, ...] = ()


@dataclass(slots=True)
class _Log:
    lines: list[str] = field(default_factory=list)
    rest: str = ""

    def write(self, _: str, text: str) -> None:
        *whole, self.rest = (self.rest + text).split("\n")
        self.rest = self.rest[:_MAX_LINE]
        for line in whole:
            self.add(line)

    def add(self, line: str) -> None:
        if len(self.lines) < _MAX_LINES:
            self.lines.append(line[:_MAX_LINE])

    def take(self) -> tuple[str, ...]:
        if self.rest:
            self.add(self.rest)
            self.rest = ""
        return tuple(self.lines)


def take_turn(
    pool: Monty,
    limits: ResourceLimits,
    request: PlanRequest,
    facts: Facts,
    task: Begin | Proceed,
    now: float | None = None,
) -> Waiting | Through:
    """
    Let a dialplan go on until it calls its host, or ends.

    :param now: where its clock stands, in seconds since the epoch; None: it has the
        one of the system.
    """
    log = _Log()
    policy: OSPolicy = {"sleep": "zero", "timezone": find_zone(request.time_zone).key}
    if now is not None:
        policy["datetime"] = "call_host"
    try:
        with pool.checkout(limits=limits, os_policy=policy) as session:
            return _drive(session, request, facts, task, log, now)
    except MontyCrashedError:
        return Through("the dialplan has broken its worker", log.take())
    except MontyRuntimeError as error:
        return _stopped(error, log)
    except MontyError as error:
        return Through(_sentence(error), log.take())


def _drive(
    session: MontySession,
    request: PlanRequest,
    facts: Facts,
    task: Begin | Proceed,
    log: _Log,
    now: float | None,
) -> Waiting | Through:
    if isinstance(task, Begin):
        at: Any = session.feed_start(
            task.script, inputs=values.make_inputs(request), print_callback=log.write
        )
    else:
        at = session.load_snapshot(task.snapshot, print_callback=log.write)
        at = at.resume(_answer(task))
    while True:
        match at:
            case MontyComplete():
                return Through(lines=log.take())
            case NameLookupSnapshot():
                at = _look_up(at, facts)
            case FutureSnapshot():
                return Through("the dialplan waits for nothing", log.take())
            case FunctionSnapshot() if at.is_os_function:
                at = _ask_system(at, request, now)
            case FunctionSnapshot() if at.object_id is None:
                if at.function_name in _EXITS:
                    return Through(lines=log.take())
                at = at.resume(_unknown(at.function_name))
            case FunctionSnapshot():
                called = _called(at, request, log)
                if isinstance(called, Waiting):
                    return called
                at = at.resume(called)


def _ask_system(at: FunctionSnapshot, request: PlanRequest, now: float | None) -> Any:
    """
    Answer what a dialplan asks the system: the time, where it is a time of ours.
    """
    if now is not None:
        told = tell_time(str(at.function_name), at.args, request.time_zone, now)
        if told is not None:
            return at.resume({"return_value": told})
    return at.resume_not_handled()


def _called(at: FunctionSnapshot, request: PlanRequest, log: _Log) -> Any:
    """
    See to a call of a method: answer it here, or leave it to the host.
    """
    owner = values.HOSTS.get(at.object_id) if at.object_id is not None else None
    functions = DECLARED[owner].functions if owner is not None else {}
    function = functions.get(str(at.function_name))
    if function is None:
        return _unknown(at.function_name, "AttributeError")
    try:
        named = {
            name: values.to_value(each)
            for name, each in function.bind(at.args, at.kwargs).items()
        }
    except (TypeError, ValueError) as error:
        return {"exc_type": type(error).__name__, "message": str(error)}
    if owner == "Request":
        return {"return_value": values.field(request, str(named["name"]))}
    if function.name == "log":
        log.add(str(named["text"]))
        return {"return_value": None}
    return _wait(at, function, named, log)


def _wait(
    at: FunctionSnapshot, function: Function, named: dict[str, Value], log: _Log
) -> Waiting:
    call = HostCall(function.name, named, log.take())
    return Waiting(call, at.dump(), function.gives)


def _answer(task: Proceed) -> Any:
    if isinstance(task.answer, HostError):
        return {"exc_type": "RuntimeError", "message": task.answer.text}
    return {"return_value": values.to_object(task.answer, task.gives)}


def _look_up(at: NameLookupSnapshot, facts: Facts) -> Any:
    host = None if at.object_id is None else values.HOSTS.get(at.object_id)
    if host == "Sys" and at.variable_name in Facts.__slots__:
        return at.resume(value=getattr(facts, at.variable_name))
    return at.resume()  # which is a NameError, or an AttributeError


def _unknown(name: object, kind: str = "NameError") -> Any:
    return {"exc_type": kind, "message": f"name '{name}' is not defined"}


def _stopped(error: MontyRuntimeError, log: _Log) -> Through:
    """
    Say what has stopped a dialplan; to raise SystemExit is no fault.
    """
    if isinstance(error.exception(), SystemExit):
        return Through(lines=log.take())
    return Through(_sentence(error), log.take())


def _sentence(error: MontyError) -> str:
    """
    Say in a sentence what is wrong, and in which line.
    """
    text = " ".join(str(error).split())[:_MAX_LINE]
    traceback = error.traceback() if isinstance(error, MontyRuntimeError) else []
    return f"line {traceback[-1].line}: {text}" if traceback else text
