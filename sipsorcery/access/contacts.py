"""
Where the users are: what the registrar knows, in the form that a request needs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from sipsorcery.access.gruu import GRUUs, mark, same_instance
from sipsorcery.dialog.routing import request_uri
from sipsorcery.sip import grammar
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.bindings import BINDINGS, Binding
from sipsorcery.store.directory.account import Account
from sipsorcery.store.live.interface import LiveReader


@dataclass(frozen=True, slots=True)
class Contact:
    """
    Where somebody can be reached.

    :ivar path: what a request there has to pass, the nearest first.
    :ivar q: the preference of its owner, 0 to 1.
    :ivar alternatives: other ways to the same phone, to be tried one after the other
        when this one has failed, never beside it (:rfc:`5626#section-5.3`).
    """

    uri: SIPURI
    path: tuple[SIPURI, ...] = ()
    q: float = 1.0
    alternatives: tuple[Contact, ...] = ()


class KnownAccounts(Protocol):
    """
    Find domains and accounts, as `Accounts` does.
    """

    async def domain(self, host: str) -> str | None:
        """
        Give the canonical name of a domain that we serve; None for any other.
        """

    async def find_called(self, username: str, domain: str) -> Account | None:
        """
        Find the account that a call is for.
        """


class Contacts:
    """
    Finds the contacts of our users.

    :param gruus: None: no temporary GRUU leads anywhere.
    :param clock: gives the seconds since the epoch.
    """

    def __init__(
        self,
        accounts: KnownAccounts,
        live: LiveReader,
        gruus: GRUUs | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._accounts = accounts
        self._live = live
        self._gruus = gruus
        self._clock = clock

    async def of(self, uri: SIPURI | str) -> Sequence[Contact] | None:
        """
        Find the contacts of an address-of-record or a GRUU, the preferred ones first.

        :return: none if nobody is registered there (480); None if there is no such
            account, or it is disabled, or the temporary GRUU has been replaced (404).
        :raises ParseError: if *uri* is no SIP URI.
        :raises StoreError: if a store is away.
        """
        if isinstance(uri, str):
            uri = SIPURI.parse(uri)
        is_gruu = "gr" in uri.parameters
        if is_gruu:
            found = await self._of_gruu(uri)
        else:
            found = await self._of_aor(uri.user, uri.host)
        if found is not None and uri.scheme == "sips":
            # Nothing but TLS may carry the request to its end (RFC 3261, 26.2.2).
            found = [each for each in found if each.contact[:5].lower() == "sips:"]
        return None if found is None else [*_contacts(found, of_one_phone=is_gruu)]

    async def _of_aor(self, user: str | None, host: str) -> Sequence[Binding] | None:
        domain = await self._accounts.domain(host)
        if domain is None or user is None:
            return None
        account = await self._accounts.find_called(grammar.unescape(user), domain)
        if account is None or account.disabled:
            return None
        record = await self._live.get(BINDINGS.name, account.aor)
        if record is None:
            return ()
        return BINDINGS.read(record).current(self._clock())

    async def _of_gruu(self, uri: SIPURI) -> Sequence[Binding] | None:
        instance = uri.parameters.get("gr")
        if instance is not None:
            found = await self._of_aor(uri.user, uri.host)
            instance = grammar.unescape(instance)
        else:
            sealed = None if self._gruus is None else self._gruus.open(uri)
            if sealed is None:
                return None
            aor = SIPURI.parse(sealed.aor)
            found = await self._of_aor(aor.user, aor.host)
            marked = [
                each.instance
                for each in found or ()
                if mark(each.instance, each.call_id) == sealed.mark
            ]
            if not marked:
                return None
            instance = marked[0]
        if found is None:
            return None
        return [each for each in found if same_instance(each.instance, instance)]


def _contacts(bindings: Iterable[Binding], *, of_one_phone: bool) -> Iterator[Contact]:
    """
    Give a contact for each phone, the preferred first, of equals the newest.

    :param of_one_phone: whether all are known to be: what it has registered before it
        was started anew may still be there.
    """
    ordered = sorted(bindings, key=_preference)
    flows: dict[str, list[Contact]] = {}
    ways = []
    for binding in ordered:
        contact = _contact(binding)
        if contact is None:
            continue
        way = [contact]
        if binding.reg_id or of_one_phone:
            phone = "" if of_one_phone else binding.instance
            way = flows.setdefault(phone, [])
            way.append(contact)
        if len(way) == 1:
            ways.append(way)
    for first, *others in ways:
        yield replace(first, alternatives=tuple(others)) if others else first


def _preference(binding: Binding) -> tuple[float, float]:
    return (-1.0 if binding.q is None else -binding.q), -binding.updated


def _contact(binding: Binding) -> Contact | None:
    """
    Make a contact; None of what no SIP request can be sent to, such as ``mailto``.
    """
    try:
        uri = request_uri(SIPURI.parse(binding.target or binding.contact))
        assert isinstance(uri, SIPURI)  # as it was
        return Contact(
            uri,
            tuple(map(SIPURI.parse, binding.path)),
            1.0 if binding.q is None else binding.q,
        )
    except ParseError:
        return None
