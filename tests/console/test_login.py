"""
Who may log in.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from twisted.conch.ssh.keys import Key
from twisted.cred.error import UnauthorizedLogin

from sipsorcery.access.guard import Guard
from sipsorcery.access.networks import Networks
from sipsorcery.access.notices import Notices
from sipsorcery.access.throttle import Throttle
from sipsorcery.console.connection import remote_of
from sipsorcery.console.login import Login
from sipsorcery.endpoint import Endpoint
from tests.store.directory.cases import DirectoryCase

HOME, THERE = remote_of("192.0.2.1", 50000), remote_of("198.51.100.1", 50000)
GOOD = b"password of joe"


class LoginTests(DirectoryCase):
    """
    A directory with joe and eve.
    """

    def setUp(self) -> None:
        super().setUp()
        self.guard = Guard(allow=Networks([ipaddress.ip_network("10.0.0.0/8")]))
        self.login = Login(
            self.reactor,
            directory=self.directory,
            throttle=Throttle(),
            guard=self.guard,
            notices=Notices("ssh"),
        )

    def enter(
        self, password: bytes, name: bytes = b"joe", remote: Endpoint = HOME
    ) -> str:
        """
        Log in by password; empty: it is refused.
        """
        began = self.begin(self.login.by_password(name, password, remote))
        self.reactor.advance(1.0)  # as long as an answer may wait
        return self._name(began)

    def show(self, key: Key, *, good: bool | None, name: bytes = b"joe") -> str:
        """
        Log in by key.

        :param good: whether its signature is; None: there is none.
        """
        verify = None if good is None else lambda shown: bool(good)
        began = self.begin(
            self.login.by_key(name, b"ssh-ed25519", key.public().blob(), HOME, verify)
        )
        self.reactor.advance(1.0)
        return self._name(began)

    def _name(self, began: Any) -> str:
        users: list[str] = []
        began.addCallbacks(
            lambda user: users.append(user.name),
            lambda failure: failure.trap(UnauthorizedLogin) and None,
        )
        self.successResultOf(began)
        return users[0] if users else ""

    def test_password(self) -> None:
        """
        The right password gets in, and no other; nor does a name that nobody has.
        """
        self.assertEqual(self.enter(GOOD), "joe")
        self.assertEqual(self.enter(b"password of eve"), "")
        self.assertEqual(self.enter(GOOD, b"nobody"), "")

    def test_rubbish(self) -> None:
        """
        What is no text, or longer than any, is no password and no name.
        """
        self.assertEqual(self.enter(b"\xff"), "")
        self.assertEqual(self.enter(b"x" * 1025), "")
        self.assertEqual(self.enter(GOOD, b"\xff"), "")

    def test_disabled(self) -> None:
        """
        Who is disabled gets in neither way.
        """
        key = self.add_key()
        self.do(self.directory.everyone.users.disable("joe", "has not paid"))
        self.assertEqual(self.enter(GOOD), "")
        self.assertEqual(self.show(key, good=True), "")

    def test_throttle(self) -> None:
        """
        After 30 failures from there nobody looks at that name, whatever the password;
        from elsewhere its owner gets in.
        """
        for _ in range(30):
            self.assertEqual(self.enter(b"a wrong password"), "")
        self.assertEqual(self.enter(GOOD), "")
        self.assertEqual(self.enter(GOOD, remote=THERE), "joe")

    def test_delay(self) -> None:
        """
        From the tenth failure on, the answer waits.
        """
        for _ in range(9):
            self.enter(b"a wrong password")
        began = self.begin(self.login.by_password(b"joe", b"wrong", HOME))
        self.assertNoResult(began)
        self.reactor.advance(1.0)
        self.failureResultOf(began, UnauthorizedLogin)

    def test_ban(self) -> None:
        """
        Who guesses the passwords of many is banned, here and where phones are heard.
        """
        for number in range(30):
            self.enter(b"a wrong password", f"user{number}".encode())
        self.assertTrue(self.login.is_banned("192.0.2.1"))
        self.assertFalse(self.login.is_banned("198.51.100.1"))

    def test_never_banned(self) -> None:
        """
        Nobody of ``limits.allow`` is.
        """
        for number in range(30):
            remote = remote_of("10.1.1.1", 50000)
            self.enter(b"a wrong password", f"user{number}".encode(), remote)
        self.assertFalse(self.login.is_banned("10.1.1.1"))

    def test_key(self) -> None:
        """
        A key gets its owner in who has signed with it, and nobody else.
        """
        key = self.add_key()
        self.assertEqual(self.show(key, good=None), "joe")
        self.assertEqual(self.show(key, good=True), "joe")
        self.assertEqual(self.show(key, good=False), "")
        self.assertEqual(self.show(key, good=True, name=b"eve"), "")

    def test_keys_of_other_places(self) -> None:
        """
        To offer a key that is not known is no guess: an agent offers all it has.
        """
        for _ in range(40):
            other = Key(Ed25519PrivateKey.generate())
            self.assertEqual(self.show(other, good=None), "")
        self.assertEqual(self.enter(GOOD), "joe")

    def test_old_signatures(self) -> None:
        """
        SHA-1 signs nobody in.
        """
        blob = self.add_key().public().blob()
        began = self.begin(
            self.login.by_key(b"joe", b"ssh-rsa", blob, HOME, lambda key: True)
        )
        self.failureResultOf(began, UnauthorizedLogin)

    def add_key(self) -> Key:
        """
        Give joe a key.
        """
        key = Key(Ed25519PrivateKey.generate())
        line = key.public().toString("openssh").decode("ascii")
        self.do(self.directory.of("joe").keys.add(line))
        return key
