"""
The client's side of Digest: answer challenges, count nonces, know when to give up.

A :class:`DigestClient` belongs to one account at one server or provider, and remembers
its nonces. Each request makes an :class:`Attempt`, which lasts through its retries::

    attempt = client.attempt("REGISTER", "sip:example.com")
    response = send(fields=[..., *attempt.authorize()])
    while response.status in (401, 407) and attempt.challenged(
        www=response.all(WWW_AUTHENTICATE), proxy=response.all(PROXY_AUTHENTICATE)
    ):
        response = send(fields=[..., *attempt.authorize()])  # with the next CSeq
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from enum import Enum

from sipsorcery.sip.auth import AuthenticationInfo, Challenge, Credentials
from sipsorcery.sip.digest.secret import Secret
from sipsorcery.sip.digest.session import Session
from sipsorcery.sip.digest.sessions import Sessions, Space
from sipsorcery.sip.fields import AUTHORIZATION, PROXY_AUTHORIZATION, Field

#: Retries of one request: a few proxies and the server may ask one after the other,
#: and a nonce may be stale. Whoever asks more often than that is never content.
MAX_RETRIES = 5

#: A line of a request: the field and its value.
Authorization = tuple[Field[Credentials], Credentials]


class Proof(Enum):
    """
    What a response shows about the server (:rfc:`7616#section-3.5`).
    """

    VALID = "the server knows the secret"
    INVALID = "somebody claims to know it and does not"
    ABSENT = "nothing is claimed"


def make_cnonce() -> str:
    """
    Return a random client nonce of 128 bits.
    """
    return secrets.token_hex(16)


class DigestClient:
    """
    The secrets and nonces of one account.

    :param find_secret: returns the secret for a realm; ``None`` for a realm that is
        not ours, whose challenge is never answered: whoever gets an answer can try
        passwords against it at leisure.
    :param cnonce: the source of client nonces.
    """

    def __init__(
        self,
        find_secret: Callable[[str], Secret | None],
        cnonce: Callable[[], str] = make_cnonce,
    ) -> None:
        self._sessions = Sessions(find_secret, cnonce)

    def attempt(self, method: str, uri: str, body: bytes = b"") -> Attempt:
        """
        Begin a request.

        :param uri: the Request-URI as it is sent.
        :param body: matters only if the server wants ``auth-int``.
        """
        return Attempt(self._sessions, method, uri, body)

    def forget(self) -> None:
        """
        Forget all nonces, so that the next request waits for a challenge.
        """
        self._sessions.clear()


class Attempt:
    """
    One request through all its retries. :meth:`DigestClient.attempt` makes it.
    """

    def __init__(self, sessions: Sessions, method: str, uri: str, body: bytes) -> None:
        self._sessions = sessions
        self._request = (method, uri, body)
        self._retries = 0
        self._answers: dict[Space, int] = {}
        self._begun: dict[Space, Session] = {}
        self._sent: dict[Space, tuple[Session, Credentials]] = {}

    @property
    def sent(self) -> tuple[Authorization, ...]:
        """
        What :meth:`authorize` returned last.

        The ACK for an INVITE repeats it (:rfc:`3261#section-22.1`).
        """
        return tuple(
            (PROXY_AUTHORIZATION if by_proxy else AUTHORIZATION, credentials)
            for (by_proxy, _realm), (_session, credentials) in self._sent.items()
        )

    def authorize(self) -> tuple[Authorization, ...]:
        """
        Return the credentials to send now, and count their nonces as used.

        Before the first challenge these are for the nonces that the client remembers.
        """
        sessions = self._sessions.known() | self._begun
        self._sent = {
            space: (session, session.answer(*self._request))
            for space, session in sessions.items()
        }
        return self.sent

    def challenged(
        self, www: Iterable[Challenge] = (), proxy: Iterable[Challenge] = ()
    ) -> bool:
        """
        Take in the challenges of a 401 or 407; tell whether to send once more.

        Of several for one realm the topmost that we can answer counts
        (:rfc:`8760#section-2.4`). ``False`` means that the secret is wrong or missing,
        or that nothing will content this server.
        """
        if self._retries >= MAX_RETRIES:
            return False
        self._retries += 1
        spaces = _by_space(www, proxy)
        answered = [self._answer(space, spaces[space]) for space in spaces]
        return any(answered)

    def _answer(self, space: Space, challenges: list[Challenge]) -> bool:
        session = self._sessions.begin(space[1], challenges)
        if session is None:
            return False
        if self._is_refused(space, session):
            self._sessions.forget(space)
            self._begun.pop(space, None)
            return False
        self._answers[space] = self._answers.get(space, 0) + 1
        self._begun[space] = self._sessions.remember(space, session)
        return True

    def _is_refused(self, space: Space, session: Session) -> bool:
        # A remembered nonce may have had its day though the server does not say
        # "stale", as many do not. But an answer to a challenge of this very request
        # that is refused without it was wrong, and MUST NOT be tried again (RFC 3261,
        # 22.1); and a server to whom every nonce is stale must not keep us busy.
        stale, answers = session.challenge.stale, self._answers.get(space, 0)
        if answers:
            return answers > 1 or not stale
        sent = self._sent.get(space)
        return sent is not None and not stale and sent[0].nonce == session.nonce

    def verify(
        self, info: AuthenticationInfo, body: bytes = b"", *, proxy: bool = False
    ) -> Proof:
        """
        Check what the server says of itself, and take over its next nonce.

        :param body: of the response.
        :param proxy: the value came as Proxy-Authentication-Info.
        """
        sent = [(*key, *value) for key, value in self._sent.items() if key[0] is proxy]
        proof = Proof.ABSENT
        if info.get("rspauth") is not None:
            sent = [known for known in sent if known[2].proves(info, known[3], body)]
            proof = Proof.VALID if sent else Proof.INVALID
        nonce = info.get("nextnonce")
        if nonce and len(sent) == 1:
            by_proxy, realm, session, _credentials = sent[0]
            self._sessions.renew((by_proxy, realm), session, nonce)
        return proof


def _by_space(
    www: Iterable[Challenge], proxy: Iterable[Challenge]
) -> dict[Space, list[Challenge]]:
    spaces: dict[Space, list[Challenge]] = {}
    for by_proxy, challenges in ((False, www), (True, proxy)):
        for challenge in challenges:
            if challenge.realm is not None:
                spaces.setdefault((by_proxy, challenge.realm), []).append(challenge)
    return spaces
