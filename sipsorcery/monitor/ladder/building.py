"""
The ladder of a call, from its events.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.event import Direction, Event, EventKind, Trace
from sipsorcery.monitor.ladder.columns import Columns
from sipsorcery.monitor.ladder.ladder import Arrow, Gap, Ladder, Note, Row, Tone, safe
from sipsorcery.monitor.ladder.outcome import Outcome
from sipsorcery.monitor.ladder.reading import Reading, read

# Events that are drawn, from the beginning of a call and from its end, where the
# reasons are found: some ten screens. A call that is held and refreshed all day has
# thousands in between.
_FIRST, _LAST = 300, 200
# What retells messages: said where those are missing, as when nobody traced them.
_RETELLING = frozenset(
    {
        EventKind.CALL_PROGRESS,
        EventKind.CALL_ANSWERED,
        EventKind.CALL_UPDATED,
        EventKind.LEG_STARTED,
        EventKind.LEG_PROGRESS,
        EventKind.LEG_ANSWERED,
    }
)
# What servers tell each other, and what the title says.
_UNTOLD = frozenset({EventKind.OWNER_KNOWN, EventKind.CALL_STARTED})
_INSIDE = frozenset({EventKind.DISPATCHED, EventKind.DNS_LOOKUP})
_TROUBLE = frozenset(
    {
        EventKind.STORE_UNAVAILABLE,
        EventKind.OVERLOAD,
        EventKind.BAD_MESSAGE,
        EventKind.DNS_FAILED,
        EventKind.AUTH_FAILED,
        EventKind.REJECTED,
        EventKind.BANNED,
        EventKind.CALL_REFUSED,
        EventKind.LEG_FAILED,
        EventKind.LIMIT_REACHED,
        EventKind.SCRIPT_FAILED,
    }
)


def ladder_of(events: Iterable[Event], *, inside: bool = False) -> Ladder:
    """
    Make the ladder of a call.

    :param events: those of the call and no other, in any order.
    :param inside: whether to show what goes between servers of ours, too.
    """
    everything = sorted(events, key=lambda event: event.time)
    traced = {each.call_id for each in everything if each.trace is not None}
    shown = [each for each in everything if _is_shown(each, traced, inside=inside)]
    left_out = max(0, len(shown) - _FIRST - _LAST)
    first, last = shown[:_FIRST], shown[_FIRST + left_out :]
    building = _Building(inside=inside)
    for event in everything:
        building.outcome.heard(event)
    building.draw(first)
    if left_out:
        building.rows.append(Gap(left_out))
    building.draw(last)
    folded = sum("role" in each.detail for each in everything if each.trace)
    return building.finish(0 if inside else folded)


def _is_shown(event: Event, traced: set[str], *, inside: bool) -> bool:
    if event.trace is not None:
        return inside or "role" not in event.detail
    if event.kind in _UNTOLD or (event.kind in _INSIDE and not inside):
        return False
    return not (event.kind in _RETELLING and event.call_id in traced)


class _Building:
    """
    A ladder that grows.
    """

    def __init__(self, *, inside: bool) -> None:
        self.outcome = Outcome()
        self.rows: list[Row] = []
        self._columns = Columns(inside=inside)
        self._legs: dict[str, int] = {}
        # Where each message stands, by all that makes it the same.
        self._places: dict[tuple[bytes, Direction, Endpoint], int] = {}

    def draw(self, events: list[Event]) -> None:
        """
        Put a row for each event below the others, if it tells anything new.
        """
        messages = [
            (event, None if event.trace is None else read(event.trace))
            for event in events
        ]
        # Final answers that came: who failed by one of these is seen to have failed.
        answers = {
            (event.call_id, str(reading.status))
            for event, reading in messages
            if reading is not None
        }
        for event, reading in messages:
            if event.trace is not None and reading is not None:
                self._message(event, event.trace, reading)
            elif not (
                event.kind is EventKind.LEG_FAILED
                and (event.call_id, event.detail.get("status", "")) in answers
            ):
                self._note(event)

    def finish(self, folded: int) -> Ladder:
        """
        Give the ladder.
        """
        participants = self._columns.participants()
        return Ladder(
            title=self.outcome.title(),
            outcome=self.outcome.text(participants),
            participants=participants,
            rows=tuple(self.rows),
            legs=tuple(map(safe, self._legs)),
            folded=folded,
        )

    # Inside

    def _message(self, event: Event, trace: Trace, reading: Reading) -> None:
        source, target = self._columns.ends(event, trace, reading)
        leg = self._legs.setdefault(event.call_id, len(self._legs))
        self.outcome.passed(reading, event.time, leg, source)
        same = (reading.key, trace.direction, trace.remote)
        place = self._places.get(same)
        if place is not None:
            arrow = self.rows[place]
            assert isinstance(arrow, Arrow)
            self.rows[place] = replace(arrow, times=(*arrow.times, event.time))
            return
        self._places[same] = len(self.rows)
        self.rows.append(
            Arrow(
                times=(event.time,),
                source=source,
                target=target,
                label=reading.label,
                tone=reading.tone,
                remarks=reading.remarks,
                leg=leg,
                details=reading.details,
            )
        )

    def _note(self, event: Event) -> None:
        text = event.message or str(event.kind)
        if event.kind is EventKind.DIALPLAN_STEP and event.detail.get("plan"):
            text = f"{event.detail['plan']}: {text}"
        elif event.kind is EventKind.CALL_ENDED:
            text = f"the call is over: {text}"
        self.rows.append(
            Note(
                time=event.time,
                column=self._columns.server(event.server),
                text=safe(text),
                tone=Tone.TROUBLE if event.kind in _TROUBLE else Tone.STEP,
            )
        )
