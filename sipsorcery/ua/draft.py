"""
Requests of ours outside of any dialog (:rfc:`3261#section-8.1.1`).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from sipsorcery.dialog.dialog import HOPS
from sipsorcery.dialog.refusal import FieldValue
from sipsorcery.sip import grammar
from sipsorcery.sip.address import Address
from sipsorcery.sip.cseq import CSeq
from sipsorcery.sip.fields import (
    CALL_ID,
    CSEQ,
    FROM,
    MAX_FORWARDS,
    ROUTE,
    TO,
    USER_AGENT,
)
from sipsorcery.sip.request import Request
from sipsorcery.sip.uri import SIPURI, URI
from sipsorcery.ua.account import Account

_TAG_SIZE = 8  # bytes; 19.3 asks for 32 bits of randomness at least
_CALL_ID_SIZE = 16  # bytes: nobody ever makes the same one again

# What the headers of a URI may put into a request (19.1.5): nothing that says who we
# are, or where it goes.
_FROM_URI = frozenset({"replaces", "join", "subject", "priority", "in-reply-to"})


def new_tag() -> str:
    """
    Make a tag that nobody guesses.
    """
    return secrets.token_hex(_TAG_SIZE)


class Draft:
    """
    A request in the making, with what stays the same when it is sent again.

    :param uri: the Request-URI; its headers become fields, where that does no harm.
    :param account: who sends it.
    :param to: None: *uri* without what a To may not hold.
    :param product: for the User-Agent.
    :param hops: for the Max-Forwards.
    """

    def __init__(
        self,
        method: str,
        uri: URI,
        account: Account,
        *,
        to: Address | None = None,
        fields: Iterable[FieldValue] = (),
        body: bytes = b"",
        product: str = "",
        hops: int = HOPS,
    ) -> None:
        self.method = method
        self.account = account
        self.call_id = secrets.token_hex(_CALL_ID_SIZE)
        self.cseq = 0
        self.fields = [*_fields_of(uri), *fields]
        self.body = body
        self.uri = _request_uri(uri)
        self.local_tag = new_tag()
        self._local = account.address.with_tag(self.local_tag)
        self._remote = to or Address(_bare(self.uri))
        self._product = product
        self._hops = hops

    @property
    def hop(self) -> URI:
        """
        Where it goes: to the proxy of the account, or else where its URI says.
        """
        return self.account.proxy or self.uri

    def redirect(self, uri: URI) -> None:
        """
        Send it elsewhere from now on; the To stays (:rfc:`3261#section-8.1.3.4`).
        """
        self.uri = _request_uri(uri)

    def make(
        self, more: Iterable[FieldValue] = (), body: bytes | None = None
    ) -> Request:
        """
        Make the next request, without Via and Contact; its CSeq is one higher.

        :param more: fields of this request only, such as credentials.
        :param body: of this request only; None: the one that all have.
        """
        self.cseq += 1
        every: list[FieldValue] = []
        if self.account.proxy is not None:
            every.append((ROUTE, Address(self.account.proxy)))
        every += (
            (MAX_FORWARDS, self._hops),
            (FROM, self._local),
            (TO, self._remote),
            (CALL_ID, self.call_id),
            (CSEQ, CSeq(self.cseq, self.method)),
        )
        if self._product and not any(_is_product(each) for each in self.fields):
            every.append((USER_AGENT, self._product))
        every += self.fields
        every += more
        return Request(
            self.method, self.uri, every, self.body if body is None else body
        )


def _is_product(field: FieldValue) -> bool:
    name = field[0]
    return name is USER_AGENT or str(name).lower() == USER_AGENT.key


def _request_uri(uri: URI) -> URI:
    if not isinstance(uri, SIPURI):
        return uri
    return uri._replace(parameters=uri.parameters.remove("method"), headers=())


def _bare(uri: URI) -> URI:
    """
    Take away what a To may not hold (:rfc:`3261#section-19.1.1`, Table 1).
    """
    if not isinstance(uri, SIPURI):
        return uri
    parameters = uri.parameters.remove("maddr", "ttl", "transport", "lr", "method")
    return uri._replace(port=None, parameters=parameters, headers=())


def _fields_of(uri: URI) -> list[FieldValue]:
    if not isinstance(uri, SIPURI):
        return []
    return [
        (name, grammar.unescape(value))
        for name, value in uri.headers
        if name.lower() in _FROM_URI
    ]
