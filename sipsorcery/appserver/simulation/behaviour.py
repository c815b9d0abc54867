"""
What somebody does who is called: ``busy after 3 s``, ``redirect to sip:102@x``. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sipsorcery.appserver.simulation.errors import WorldError
from sipsorcery.sip.errors import ParseError, excerpt
from sipsorcery.sip.status import reason_phrase
from sipsorcery.sip.uri import SIPURI

# Seconds that somebody takes: no dial rings for longer than three minutes, no call is
# simulated for longer than five.
_MAX_SECONDS = 3600
_SHAPE = re.compile(
    r"(?P<what>.*?)"
    r"(?: (?:after|at) (?P<seconds>[0-9]{1,4}(?:\.[0-9]{1,3})?) ?s(?:econds?)?)?"
)
_STATUS = re.compile(r"([2-6][0-9][0-9])(?: (.+))?")
_REDIRECT = re.compile(r"redirects? to (.+)")

_FOR_EVER = frozenset({"ring", "rings", "ring for ever", "rings for ever"})
_SILENT = frozenset({"silent", "silence", "no response"})
_WORDS = {
    "answer": 200,
    "answers": 200,
    "busy": 486,
    "decline": 603,
    "declines": 603,
    "not found": 404,
    "unavailable": 480,
    "unreachable": 503,
}


@dataclass(frozen=True, slots=True)
class Behaviour:
    """
    What somebody does who is called.

    :ivar status: of the final response; 0: there is none.
    :ivar after: seconds until it comes.
    :ivar contact: where a redirection leads.
    :ivar rings: whether a 180 comes first.
    """

    status: int = 0
    reason: str = ""
    after: float = 0.0
    contact: SIPURI | None = None
    rings: bool = True

    @classmethod
    def parse(cls, text: str) -> Behaviour:
        """
        Read a behaviour.

        :raises WorldError: if nobody behaves so.
        """
        shape = _SHAPE.fullmatch(" ".join(text.split()))
        assert shape is not None  # anything fits, at worst as a whole
        what, after = shape["what"], float(shape["seconds"] or 0)
        if after > _MAX_SECONDS:
            raise WorldError(f"{excerpt(text)} takes more than {_MAX_SECONDS} seconds")
        if what in _FOR_EVER and not shape["seconds"]:
            return cls()
        if what in _SILENT and not shape["seconds"]:
            return cls(rings=False)
        if status := _WORDS.get(what):
            return cls(status, reason_phrase(status), after, rings=after > 0)
        if match := _STATUS.fullmatch(what):
            status = int(match[1])
            reason = match[2] or reason_phrase(status)
            if not 300 <= status < 400:
                return cls(status, reason, after, rings=after > 0)
        if match := _REDIRECT.fullmatch(what):
            return cls(302, reason_phrase(302), after, _contact(match[1]), after > 0)
        raise WorldError(
            f"{excerpt(text)} is none of: answer, busy, decline, not found, "
            "unavailable, unreachable, 404 Gone, redirect to sip:x@y, each with or "
            "without 'after 3 s'; ring for ever; no response"
        )


def _contact(text: str) -> SIPURI:
    try:
        return SIPURI.parse(text)
    except ParseError as error:
        raise WorldError(
            f"there is no redirecting to {excerpt(text)}: {error.text}"
        ) from None
