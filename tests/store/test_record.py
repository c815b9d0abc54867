"""
Tests for `sipsorcery.store.live.record` and `sipsorcery.store.live.kind`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.store.errors import UnreadableRecord
from sipsorcery.store.live import Kind, Record

NOW = 1_700_000_000.0


class RecordTests(SynchronousTestCase):
    """
    What a record says about itself.
    """

    def test_tag(self) -> None:
        """
        The tag is what stands in the first braces of the key, else the whole key.
        """
        for key, tag in (
            ("sip:alice@example.com", "sip:alice@example.com"),
            ("{a84b4c76}leg", "a84b4c76"),
            ("leg{a84b4c76}{b}", "a84b4c76"),
            ("{}", "{}"),
            ("{a", "{a"),
        ):
            self.assertEqual(Record("call", key, b"", NOW).tag, tag)

    def test_replace(self) -> None:
        """
        A changed record is another one, and keeps its version.
        """
        record = Record("call", "a", b"", NOW, version=7)
        changed = record.replace(expiry=NOW + 1)
        self.assertEqual((record.expiry, changed.expiry), (NOW, NOW + 1))
        self.assertEqual(changed.version, 7)


@dataclass(frozen=True, slots=True)
class Contact:
    """
    A value as a first version of a role might have it.
    """

    uri: str
    path: tuple[str, ...] = ()
    q: float | None = None


@dataclass(frozen=True, slots=True)
class LongerContact:
    """
    The value with a field that came later.
    """

    uri: str
    path: tuple[str, ...] = ()
    q: float | None = None
    instance: bytes = b""


@dataclass(frozen=True, slots=True)
class OtherContact:
    """
    The value in another form.
    """

    uris: list[str]


def upgrade(old: dict[str, Any]) -> dict[str, Any]:
    """
    Make the other form of the first.
    """
    return {"uris": [old["uri"]]}


class KindTests(SynchronousTestCase):
    """
    Values in records, and what becomes of them when the program changes.
    """

    def setUp(self) -> None:
        self.kind = Kind("contact", Contact)
        self.value = Contact("sip:a@192.0.2.1", ("<sip:p@192.0.2.2;lr>",), 0.5)
        self.record = self.kind.record(
            "alice", self.value, expiry=NOW, owner="joe", due=NOW - 1
        )

    def test_round_trip(self) -> None:
        """
        A value comes back from its record.
        """
        self.assertEqual(
            self.record,
            Record("contact", "alice", self.record.data, NOW, "joe", NOW - 1),
        )
        self.assertEqual(self.kind.read(self.record), self.value)

    def test_change(self) -> None:
        """
        A record gets another value and keeps the rest.
        """
        value = Contact("sip:b@192.0.2.1")
        changed = self.record.replace(data=self.kind.write(value))
        self.assertEqual(self.kind.read(changed), value)
        self.assertEqual(changed.owner, "joe")

    def test_field_added(self) -> None:
        """
        With a new field, old data reads, and an old process reads new data.
        """
        longer = Kind("contact", LongerContact)
        value = longer.read(self.record)
        self.assertEqual((value.uri, value.instance), (self.value.uri, b""))
        new = longer.record("alice", LongerContact("sip:b@192.0.2.1"), expiry=NOW)
        self.assertEqual(self.kind.read(new), Contact("sip:b@192.0.2.1"))

    def test_other_form(self) -> None:
        """
        Another form reads the older ones that it knows; the older reads no newer one.
        """
        other = Kind("contact", OtherContact, form=2, older={1: upgrade})
        self.assertEqual(other.read(self.record), OtherContact(["sip:a@192.0.2.1"]))
        new = other.record("alice", OtherContact([]), expiry=NOW)
        self.assertEqual(other.read(new), OtherContact([]))
        error = self.assertRaises(UnreadableRecord, self.kind.read, new)
        self.assertIn("contact 'alice'", str(error))

    def test_damaged(self) -> None:
        """
        Data that is no value of the kind is an error of the store, whatever it is.
        """
        for data in (
            b"",
            b"\x01",
            b"\x07",
            b"\x01\xff",
            b"\x01\x90",
            self.record.data[:-3],
        ):
            damaged = self.record.replace(data=data)
            self.assertRaises(UnreadableRecord, self.kind.read, damaged)
