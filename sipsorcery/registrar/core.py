"""
What becomes of the bindings of an address-of-record (:rfc:`3261#section-10.3`). Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

from sipsorcery.registrar.errors import Refused
from sipsorcery.registrar.origin import Origin
from sipsorcery.registrar.registration import Asked, Registration
from sipsorcery.registrar.rules import Rules
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import MIN_EXPIRES
from sipsorcery.sip.uri import parse_uri
from sipsorcery.store.bindings import Binding, Bindings


class Fate(StrEnum):
    """
    Name what has happened to a binding.
    """

    ADDED = "added"
    UPDATED = "updated"
    REMOVED = "removed"  # because the phone wanted it, or another took its place
    EXPIRED = "expired"


class Change(msgspec.Struct, frozen=True, gc=False):
    """
    One binding that has changed, as it is now, or as it was before it went.

    :ivar reason: why it went.
    """

    fate: Fate
    binding: Binding
    reason: str = ""


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """
    The bindings as they shall be.

    :ivar changes: none: there is nothing to store.
    :ivar own: the bindings that the request was about, and that hold.
    """

    bindings: Bindings
    changes: tuple[Change, ...] = ()
    own: tuple[Binding, ...] = ()


def register(
    asked: Registration, bindings: Bindings, rules: Rules, origin: Origin, now: float
) -> Outcome:
    """
    Decide on a REGISTER whose sender may register this address-of-record.

    :param bindings: all that are stored, those that have expired too.
    :param now: seconds since the epoch.
    :raises Refused: if the request fails, and then as a whole.
    """
    current = bindings.current(now)
    changes = _expired(bindings, current)
    if asked.removes_all:
        _check_order(asked, current)
        removed = (Change(Fate.REMOVED, each, "client") for each in current)
        return Outcome(Bindings(), (*changes, *removed))
    if not asked.contacts:
        return Outcome(Bindings(current), changes)
    _check_expiries(asked.contacts, rules)
    update = _Update(asked, current, rules, origin, now)
    for contact in asked.contacts:
        update.apply(contact)
    update.make_room()
    return Outcome(
        Bindings(tuple(update.bindings)),
        (*changes, *update.changes),
        tuple(update.own),
    )


def expire(bindings: Bindings, now: float) -> Outcome:
    """
    Let go what has expired.
    """
    current = bindings.current(now)
    return Outcome(Bindings(current), _expired(bindings, current))


def remove(bindings: Bindings, reason: str) -> Outcome:
    """
    Let all go.
    """
    removed = (Change(Fate.REMOVED, each, reason) for each in bindings)
    return Outcome(Bindings(), tuple(removed))


def close_flow(bindings: Bindings, token: str) -> Outcome:
    """
    Let go the bindings whose path holds the token of a connection that is gone.
    """
    left, changes = [], []
    for each in bindings:
        if token in each.flow_tokens:
            changes.append(Change(Fate.REMOVED, each, "connection closed"))
        else:
            left.append(each)
    return Outcome(Bindings(tuple(left)), tuple(changes))


def _expired(bindings: Bindings, current: Sequence[Binding]) -> tuple[Change, ...]:
    if current is bindings.all:
        return ()
    gone = (each for each in bindings if each not in current)
    return tuple(Change(Fate.EXPIRED, each) for each in gone)


def _check_order(asked: Registration, bindings: Iterable[Binding]) -> None:
    """
    See that a request is not older than what it is about.

    :raises Refused: with 500: "the update MUST be aborted and the request fails".
    """
    for each in bindings:
        if each.call_id == asked.call_id and each.cseq >= asked.cseq:
            raise Refused(500, "the CSeq is not above that of an earlier request")


def _check_expiries(contacts: Iterable[Asked], rules: Rules) -> None:
    """
    Refuse what is too brief for any of the contacts.

    :raises Refused: with 423.
    """
    for each in contacts:
        if each.expires is not None and 0 < each.expires < rules.min_expires:
            raise Refused(423, fields=[(MIN_EXPIRES, rules.min_expires)])


class _Update:
    """
    One request at work on the bindings.

    :ivar bindings: as they are so far, of which `own` are those of the request.
    """

    def __init__(
        self,
        asked: Registration,
        current: Sequence[Binding],
        rules: Rules,
        origin: Origin,
        now: float,
    ) -> None:
        self.bindings = list(current)
        self.changes: list[Change] = []
        self.own: list[Binding] = []
        self._asked = asked
        self._rules = rules
        self._origin = origin
        self._now = now

    def apply(self, contact: Asked) -> None:
        """
        Add, refresh or remove the binding of one contact.
        """
        place = _find(contact, self.bindings)
        old = None if place is None else self.bindings[place]
        if old in self.own:  # the request names it twice
            self.own.remove(old)
        elif old is not None:
            if self._is_repeated(old, contact):
                self.own.append(old)
                return
            _check_order(self._asked, (old,))
        if contact.expires == 0:
            if place is not None:
                self._remove(place, "client")
            return
        new = self._bind(contact, old)
        self.own.append(new)
        if place is None:
            self.bindings.append(new)
            self.changes.append(Change(Fate.ADDED, new))
        else:
            self.bindings[place] = new
            self.changes.append(Change(Fate.UPDATED, new))

    def make_room(self) -> None:
        """
        Let those go that have been silent for longest, where there are too many.

        :raises Refused: with 403, if the request alone has too many.
        """
        excess = len(self.bindings) - self._rules.max_contacts
        if excess <= 0:
            return
        others = [each for each in self.bindings if each not in self.own]
        if len(others) < excess:
            raise Refused(403, f"more than {self._rules.max_contacts} contacts")
        for each in sorted(others, key=lambda binding: binding.updated)[:excess]:
            self._remove(self.bindings.index(each), "too many contacts")

    def _is_repeated(self, old: Binding, contact: Asked) -> bool:
        """
        Tell whether this very request has made the binding: our answer got lost.
        """
        asked = self._asked
        same = old.call_id == asked.call_id and old.cseq == asked.cseq
        return same and contact.expires != 0 and old.contact == contact.text

    def _remove(self, place: int, reason: str) -> None:
        self.changes.append(Change(Fate.REMOVED, self.bindings.pop(place), reason))

    def _bind(self, contact: Asked, old: Binding | None) -> Binding:
        longest, origin, asked = self._rules.max_expires, self._origin, self._asked
        granted = longest if contact.expires is None else min(contact.expires, longest)
        return Binding(
            contact=contact.text,
            expiry=self._now + granted,
            call_id=asked.call_id,
            cseq=asked.cseq,
            path=asked.path,
            target=origin.target(contact.address.uri, asked.path),
            parameters=contact.parameters,
            q=contact.q,
            instance=contact.instance,
            reg_id=contact.reg_id,
            received=origin.received,
            received_on=origin.received_on,
            user_agent=asked.user_agent,
            updated=self._now,
            created=self._now if old is None else old.created,
            keeps_alive=not contact.reg_id
            and origin.needs_keep_alive(contact.address.uri, asked.path),
        )


def _find(contact: Asked, bindings: Sequence[Binding]) -> int | None:
    """
    Find the binding that a contact is about.

    With outbound it is that of the same flow, whatever the URI is now
    (:rfc:`5626#section-6`); else the URIs are compared (:rfc:`3261#section-19.1.4`).
    """
    if contact.reg_id:
        for place, each in enumerate(bindings):
            if each.reg_id == contact.reg_id and each.instance == contact.instance:
                return place
    for place, each in enumerate(bindings):
        if contact.reg_id and each.reg_id:
            continue  # another flow, which may have the same URI
        if each.contact == contact.text or _is_equivalent(contact, each.contact):
            return place
    return None


def _is_equivalent(contact: Asked, text: str) -> bool:
    try:
        return contact.address.uri.is_equivalent(parse_uri(text))
    except ParseError:
        # Written by a version that read more than this one does.
        return False
