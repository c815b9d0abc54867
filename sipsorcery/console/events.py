"""
Events as lines for people. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from sipsorcery.console.painting import Palette
from sipsorcery.monitor.event import Event, EventKind
from sipsorcery.monitor.neutral import for_line, for_terminal
from sipsorcery.monitor.style import Style
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CSEQ, FROM, TO
from sipsorcery.sip.parser import parse

# Words of kinds that something goes wrong in, and their colours.
_BAD = ("failed", "failure", "refused", "rejected", "banned", "bad_", "lost", "limit")
_GOOD = ("success", "answered", "added", "started")
# Names under which a detail has the account that an event is about, the best first.
_ABOUT = ("aor", "account")


def lines_of(event: Event, palette: Palette, *, shows_owner: bool) -> Iterator[str]:
    """
    Give the lines of an event: one, and those of the message of a trace.

    :param shows_owner: whether it may be anybody's, so that it has to be told whose.
    """
    clock = datetime.fromtimestamp(event.time, UTC).strftime("%H:%M:%S.%f")[:-3]
    parts = [
        palette.put(Style.DIM, clock),
        palette.put(_style(event.kind), f"{event.kind.value:<18}"),
    ]
    if shows_owner:
        parts.append(palette.put(Style.YELLOW, for_line(event.owner) or "-"))
    if about := about_of(event):
        parts.append(palette.put(Style.CYAN, for_line(about)))
    yield " ".join((*parts, _message(event)))
    if event.trace is not None:
        text = event.trace.data.decode("utf-8", "replace")
        for line in for_terminal(text).rstrip("\n").split("\n"):
            yield f"    {line}".rstrip()


def about_of(event: Event) -> str:
    """
    Give the address-of-record that an event concerns; empty: it concerns none.
    """
    for name in _ABOUT:
        if found := event.detail.get(name):
            return found
    if event.trace is not None:
        return _about_message(event.trace.data)
    return event.detail.get("from", "")


def _about_message(data: bytes) -> str:
    try:
        message = parse(data)
        cseq = message.get(CSEQ)
        # REGISTER names the address-of-record in To (RFC 3261, 10.2); in all others
        # From tells who asks.
        is_register = cseq is not None and cseq.method == "REGISTER"
        address = message.get(TO if is_register else FROM)
    except ParseError:
        return ""
    return "" if address is None else str(address.uri)


def _message(event: Event) -> str:
    if event.trace is None:
        return for_line(event.message)
    arrow = "<-" if event.trace.direction.value == "received" else "->"
    trace = event.trace
    return f"{event.server} {trace.local} {arrow} {trace.remote}"


def _style(kind: EventKind) -> Style:
    if any(word in kind.value for word in _BAD):
        return Style.RED
    if any(word in kind.value for word in _GOOD):
        return Style.GREEN
    return Style.BLUE if kind is EventKind.DIALPLAN_STEP else Style.PLAIN
