"""
Who may log in: by a password or a key of the directory, and not too often in vain.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.conch.ssh.keys import BadKeyError, BadSignatureAlgorithmError, Key
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from sipsorcery.access.guard import Guard
from sipsorcery.access.notices import Notices
from sipsorcery.access.offences import Offence
from sipsorcery.access.security_log import Attempt, Reason
from sipsorcery.access.throttle import Throttle
from sipsorcery.endpoint import Endpoint
from sipsorcery.store.directory import Directory, User
from sipsorcery.store.errors import StoreError

#: Of signatures; without "ssh-rsa", which is SHA-1.
SIGNATURES = (
    b"ssh-ed25519",
    b"ecdsa-sha2-nistp256",
    b"ecdsa-sha2-nistp384",
    b"ecdsa-sha2-nistp521",
    b"rsa-sha2-512",
    b"rsa-sha2-256",
)
# Longer names and passwords nobody has, and a hash of them takes its time.
_MAX_TEXT = 1024


class Login:
    """
    Finds out who somebody is.

    Failures count with those of telephones from the same source: whoever guesses here
    is not heard there any more, either.

    :param clock: in seconds, that which the guard is told the time by.
    """

    def __init__(
        self,
        clock: IReactorTime,
        *,
        directory: Directory,
        throttle: Throttle,
        guard: Guard,
        notices: Notices,
    ) -> None:
        self._clock = clock
        self._directory = directory
        self._throttle = throttle
        self._guard = guard
        self._notices = notices

    def is_banned(self, host: str) -> bool:
        """
        Tell whether nobody from there is listened to.
        """
        return self._guard.is_banned(host, self._clock.seconds())

    def gone(self, remote: Endpoint) -> None:
        """
        Forget a connection.
        """
        self._guard.forget(remote)

    async def by_password(self, name: bytes, password: bytes, remote: Endpoint) -> User:
        """
        Give the user that a name and a password belong to.

        :raises UnauthorizedLogin: if there is none, after the same time in any case.
        """
        user_name, text = _text(name), _text(password)
        self._check_lock(user_name, remote)
        users = self._directory.everyone.users
        try:
            user = await users.log_in(user_name, text)
        except StoreError as error:
            raise UnauthorizedLogin(str(error)) from error
        if user is None:
            await self._fail(user_name, remote)
            raise UnauthorizedLogin
        return self._succeed(user, user_name, remote)

    async def by_key(
        self,
        name: bytes,
        algorithm: bytes,
        blob: bytes,
        remote: Endpoint,
        verify: Callable[[Key], bool] | None,
    ) -> User:
        """
        Give the user that a name and a key belong to.

        :param verify: says whether the signature is right; None: there is none yet, and
            somebody asks only whether the key would do.
        :raises UnauthorizedLogin: if there is none.
        """
        user_name = _text(name)
        self._check_lock(user_name, remote)
        user = await self._owner_of(user_name, algorithm, blob)
        if user is None:
            # People have keys for other places, too: to show one is no guess.
            raise UnauthorizedLogin
        if verify is None:
            return user
        if not _is_signed(blob, verify):
            await self._fail(user_name, remote)
            raise UnauthorizedLogin
        return self._succeed(user, user_name, remote)

    async def _owner_of(self, name: str, algorithm: bytes, blob: bytes) -> User | None:
        if algorithm not in SIGNATURES:
            return None
        try:
            user = await self._directory.everyone.users.find(name)
            if user is None or user.disabled is not None:
                return None
            key = await self._directory.of(user.name).keys.find(blob)
        except StoreError as error:
            raise UnauthorizedLogin(str(error)) from error
        return None if key is None else user

    def _check_lock(self, name: str, remote: Endpoint) -> None:
        now = self._clock.seconds()
        key = _counted(name)
        if self._throttle.locked_for(remote, key, now):
            attempt = Attempt(remote, "SSH", name, Reason.LOCKED)
            self._notices.failed(attempt)
            raise UnauthorizedLogin

    async def _fail(self, name: str, remote: Endpoint) -> None:
        now = self._clock.seconds()
        delay = self._throttle.failed(remote, _counted(name), now)
        self._guard.note_failure(remote, Offence.CREDENTIALS, now)
        self._notices.failed(Attempt(remote, "SSH", name, Reason.PASSWORD))
        if delay:
            await deferLater(self._clock, delay)

    def _succeed(self, user: User, name: str, remote: Endpoint) -> User:
        now = self._clock.seconds()
        self._throttle.succeeded(remote, _counted(name), now)
        self._guard.note_authenticated(remote, now)
        return user


def _is_signed(blob: bytes, verify: Callable[[Key], bool]) -> bool:
    try:
        return verify(Key.fromString(blob))
    except (BadKeyError, BadSignatureAlgorithmError, ValueError):
        return False


def _counted(name: str) -> str:
    # Apart from accounts, which are counted by user@domain.
    return f"user {name.strip().lower()}"


def _text(data: bytes) -> str:
    if len(data) > _MAX_TEXT:
        raise UnauthorizedLogin
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise UnauthorizedLogin from None
