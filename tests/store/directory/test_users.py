"""
Tests for `sipsorcery.store.directory.users`, `passwords` and `keys`.
"""

from __future__ import annotations

from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.store.directory.keys import PublicKey, fingerprint_of, read_key
from sipsorcery.store.directory.passwords import HASHER, Checked, Passwords
from sipsorcery.store.errors import NotFound, Refused, StoreOverloaded
from sipsorcery.testing.threads import SteppedThreads
from tests.store.directory.cases import CHEAP, DirectoryCase


class UsersTests(DirectoryCase):
    """
    The table of users.
    """

    def test_add(self) -> None:
        """
        A user is found by name, in upper or lower case.
        """
        users = self.everyone.users
        added = self.do(users.add(" Zoe ", "correct horse", email="zoe@example.com"))
        self.assertEqual((added.name, added.email), ("zoe", "zoe@example.com"))
        self.assertFalse(added.is_admin)
        self.assertEqual(added.created.timestamp(), self.reactor.seconds())
        self.assertEqual(self.do(users.find("ZOE")), added)
        self.assertIsNone(self.do(users.find("zo")))
        names = [user.name for user in self.do(users.all())]
        self.assertEqual(names, ["eve", "joe", "zoe"])

    def test_name_taken(self) -> None:
        """
        There is one user of a name.
        """
        reason = self.refuse(Refused, self.everyone.users.add("Joe"))
        self.assertIn("already", reason)

    def test_names(self) -> None:
        """
        A name is short, and has nothing that means something elsewhere.
        """
        users = self.everyone.users
        for name in ("", "a.b", "a b", "a@b", "-a", "ä", "a" * 33, "a\nb", "a\0b"):
            self.refuse(Refused, users.add(name))
        for name in ("a", "0", "a-b_c", "a" * 32):
            self.do(users.add(name))

    def test_passwords(self) -> None:
        """
        Any password of 8 characters is accepted, if it is one line.
        """
        users = self.everyone.users
        for password in ("", "1234567", "x" * 1025, "two\nlines", "nul\0nul\0"):
            self.refuse(Refused, users.add("zoe", password))
        for password in ("12345678", "x" * 1024, "correct horse", "пароль-пароль"):
            self.do(users.set_password("joe", password))
            self.assertIsNotNone(self.do(users.log_in("joe", password)))

    def test_hash(self) -> None:
        """
        What is stored is argon2id, and does not show.
        """
        user = self.do(self.everyone.users.find("joe"))
        assert user is not None and user.password_hash is not None
        self.assertTrue(user.password_hash.startswith("$argon2id$"))
        self.assertNotIn(user.password_hash, repr(user))

    def test_log_in(self) -> None:
        """
        Name and password have to belong together.
        """
        users = self.everyone.users
        self.do(users.add("zoe"))
        for name, password, is_right in (
            ("joe", "password of joe", True),
            ("JOE", "password of joe", True),
            ("joe", "password of eve", False),
            ("joe", "Password of joe", False),
            ("joe", "", False),
            ("joe", "x" * 100_000, False),
            ("joe", "\udc80", False),
            ("nobody", "password of joe", False),
            ("zoe", "", False),
        ):
            user = self.do(users.log_in(name, password))
            self.assertEqual(user is not None, is_right, (name, password[:20]))

    def test_normal_form(self) -> None:
        """
        A letter with an accent is the same however a keyboard makes it.
        """
        users = self.everyone.users
        self.do(users.set_password("joe", "cafe\u0301-cafe\u0301"))
        self.assertIsNotNone(self.do(users.log_in("joe", "caf\xe9-caf\xe9")))

    def test_better_hash(self) -> None:
        """
        At a login, a hash that was made with less work is replaced.
        """
        better = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
        users = self.open(hasher=better).everyone.users
        before = self.do(users.find("joe"))
        self.assertIsNone(self.do(users.log_in("joe", "wrong password")))
        self.assertEqual(self.do(users.find("joe")), before)
        self.assertIsNotNone(self.do(users.log_in("joe", "password of joe")))
        after = self.do(users.find("joe"))
        assert before is not None and after is not None
        self.assertNotEqual(after.password_hash, before.password_hash)
        self.assertIsNotNone(self.do(users.log_in("joe", "password of joe")))

    def test_disable(self) -> None:
        """
        Who is disabled cannot log in, until enabled again.
        """
        users = self.everyone.users
        self.refuse(Refused, users.disable("joe", " "))
        user = self.do(users.disable("joe", "has not paid"))
        self.assertEqual(user.disabled, "has not paid")
        self.assertEqual(self.do(users.disabled()), {"joe": "has not paid"})
        self.assertIsNone(self.do(users.log_in("joe", "password of joe")))
        self.do(users.enable("joe"))
        self.assertEqual(self.do(users.disabled()), {})
        self.assertIsNotNone(self.do(users.log_in("joe", "password of joe")))

    def test_change(self) -> None:
        """
        Users change their own profile and password, and nobody else's.
        """
        self.reactor.advance(60)
        user = self.do(self.joe.users.change("joe", time_zone="Europe/Dublin"))
        self.assertEqual(user.time_zone, "Europe/Dublin")
        self.assertEqual((user.updated - user.created).total_seconds(), 60)
        self.do(self.joe.users.set_password("joe", "another one"))
        self.assertIsNotNone(self.do(self.everyone.users.log_in("joe", "another one")))
        self.refuse(NotFound, self.joe.users.change("eve", email="joe@example.com"))
        self.refuse(NotFound, self.joe.users.set_password("eve", "another one"))
        self.refuse(Refused, self.joe.users.change("joe", time_zone="Europe/Nowhere"))
        self.refuse(Refused, self.joe.users.change("joe", time_zone="../../etc/passwd"))
        self.refuse(Refused, self.joe.users.change("joe", email="x" * 256))
        self.refuse(TypeError, self.joe.users.change("joe", is_admin="yes"))

    def test_only_administrators(self) -> None:
        """
        Who is a user, disabled or an administrator, only an administrator says.
        """
        for users in (self.joe.users, self.directory.of("joe").users):
            self.refuse(Refused, users.add("zoe"))
            self.refuse(Refused, users.set_admin("joe", True))
            self.refuse(Refused, users.disable("joe", "why"))
            self.refuse(Refused, users.enable("joe"))
            self.refuse(Refused, users.remove("joe"))
        user = self.do(self.everyone.users.set_admin("joe", True))
        self.assertTrue(user.is_admin)

    def test_remove(self) -> None:
        """
        With a user goes what they own.
        """
        self.do(self.joe.accounts.add("100"))
        self.do(self.joe.settings.put("theme", "dark"))
        self.do(self.joe.dialplans.put("default", "pass"))
        self.do(self.eve.accounts.add("200"))
        self.do(self.everyone.users.remove("joe"))
        self.assertIsNone(self.do(self.everyone.users.find("joe")))
        self.assertIsNone(self.do(self.everyone.accounts.find("100", "example.com")))
        self.do(self.everyone.users.add("joe"))
        self.assertEqual(self.do(self.joe.settings.all()), {})
        self.assertEqual(self.do(self.joe.dialplans.all()), [])
        self.assertIsNotNone(self.do(self.everyone.accounts.find("200", "example.com")))
        self.refuse(NotFound, self.everyone.users.remove("nobody"))

    def test_remove_is_told(self) -> None:
        """
        Servers hear that what a user owned is gone, or they would go on with copies.
        """
        before = self.do(self.directory.revisions())
        self.do(self.everyone.users.remove("joe"))
        after = self.do(self.directory.revisions())
        changed = {name for name in after if after[name] != before.get(name)}
        self.assertLessEqual({"users", "accounts", "providers", "dialplans"}, changed)


class PasswordsTests(SynchronousTestCase):
    """
    Hashing in threads that run when the test says so.
    """

    def setUp(self) -> None:
        self.threads = SteppedThreads()
        self.threads.start()
        self.passwords = Passwords(self.threads, CHEAP)

    def test_parallel(self) -> None:
        """
        However many log in, two hashes are made at a time.
        """
        stored = CHEAP.hash("correct horse")
        waiting = [self.passwords.check(stored, "correct horse") for _ in range(5)]
        for done in range(5):
            self.assertEqual(len(self.threads.calls), min(2, 5 - done))
            self.threads.step()
        for each in waiting:
            self.assertTrue(self.successResultOf(each).is_right)

    def test_bound(self) -> None:
        """
        When too many wait the next one is refused, until some are done.
        """
        waiting = [self.passwords.check(None, "correct horse") for _ in range(42)]
        self.failureResultOf(self.passwords.check(None, "x"), StoreOverloaded)
        self.failureResultOf(self.passwords.hash("x"), StoreOverloaded)
        self.threads.step()
        self.assertNoResult(self.passwords.check(None, "x"))
        self.threads.step(42)
        for each in waiting:
            self.assertFalse(self.successResultOf(each).is_right)

    def test_no_hash(self) -> None:
        """
        Where no hash is stored as much is computed as for a wrong password.
        """
        hasher = CountingHasher()
        threads = SteppedThreads(waits=False)
        threads.start()
        passwords = Passwords(threads, hasher)
        stored = CHEAP.hash("correct horse")
        self.check_wrong(passwords.check(None, "wrong"))  # this one makes a hash
        for each in (None, stored):
            hasher.verified = 0
            self.check_wrong(passwords.check(each, "wrong"))
            self.assertEqual(hasher.verified, 1)

    def test_damaged(self) -> None:
        """
        With a hash that is none, every password is wrong.
        """
        for stored in ("", "x", "$argon2id$", "*"):
            waiting = self.passwords.check(stored, "x")
            self.threads.step()
            self.check_wrong(waiting)

    def test_cost(self) -> None:
        """
        Hashes are made with the work that OWASP asks for, or more, in one thread.
        """
        self.assertGreaterEqual(HASHER.memory_cost, 19_456)
        self.assertGreaterEqual(HASHER.time_cost, 2)
        self.assertEqual(HASHER.parallelism, 1)

    def check_wrong(self, waiting: Deferred[Checked]) -> None:
        """
        Check that a password came out as wrong.
        """
        self.assertFalse(self.successResultOf(waiting).is_right)


class CountingHasher(PasswordHasher):
    """
    Counts what it verifies.
    """

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.verified = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]
        """
        Verify and count.
        """
        self.verified += 1
        return super().verify(hash, password)


def line_of(key: object, comment: str = "") -> str:
    """
    Write a public key as ``ssh-keygen`` does.
    """
    encoded = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)  # type: ignore[attr-defined]
    return f"{encoded.decode()} {comment}".strip()


class PublicKeysTests(DirectoryCase):
    """
    Keys to log in with.
    """

    def setUp(self) -> None:
        super().setUp()
        self.key = ed25519.Ed25519PrivateKey.generate().public_key()
        self.line = line_of(self.key, "joe@laptop of joe")

    def test_add(self) -> None:
        """
        A key is found by what SSH shows, for its owner only.
        """
        added = self.do(self.joe.keys.add(f"{self.line}\n"))
        self.assertEqual(added.owner, "joe")
        self.assertEqual(added.algorithm, "ssh-ed25519")
        self.assertEqual(added.comment, "joe@laptop of joe")
        self.assertEqual(self.do(self.joe.keys.find(added.blob)), added)
        self.assertIsNone(self.do(self.joe.keys.find(added.blob + b"x")))
        self.assertIsNone(self.do(self.eve.keys.find(added.blob)))
        self.assertEqual(self.do(self.joe.keys.all()), [added])
        self.refuse(Refused, self.joe.keys.add(self.line))
        self.do(self.eve.keys.add(self.line))

    def test_remove(self) -> None:
        """
        A key is removed by its fingerprint, by its owner.
        """
        added = self.do(self.joe.keys.add(self.line))
        self.refuse(NotFound, self.eve.keys.remove(added.fingerprint))
        self.do(self.joe.keys.remove(added.fingerprint))
        self.assertEqual(self.do(self.joe.keys.all()), [])
        self.refuse(NotFound, self.joe.keys.remove(added.fingerprint))

    def test_kinds(self) -> None:
        """
        Keys of the kinds that OpenSSH makes are accepted, those that are not safe not.
        """
        for good in (
            self.key,
            ec.generate_private_key(ec.SECP256R1()).public_key(),
            rsa.generate_private_key(65537, 2048).public_key(),
        ):
            self.do(self.joe.keys.add(line_of(good)))
        for bad in (
            line_of(rsa.generate_private_key(65537, 1024).public_key()),
            "ssh-dss AAAAB3NzaC1kc3MAAACBAK",
        ):
            self.refuse(Refused, self.joe.keys.add(bad))

    def test_malformed(self) -> None:
        """
        What is no public key is refused with a reason, and a private one not repeated.
        """
        algorithm, blob, _ = self.line.split(" ", 2)
        for line in (
            "",
            "x",
            algorithm,
            f"{algorithm} x",
            f"ssh-rsa {blob}",
            f"{algorithm} {blob[:-8]}",
            f"{self.line}\n{self.line}",
            f"{algorithm} {blob} {'x' * 9000}",
            f"ssh-ed25519-cert-v01@openssh.com {blob}",
            "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAA" + "A" * 99,
        ):
            reason = self.refuse(Refused, self.joe.keys.add(line))
            self.assertLess(len(reason), 200)
            self.assertNotIn("b3BlbnNzaC1rZXktdjE", reason)

    def test_fingerprint(self) -> None:
        """
        The fingerprint is the one that ssh-keygen prints.
        """
        # The host key of github.com, which shows this fingerprint on its pages.
        blob = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
        line = f"ssh-ed25519 {blob}"
        key = read_key("joe", line, self.do(self.everyone.users.all())[0].created)
        self.assertIsInstance(key, PublicKey)
        self.assertEqual(
            key.fingerprint, "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"
        )
        self.assertEqual(fingerprint_of(key.blob), key.fingerprint)
