"""
Doubles of the world outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IResolver
from twisted.names import dns
from twisted.names.error import DNSNameError

from sipsorcery.appserver.outside.mail import MailError
from sipsorcery.appserver.outside.web import WebError


class FakePages:
    """
    Some pages.

    :ivar pages: by URL.
    :ivar asked: URL, seconds and token.
    """

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.asked: list[tuple[str, float, str]] = []

    async def get(self, url: str, seconds: float = 10.0, *, token: str = "") -> str:
        """
        Get one.
        """
        self.asked.append((url, seconds, token))
        if url not in self.pages:
            raise WebError("the server says 404")
        return self.pages[url]


class FakePost:
    """
    Takes e-mail.

    :ivar sent: address, subject and body.
    """

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str]] = []

    async def send(
        self, to: str, subject: str, body: str, *, is_html: bool = False
    ) -> None:
        """
        Take one, if it has an address.
        """
        if "@" not in to:
            raise MailError("there is something that is no address")
        self.sent.append((to, subject, body))


class FakeActions:
    """
    Calls nobody back.

    :ivar asked: account, first, second and delay.
    :ivar waiting: what each waits for.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str, float]] = []
        self.waiting: list[Deferred[None]] = []

    async def call_back(
        self, owner: str, account: str, first: str, second: str, *, delay: float = 0.0
    ) -> None:
        """
        Note it, and wait for the test.
        """
        self.asked.append((account, first, second, delay))
        waiting: Deferred[None] = Deferred()
        self.waiting.append(waiting)
        await waiting


class _Names:
    def __init__(self, uris: Mapping[str, str]) -> None:
        self._uris = uris

    def lookupNamingAuthorityPointer(self, name: str, timeout: object) -> Any:
        """
        Give the one record of a name.
        """
        uri = self._uris.get(name)
        if uri is None:
            return fail(DNSNameError())
        rule = f"!^.*$!{uri}!".encode()
        record = dns.Record_NAPTR(1, 1, b"u", b"E2U+sip", rule, b"")
        return succeed(([dns.RRHeader(name, dns.NAPTR, payload=record)], [], []))


def naptr(uris: Mapping[str, str]) -> IResolver:
    """
    Make a resolver that knows the URIs of some names in ENUM.
    """
    return cast(IResolver, _Names(uris))
