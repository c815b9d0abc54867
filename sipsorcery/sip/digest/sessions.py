"""
The sessions that a client remembers, one for each realm that asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sipsorcery.sip.auth import Challenge
from sipsorcery.sip.digest.secret import Secret
from sipsorcery.sip.digest.session import Session

#: Realms that one client remembers. An account has one or two.
MAX_SESSIONS = 16

#: Who asks: a server (``False``) or a proxy (``True``), and its realm; both kinds may
#: have the same.
Space = tuple[bool, str]


class Sessions:
    """
    The secrets of an account, and the nonces that its realms gave it.
    """

    def __init__(
        self,
        find_secret: Callable[[str], Secret | None],
        make_cnonce: Callable[[], str],
    ) -> None:
        self._find_secret = find_secret
        self._make_cnonce = make_cnonce
        self._sessions: dict[Space, Session] = {}

    def known(self) -> dict[Space, Session]:
        """
        Return what may be used without being asked again.
        """
        return dict(self._sessions)

    def begin(self, realm: str, challenges: Iterable[Challenge]) -> Session | None:
        """
        Start on the topmost challenge that we can answer; ``None`` if there is none.
        """
        secret = self._find_secret(realm)
        if secret is None:
            return None
        begun = (Session.begin(c, secret, self._make_cnonce) for c in challenges)
        return next((session for session in begun if session is not None), None)

    def remember(self, space: Space, session: Session) -> Session:
        """
        Keep a session for later requests; return the one to use now.
        """
        if session.qop is None:
            # Without a count its next use could not be told from a replay.
            return session
        known = self._sessions.pop(space, None)
        if known is not None and known.is_same(session):
            # Some servers use a nonce for many challenges: its count goes on.
            session = known
        while len(self._sessions) >= MAX_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        self._sessions[space] = session
        return session

    def renew(self, space: Space, session: Session, nonce: str) -> None:
        """
        Go on with the next nonce, if *session* is still the one in use.
        """
        # A -sess key stays bound to the first nonce (RFC 7616, 3.4.2), which a server
        # without a table cannot know any more: then the old nonce goes on.
        if self._sessions.get(space) is session and not session.algorithm.is_session:
            self._sessions[space] = session.renewed(nonce, self._make_cnonce)

    def forget(self, space: Space) -> None:
        """
        Drop the session of one realm.
        """
        self._sessions.pop(space, None)

    def clear(self) -> None:
        """
        Drop all sessions.
        """
        self._sessions.clear()
