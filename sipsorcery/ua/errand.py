"""
What is to be sent, as often as that takes: with other credentials, to other targets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.address import Address
from sipsorcery.sip.digest import Attempt, Authorization
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import (
    AUTHENTICATION_INFO,
    CONTACT,
    PROXY_AUTHENTICATE,
    PROXY_AUTHENTICATION_INFO,
    WWW_AUTHENTICATE,
)
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import URI
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.target import Target
from sipsorcery.transport.transactions.client import Way
from sipsorcery.ua.account import Account
from sipsorcery.ua.core import Core

#: Makes a request without Via; each time the CSeq is one higher.
Make: TypeAlias = Callable[[Sequence[Authorization]], Request]

_CHALLENGES = (401, 407)


class Errand:
    """
    One request through all its attempts.

    :param uri: its Request-URI, which a proof is made for.
    :param hop: where it goes first: the topmost Route, or else the Request-URI.
    :param make: makes the request.
    :param account: answers challenges; None: they are refusals.
    :param needs_contact: whether to give it a Contact, which depends on the way.
    :param contact: the Contact instead, whatever the way.
    :param flow: a connection that leads to the same peer: the last way to try.
    :param hear: is given each final response, also those that are not the last one.
    :param going: is given each request as it goes, and whether that is by TLS.

    :ivar way: the address that it was sent to last.
    :ivar contact: the Contact that it was given there.
    """

    def __init__(
        self,
        method: str,
        uri: URI,
        hop: URI,
        make: Make,
        *,
        body: bytes = b"",
        account: Account | None = None,
        needs_contact: bool = False,
        contact: Address | None = None,
        flow: Flow | None = None,
        hear: Callable[[Response], object] | None = None,
        going: Callable[[Request, bool], object] | None = None,
    ) -> None:
        self._account = account
        self._hop = hop
        self._make = make
        self._needs_contact = needs_contact
        self._flow = flow if flow is not None and flow.number else None
        self._hear = hear
        self._going = going
        self._given_contact = contact
        self.contact: Address | None = None
        self.way: Endpoint | None = None
        self._proof: Attempt | None = None
        if account is not None:
            self._proof = account.digest.attempt(method, str(uri), body)

    def make(self) -> Request:
        """
        Make the request for its next attempt, with the credentials that we have.
        """
        return self._make(() if self._proof is None else self._proof.authorize())

    def is_wanted_again(self, response: Response) -> bool:
        """
        Tell whether a final response asks for credentials that we can add.

        What any other says for the next request is noted.
        """
        if self._hear is not None:
            self._hear(response)
        if self._proof is None:
            return False
        try:
            if response.status in _CHALLENGES:
                return self._proof.challenged(
                    response.all(WWW_AUTHENTICATE), response.all(PROXY_AUTHENTICATE)
                )
            for field, proxy in _INFORMATION:
                info = response.get(field)
                if info is not None:
                    self._proof.verify(info, response.body, proxy=proxy)
        except ParseError:
            pass
        return False

    async def ways(self, core: Core, request: Request) -> Sequence[Way]:
        """
        Find where to send the request, in the order to try it in.

        :raises TransportError: if there is no way.
        """
        last = [self._flow] if self._flow is not None and self._flow.is_open else []
        try:
            return [*await core.ways(self._hop, request), *last]
        except TransportError:
            if not last:
                raise
            return last

    def on(self, core: Core, request: Request, way: Way) -> Request:
        """
        Give the request as it goes that way.
        """
        self.way = way.endpoint if isinstance(way, Target) else way.remote
        if self._needs_contact:
            contact = self._given_contact
            if contact is None:
                user = None if self._account is None else self._account.user
                secure = request.request_uri.startswith("sips:")
                contact = core.contact(way, user, secure=secure)
            self.contact = contact
            request = request.copy()
            request.set(CONTACT, contact)
        if self._going is not None:
            self._going(request, self.way.transport.is_secure)
        return request


_INFORMATION = (
    (AUTHENTICATION_INFO, False),
    (PROXY_AUTHENTICATION_INFO, True),
)
