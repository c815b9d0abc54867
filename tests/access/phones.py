"""
An authenticator with a directory, and phones that know their passwords or do not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import FrameType
from typing import Any

from sipsorcery.access.accounts import Accounts
from sipsorcery.access.authentication import Authenticator
from sipsorcery.access.decision import Challenge, Decision
from sipsorcery.access.guard import Guard
from sipsorcery.access.throttle import Throttle
from sipsorcery.config import Config, parse
from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.digest import DigestClient, Secret, compute_response
from sipsorcery.sip.fields import USER_AGENT, WWW_AUTHENTICATE
from sipsorcery.sip.request import Request
from sipsorcery.store.secrets import Secrets
from sipsorcery.testing.bus import RecordingBus
from tests.access.test_accounts import CountingThreads
from tests.store.directory.cases import DirectoryCase

PHONE = Endpoint.parse("udp:192.0.2.1:5060")
DOMAIN = "example.com"
# That of all requests of a phone.
CALL_ID = "a84b4c76e66710"


class Phone:
    """
    Sends requests from an address, with a name and a password.
    """

    def __init__(
        self, username: str, password: str, remote: Endpoint | str = PHONE
    ) -> None:
        self.remote = Endpoint.parse(remote) if isinstance(remote, str) else remote
        self.username = username
        secret = Secret(username, password)
        self.client = DigestClient({DOMAIN: secret}.get)
        self.attempt = self.client.attempt("REGISTER", f"sip:{DOMAIN}")

    def request(
        self,
        method: str = "REGISTER",
        uri: str = f"sip:{DOMAIN}",
        product: str | None = None,
        body: bytes = b"",
    ) -> Request:
        """
        Make the next request, with credentials if there was a challenge before.
        """
        self.attempt = self.client.attempt(method, uri, body)
        return self.again(method, uri, product, body)

    def again(
        self,
        method: str = "REGISTER",
        uri: str = f"sip:{DOMAIN}",
        product: str | None = None,
        body: bytes = b"",
    ) -> Request:
        """
        Make the request once more, with new credentials.
        """
        fields: list[tuple[Any, Any]] = [("Call-ID", CALL_ID)]
        fields += self.attempt.authorize()
        if product is not None:
            fields.append((USER_AGENT, product))
        return Request(method, uri, fields, body)

    def take(self, challenge: Challenge) -> bool:
        """
        Take in a challenge; tell whether there is an answer to it.
        """
        values = [value for _, value in challenge.fields]
        if challenge.status == 401:
            return self.attempt.challenged(www=values)
        return self.attempt.challenged(proxy=values)


class AuthenticationCase(DirectoryCase):
    """
    An authenticator for ``example.com`` with the account ``100``.
    """

    CONFIG = b""

    def setUp(self) -> None:
        super().setUp()
        self.do(self.joe.accounts.add("100", DOMAIN, "correct horse"))
        self.threads = CountingThreads()
        self.stored = self.open(threads=self.threads)
        self.secrets = Secrets(self.folder, self.reactor.seconds)
        self.secrets.load()
        self.bus = RecordingBus()
        self.start(parse(self.CONFIG))
        self.phone = Phone("100", "correct horse")

    def start(self, config: Config, **options: Any) -> None:
        """
        Make the authenticator, as a process does that starts.
        """
        self.accounts = Accounts(self.stored, config, self.reactor, own=tuple)
        self.guard = Guard()
        self.throttle = Throttle()
        self.authenticator = Authenticator(
            self.reactor,
            config,
            accounts=self.accounts,
            secrets=self.secrets,
            server="registrar",
            guard=self.guard,
            bus=self.bus,
            throttle=self.throttle,
            clock=self.reactor.seconds,
            **options,
        )
        self.reactor.advance(1)

    def decide(
        self, request: Request, remote: Endpoint = PHONE, **options: Any
    ) -> Decision:
        """
        Have a request decided about.
        """
        asked = self.authenticator.authenticate(
            request, source=remote, **{"domain": DOMAIN, **options}
        )
        return self.do(asked)

    def challenge(self, phone: Phone, **options: Any) -> Challenge:
        """
        Get a challenge, to a request without credentials, and take it in.
        """
        decision = self.decide(phone.request(**options), phone.remote)
        assert isinstance(decision, Challenge), decision
        self.assertTrue(phone.take(decision))
        return decision

    def register(self, phone: Phone | None = None, **options: Any) -> Decision:
        """
        Register as a phone does: ask for a challenge, then answer it.
        """
        phone = phone or self.phone
        self.challenge(phone)
        return self.decide(phone.again(), phone.remote, **options)


def algorithms(challenge: Decision) -> list[str | None]:
    """
    Give the algorithms on offer.
    """
    assert isinstance(challenge, Challenge)
    return [
        value.get("algorithm")
        for field, value in challenge.fields
        if field is WWW_AUTHENTICATE
    ]


def stale(decisions: Iterable[Decision]) -> list[bool]:
    """
    Tell of each challenge whether it says that only the nonce was wrong.
    """
    return [
        value.stale
        for decision in decisions
        if isinstance(decision, Challenge)
        for _, value in decision.fields
    ]


class Verifications:
    """
    Counts the responses that are computed while it is entered.
    """

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> Verifications:
        sys.setprofile(self._called)
        return self

    def __exit__(self, *error: object) -> None:
        sys.setprofile(None)

    def _called(self, frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code is compute_response.__code__:
            self.count += 1
