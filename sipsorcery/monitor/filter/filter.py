r"""
Filters: which events somebody wants, and which they may see at all. Pure.

::

    filter := term *( "or" term )
    term   := factor *( "and" factor )
    factor := "not" factor / "(" filter ")" / key value
"""

from __future__ import annotations

from dataclasses import dataclass

from sipsorcery.monitor.catalogue import ORDINARY
from sipsorcery.monitor.errors import FilterError
from sipsorcery.monitor.event import Event, EventKind
from sipsorcery.monitor.filter.keywords import CHOOSING, KEYWORDS, unknown_keyword
from sipsorcery.monitor.filter.terms import All, Any, Kinds, Not, Term
from sipsorcery.monitor.filter.tokens import Token, Tokens

# Parentheses in one another; people write two or three, and the stack of Python has
# room for hundreds.
_MAX_DEPTH = 20


@dataclass(frozen=True, slots=True)
class Viewer:
    """
    Who looks.

    :ivar is_admin: whether they see what is others', and what is nobody's.
    """

    user: str
    is_admin: bool = False

    def may_see(self, event: Event) -> bool:
        """
        Tell whether an event is theirs.
        """
        if event.kind is EventKind.OWNER_KNOWN:
            return False  # servers tell it one another
        return self.is_admin or (event.owner == self.user and self.user != "")


@dataclass(frozen=True, slots=True)
class Filter:
    """
    What somebody wants to see of what they may see.

    :ivar text: as it was written.
    """

    text: str
    viewer: Viewer
    _term: Term

    @classmethod
    def parse(cls, text: str, viewer: Viewer, *, now: float) -> Filter:
        """
        Read a filter.

        :param now: seconds since the epoch, from which ``since 10m`` counts.
        :raises FilterError: with the position of the fault.
        """
        reading = _Reading(text, viewer, now)
        return cls(text, viewer, reading.filter())

    def matches(self, event: Event) -> bool:
        """
        Tell whether the viewer may see an event and wants to.

        Whose it is comes first and apart: no term can widen it.
        """
        return self.viewer.may_see(event) and self._term.matches(event)


class _Reading:
    def __init__(self, text: str, viewer: Viewer, now: float) -> None:
        self._tokens = Tokens(text)
        self._viewer = viewer
        self._now = now
        self._depth = 0  # parentheses that are open
        self._nested = 0  # these and each "not"
        self._chooses = False

    def filter(self) -> Term:
        """
        Read all of it.
        """
        if self._tokens.is_at_end:
            return Kinds(ORDINARY)
        term = self._or()
        if not self._tokens.is_at_end:
            raise FilterError("'and' or 'or' is expected", self._tokens.position)
        return term if self._chooses else All((Kinds(ORDINARY), term))

    def _or(self) -> Term:
        terms = [self._and()]
        while self._tokens.take("or"):
            terms.append(self._and())
        return terms[0] if len(terms) == 1 else Any(tuple(terms))

    def _and(self) -> Term:
        keys: set[str] = set()
        terms = [self._factor(keys)]
        while self._tokens.take("and"):
            terms.append(self._factor(keys))
        return terms[0] if len(terms) == 1 else All(tuple(terms))

    def _factor(self, keys: set[str]) -> Term:
        position = self._tokens.position
        if self._tokens.take("not"):
            self._go_down(position)
            # "not event dialplan" is not meant to show traces.
            chooses = self._chooses
            term: Term = Not(self._factor(set()))
            self._chooses = chooses
            self._nested -= 1
            return term
        if not self._tokens.take("("):
            return self._item(keys)
        self._go_down(position)
        self._depth += 1
        term = self._or()
        if not self._tokens.take(")"):
            raise FilterError("')' is expected", self._tokens.position)
        self._depth -= 1
        self._nested -= 1
        return term

    def _go_down(self, position: int) -> None:
        self._nested += 1
        if self._nested > _MAX_DEPTH:
            raise FilterError(f"more than {_MAX_DEPTH} levels", position)

    def _item(self, keys: set[str]) -> Term:
        token = self._tokens.key()
        key = token.text.lower()
        read = KEYWORDS.get(key)
        if read is None:
            raise FilterError(unknown_keyword(token.text), token.position)
        if key in keys:
            raise FilterError(
                f"{key!r} stands twice; join the two with 'or'", token.position
            )
        keys.add(key)
        value = self._tokens.value(self._depth)
        if key == "user":
            self._check_user(value)
        self._chooses = self._chooses or key in CHOOSING
        try:
            return read(value.text, self._now)
        except ValueError as error:
            raise FilterError(str(error), value.position) from None

    def _check_user(self, value: Token) -> None:
        # The original put one's own name there in silence, which looks like a fault.
        if self._viewer.is_admin or value.text == "*":
            return
        if value.text.lower() != self._viewer.user.lower():
            raise FilterError("you see events of your own only", value.position)
