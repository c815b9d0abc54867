"""
Tests for `sipsorcery.store.directory.settings`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import insert

from sipsorcery.store.directory import schema
from sipsorcery.store.directory.settings import MAX_VALUE, MAX_VALUES
from sipsorcery.store.errors import NotFound, Refused
from tests.store.directory.cases import DirectoryCase


class SettingsTests(DirectoryCase):
    """
    Settings of users and of the service.
    """

    def test_put(self) -> None:
        """
        A setting holds what JSON can say, for one user.
        """
        for value in ("dark", 1, 0.5, None, True, [1, "a"], {"a": {"b": [None]}}, "é"):
            self.do(self.joe.settings.put("theme", value))
            self.assertEqual(self.do(self.joe.settings.get("theme", "default")), value)
        self.assertEqual(self.do(self.joe.settings.all()), {"theme": "é"})
        self.assertEqual(self.do(self.eve.settings.all()), {})
        self.assertEqual(self.do(self.eve.settings.get("theme", "default")), "default")

    def test_service(self) -> None:
        """
        The service has settings of its own, which are nobody's.
        """
        self.do(self.everyone.settings.put("motd", "hello"))
        self.do(self.joe.settings.put("motd", "mine"))
        self.assertEqual(self.do(self.everyone.settings.get("motd")), "hello")
        self.assertEqual(self.do(self.everyone.settings.all()), {"motd": "hello"})
        self.do(self.everyone.settings.remove("motd"))
        self.assertEqual(self.do(self.everyone.settings.all()), {})
        self.assertEqual(self.do(self.joe.settings.get("motd")), "mine")

    def test_remove(self) -> None:
        """
        A setting goes; it need not be there.
        """
        self.do(self.joe.settings.put("theme", 1))
        self.do(self.eve.settings.put("theme", 2))
        for _ in range(2):
            self.do(self.joe.settings.remove("theme"))
            self.assertEqual(self.do(self.joe.settings.all()), {})
        self.assertEqual(self.do(self.eve.settings.get("theme")), 2)

    def test_refused(self) -> None:
        """
        A setting has a bound, and belongs to somebody.
        """
        self.refuse(Refused, self.joe.settings.put("theme", "x" * 65_536))
        self.refuse(Refused, self.joe.settings.put("x" * 129, 1))
        self.refuse(TypeError, self.joe.settings.put("theme", object()))
        self.refuse(NotFound, self.directory.of("nobody").settings.put("theme", 1))


class ValuesTests(DirectoryCase):
    """
    What dialplans keep.
    """

    def setUp(self) -> None:
        super().setUp()
        self.values = self.joe.values

    def test_put(self) -> None:
        """
        A value is kept under a key, for one user.
        """
        for value in ("one", "", "é" * MAX_VALUE):
            self.do(self.values.put("key", value))
            self.assertEqual(self.do(self.values.get("key")), value)
        self.do(self.values.put("Key", "other"))
        self.assertEqual(self.do(self.values.keys()), ["Key", "key"])
        self.assertIsNone(self.do(self.values.get("KEY")))
        self.assertIsNone(self.do(self.eve.values.get("key")))
        self.assertEqual(self.do(self.eve.values.keys()), [])
        self.refuse(TypeError, self.everyone.values.get("key"))

    def test_swap(self) -> None:
        """
        Of two who count up what both have read, one is told to read again.
        """
        self.assertTrue(self.do(self.values.swap("count", None, "1")))
        self.assertFalse(self.do(self.values.swap("count", None, "1")))
        self.assertTrue(self.do(self.values.swap("count", "1", "2")))
        self.assertFalse(self.do(self.values.swap("count", "1", "2")))
        self.assertEqual(self.do(self.values.get("count")), "2")
        self.assertFalse(self.do(self.eve.values.swap("count", "2", "3")))

    def test_remove(self) -> None:
        """
        A key is forgotten; it need not be there.
        """
        self.do(self.values.put("key", "mine"))
        self.do(self.eve.values.put("key", "hers"))
        for _ in range(2):
            self.do(self.values.remove("key"))
            self.assertIsNone(self.do(self.values.get("key")))
        self.assertEqual(self.do(self.eve.values.get("key")), "hers")

    def test_refused(self) -> None:
        """
        What is no text, or too long, is not kept.
        """
        for key, value in (
            ("", "x"),
            ("x" * 129, "x"),
            ("a\0b", "x"),
            ("\udc80", "x"),
            ("key", "x" * (MAX_VALUE + 1)),
            ("key", "a\0b"),
            ("key", "\udc80"),
        ):
            self.refuse(Refused, self.values.put(key, value))
        self.assertEqual(self.do(self.values.keys()), [])

    def test_bound(self) -> None:
        """
        A user keeps as many values as the bound says; those that are there can change.
        """
        row = {"owner": "joe", "value": "x", "updated": datetime.now(UTC)}
        rows = [row | {"key": f"{number}"} for number in range(MAX_VALUES)]
        fill = insert(schema.key_values)
        self.do(self.values._write(lambda using: using.execute(fill, rows).close()))
        self.assertIn("already", self.refuse(Refused, self.values.put("more", "x")))
        self.do(self.values.put("0", "y"))
        self.do(self.eve.values.put("more", "x"))
        self.do(self.values.remove("0"))
        self.do(self.values.put("more", "x"))
