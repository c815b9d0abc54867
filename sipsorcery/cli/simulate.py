"""
``sipsorcery simulate``: what would happen to a call.
"""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.text import Text

from sipsorcery.appserver.errors import AppServerError
from sipsorcery.appserver.plans.time_zone import find_zone
from sipsorcery.appserver.simulation.attempt import Attempt
from sipsorcery.appserver.simulation.trace import Step, Trace
from sipsorcery.appserver.simulation.world import MAX_FILE, World
from sipsorcery.cli import tables
from sipsorcery.cli.declaring import Verbs, add_verb
from sipsorcery.cli.errors import Refused
from sipsorcery.cli.session import Session, with_session
from sipsorcery.cli.stage import Stage, open_stage
from sipsorcery.store.directory.cdrs import Direction

# Columns that the time of a step takes.
_MARGIN = 9
# Characters of a value that people want to see: a page of the web has more.
_MAX_SHOWN = 300


def add_to(verbs: Verbs) -> None:
    """
    Declare the verb.
    """
    parser = add_verb(
        verbs,
        "simulate",
        with_session(act),
        "tell what would happen to a call; nothing is sent and nothing is stored",
        reads=True,
    )
    add = parser.add_argument
    add("--user", metavar="U", required=True, help="whose dialplan decides")
    add("--dialplan", metavar="NAME", required=True, help="which one")
    directions = [str(Direction.OUT), str(Direction.IN)]
    add(
        "--direction",
        choices=directions,
        default=directions[0],
        help="of a call that the user makes, or gets (default: out)",
    )
    add("--to", metavar="N", required=True, help="a number, user@host or URI")
    add("--from", metavar="N", dest="sender", default="", help="likewise who calls")
    add("--account", metavar="USER@DOMAIN", default="", help="that makes or gets it")
    add(
        "--at",
        metavar="TIME",
        help='such as 23:10, "Sat 23:10" or "2026-12-24 23:10" on the clock of the '
        "user (default: now)",
    )
    add("--world", metavar="FILE", help="what everybody does, in TOML or JSON")


async def act(session: Session, options: argparse.Namespace) -> None:
    """
    Simulate the call, and print all that the dialplan does.
    """
    try:
        world = World() if options.world is None else World.read(_read(options.world))
        if options.at is not None:
            world = msgspec.structs.replace(world, at=options.at)
        async with open_stage(session) as stage:
            attempt = await _attempt(stage, world, options)
            trace = await stage.simulate(attempt, world)
            zone = world.time_zone or await stage.backdrop.time_zone(options.user)
    except AppServerError as error:
        raise Refused(str(error)) from None
    if options.json:
        tables.show_one(trace.as_json(), as_json=True)
    else:
        _show(attempt, trace, zone)


async def _attempt(stage: Stage, world: World, options: argparse.Namespace) -> Attempt:
    direction = Direction(options.direction)
    owner, name = options.user, options.dialplan.strip()
    called = options.sender if direction is Direction.OUT else options.to
    account = await stage.account(
        owner, name, direction, options.account, called.removeprefix("sip:")
    )
    known = await stage.backdrop.plan(owner, name)
    if known is None and name not in world.plans:
        raise Refused(
            f"'{tables.printable(owner)}' has no dialplan '{tables.printable(name)}'"
        )
    return Attempt.of(account, direction, name, to=options.to, sender=options.sender)


def _read(name: str) -> str:
    try:
        if name == "-":
            return sys.stdin.read(MAX_FILE + 1)
        with Path(name).open(encoding="utf-8") as file:
            return file.read(MAX_FILE + 1)
    except UnicodeDecodeError:
        raise Refused(f"'{tables.printable(name)}' is no text in UTF-8") from None


# For people


def _show(attempt: Attempt, trace: Trace, zone: str) -> None:
    console = tables.open_console()
    clock = find_zone(zone)
    moment = datetime.fromtimestamp(trace.started, clock)
    sender, to = attempt.sender.uri, attempt.to
    _line(console, f"{sender} calls {to}", "bold")
    _line(console, f"{moment:%a %Y-%m-%d %H:%M:%S} {clock.key}", "dim")
    for step in trace.steps:
        _show_step(console, step, (attempt.account.owner, attempt.plan))
    _line(console, f"{trace.answer} after {_spell(trace.lasted)}", "bold")


def _show_step(console: Any, step: Step, usual: tuple[str, str]) -> None:
    given = (f"{name}={_value(each)}" for name, each in step.arguments.items())
    words = [_spell(step.at).ljust(_MARGIN - 1), step.call, *given]
    if (step.plan[0], step.plan[1].lower()) != (usual[0], usual[1].lower()):
        words.insert(1, f"[{step.plan[0]}: {step.plan[1] or 'no dialplan'}]")
    _line(console, " ".join(words))
    margin = " " * _MARGIN
    for target in step.targets:
        _line(console, f"{margin}to {target}", "cyan")
    for at, text in step.notes:
        _line(console, f"{margin}{_spell(at)} {text}", "dim")
    if step.result is not None:
        _line(console, f"{margin}gives {_value(step.result)}", "green")


def _line(console: Any, text: str, style: str = "") -> None:
    console.print(Text(tables.printable(text), style))


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    shown = text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."
    return f'"{shown}"' if isinstance(value, str) else shown


def _spell(seconds: float) -> str:
    return f"{seconds:g} s"
