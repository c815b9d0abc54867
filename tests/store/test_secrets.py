"""
Tests for `sipsorcery.store.secrets` and `sipsorcery.store.sealing`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.store.errors import StoreDamaged
from sipsorcery.store.sealing import BrokenSeal, Sealer
from sipsorcery.store.secrets import SETTLING, SIZE, Key, Purpose, Secrets
from tests import ROOT

_LOAD = """
import sys
from pathlib import Path
from sipsorcery.store.secrets import Purpose, Secrets
secrets = Secrets(Path(sys.argv[1]))
secrets.load()
print(*(secrets.keys(purpose)[0].secret.hex() for purpose in Purpose))
"""


class SecretsTests(SynchronousTestCase):
    """
    Secrets in a folder, at a time that tests move.
    """

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.now = 1_700_000_000.0
        self.secrets = self.load()

    def load(self) -> Secrets:
        """
        Read the secrets as a process does that starts.
        """
        secrets = Secrets(self.folder, lambda: self.now)
        secrets.load()
        return secrets

    def test_made_once(self) -> None:
        """
        There is a key for each purpose, no two alike, and the next process has them.
        """
        keys = [self.secrets.keys(purpose) for purpose in Purpose]
        again = self.load()
        self.assertEqual([again.keys(purpose) for purpose in Purpose], keys)
        secrets = {key.secret for (key,) in keys}
        self.assertEqual(len(secrets), len(Purpose))
        self.assertEqual({len(secret) for secret in secrets}, {SIZE})

    def test_private(self) -> None:
        """
        Only the owner reads the file; one that others may read is not used.
        """
        file = self.folder / "secrets"
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        for mode in (0o640, 0o604, 0o620):
            file.chmod(mode)
            error = self.assertRaises(StoreDamaged, self.load)
            self.assertIn("chmod 600", str(error))

    def test_not_shown(self) -> None:
        """
        A key does not show its secret.
        """
        key = self.secrets.keys(Purpose.NONCE)[0]
        self.assertEqual(repr(key), "Key(1)")
        self.assertEqual(f"{key}", "Key(1)")

    def test_processes_agree(self) -> None:
        """
        Processes that start for the first time together make one file.
        """
        folder = str(Path(self.mktemp()).absolute())
        command = [sys.executable, "-c", _LOAD, folder]
        started = [
            subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
            for _ in range(4)
        ]
        printed = {process.communicate()[0] for process in started}
        self.assertEqual([process.returncode for process in started], [0, 0, 0, 0])
        self.assertEqual(len(printed), 1)
        self.assertEqual(len(printed.pop().split()), len(Purpose))

    def test_rotate(self) -> None:
        """
        A new key verifies at once and signs when every process has read it; the old one
        goes on to verify.
        """
        (old,) = self.secrets.keys(Purpose.FLOW)
        other = self.load()
        self.now += 1
        new = self.secrets.rotate(Purpose.FLOW)
        self.assertNotEqual(new.identifier, old.identifier)
        self.assertEqual(self.secrets.keys(Purpose.FLOW), (old, new))
        self.assertEqual(other.keys(Purpose.FLOW), (old,))
        self.assertTrue(other.refresh())
        self.assertFalse(other.refresh())
        self.assertEqual(other.keys(Purpose.FLOW), (old, new))
        self.now += SETTLING
        for process in (self.secrets, other, self.load()):
            self.assertEqual(process.keys(Purpose.FLOW), (new, old))

    def test_first_key_signs_at_once(self) -> None:
        """
        Rotating twice at the start leaves the first key signing until the time is over.
        """
        (first,) = self.secrets.keys(Purpose.FLOW)
        second = self.secrets.rotate(Purpose.FLOW)
        third = self.secrets.rotate(Purpose.FLOW)
        self.assertEqual(self.secrets.keys(Purpose.FLOW), (first, third, second))

    def test_old_keys_go(self) -> None:
        """
        Of the keys for short-lived things few are kept, those of passwords all.
        """
        for _ in range(300):
            self.now += SETTLING
            self.secrets.rotate(Purpose.NONCE)
        keys = self.secrets.keys(Purpose.NONCE)
        self.assertEqual(len(keys), 2)
        self.assertNotEqual(keys[0].identifier, keys[1].identifier)
        for _ in range(254):
            self.secrets.rotate(Purpose.PASSWORD)
        identifiers = {key.identifier for key in self.secrets.keys(Purpose.PASSWORD)}
        self.assertEqual(identifiers, set(range(1, 256)))
        self.assertRaises(StoreDamaged, self.secrets.rotate, Purpose.PASSWORD)

    def test_new_purpose(self) -> None:
        """
        A purpose that came with a new version gets its key; one that an older version
        does not know stays.
        """
        file = self.folder / "secrets"
        content = msgspec.json.decode(file.read_bytes())
        content["keys"]["future"] = content["keys"].pop("gruu")
        file.write_bytes(msgspec.json.encode(content))
        nonce = self.secrets.keys(Purpose.NONCE)
        secrets = self.load()
        self.assertEqual(secrets.keys(Purpose.NONCE), nonce)
        self.assertEqual(len(secrets.keys(Purpose.GRUU)), 1)
        self.assertIn("future", msgspec.json.decode(file.read_bytes())["keys"])

    def test_damaged(self) -> None:
        """
        A file that cannot be used is not replaced: somebody has to look at it.
        """
        file = self.folder / "secrets"
        for content in (
            b"",
            b"{}",
            b'{"keys": {}, "form": 2}',
            b'{"keys": {"nonce": []}}',
            b'{"keys": {"nonce": [{"identifier": 1, "secret": "AAAA", "created": 0}]}}',
        ):
            file.write_bytes(content)
            self.assertRaises(StoreDamaged, self.load)
            self.assertEqual(file.read_bytes(), content)


class SealerTests(SynchronousTestCase):
    """
    Data in the hands of others.
    """

    def setUp(self) -> None:
        self.keys = [Key(number, bytes([number]) * SIZE, 0) for number in (2, 1)]
        self.sealer = Sealer(self.keys)
        self.sealed = self.sealer.seal(b"secret", b"joe")

    def test_round_trip(self) -> None:
        """
        What was sealed opens, and two seals of the same differ.
        """
        self.assertEqual(self.sealer.open(self.sealed, b"joe"), b"secret")
        self.assertNotEqual(self.sealer.seal(b"secret", b"joe"), self.sealed)
        self.assertEqual(self.sealer.open(self.sealer.seal(b"")), b"")
        self.assertNotIn(b"secret", self.sealed)

    def test_older_key(self) -> None:
        """
        What an older key has sealed opens; without that key it does not.
        """
        old = Sealer(self.keys[1:]).seal(b"secret")
        self.assertEqual(self.sealer.open(old), b"secret")
        self.assertRaises(BrokenSeal, Sealer(self.keys[:1]).open, old)

    def test_tampering(self) -> None:
        """
        A seal that was changed anywhere, cut, or belongs to something else is broken.
        """
        self.assertRaises(BrokenSeal, self.sealer.open, self.sealed, b"eve")
        for length in range(len(self.sealed)):
            self.assertRaises(
                BrokenSeal, self.sealer.open, self.sealed[:length], b"joe"
            )
            changed = bytearray(self.sealed)
            changed[length] ^= 1
            self.assertRaises(BrokenSeal, self.sealer.open, bytes(changed), b"joe")
