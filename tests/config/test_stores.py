"""
Tests for `sipsorcery.config.stores`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.config.stores import read_directory, read_live


class DirectoryTests(SynchronousTestCase):
    """
    Where the directory is.
    """

    def test_right(self) -> None:
        """
        A word for the file, or the URL of a database with its name.
        """
        for text in (
            "sqlite",
            "postgresql://sip:secret@db.example:5432/sip",
            "postgresql://sip@[2001:db8::1]/sip?sslmode=require",
            "postgresql:///sip",
        ):
            self.assertEqual(read_directory(text), text)

    def test_wrong(self) -> None:
        """
        Other databases are not known, and a database has a name.
        """
        for value in (
            *("", "SQLite", "mysql://a/b", "postgresql://db.example", "postgresql:"),
            *("postgresql://db.example/", "postgresql://a:port/b", "postgresql://[/b"),
            *(None, 5, ["sqlite"]),
        ):
            with self.subTest(str(value)), self.assertRaises(ValueError):
                read_directory(value)

    def test_password_is_hidden(self) -> None:
        """
        An error shows where, but not the password, whatever characters are in it.
        """
        for password in ("secret", "se/cret", "secret@", "sec:ret"):
            text = f"postgresql://sip:{password}@db.example/"
            with self.assertRaises(ValueError) as caught:
                read_directory(text)
            self.assertIn("'postgresql://***@db.example/'", str(caught.exception))


class LiveTests(SynchronousTestCase):
    """
    Where the live state is.
    """

    def test_local(self) -> None:
        """
        "local" is no server.
        """
        self.assertEqual(read_live("local"), ())

    def test_one(self) -> None:
        """
        One server, or one group of servers under Sentinel.
        """
        for text in (
            "redis://127.0.0.1",
            "redis://127.0.0.1:6379",
            "redis://:secret@redis.example:6379/15",
            "redis+sentinel://a.example:26379,[::1]:26379/calls",
            "redis+sentinel://a.example/calls/0",
        ):
            self.assertEqual(read_live(text), (text,))

    def test_shards(self) -> None:
        """
        Several servers keep their order, which says who has which record.
        """
        urls = ["redis://b.example", "redis://a.example"]
        self.assertEqual(read_live(urls), tuple(urls))

    def test_wrong(self) -> None:
        """
        Neither "local" beside a server, nor one server for two shards, nor half a URL.
        """
        wrong: tuple[object, ...] = (
            *("", "Local", "redis:", "redis://", "redis:///0", "redis://a/x"),
            *("redis://a/0/1", "redis://a:b", "redis+sentinel://a", "rediss://a"),
            *("redis+sentinel://a/calls/x", "redis+sentinel://a//0", "redis://a/99999"),
            *([], ["local"], ["local", "redis://a"], ["redis://a", "redis://a"], [5]),
            *(5, None, {}),
        )
        for value in wrong:
            with self.subTest(str(value)), self.assertRaises(ValueError):
                read_live(value)

    def test_password_is_hidden(self) -> None:
        """
        An error shows where, but not the password.
        """
        with self.assertRaises(ValueError) as caught:
            read_live("redis://:secret@a.example/x")
        self.assertIn("not 'redis://***@a.example/x'", str(caught.exception))


class SecretsTests(SynchronousTestCase):
    """
    What an error shows of a value that may hold a password.
    """

    def test_shown(self) -> None:
        """
        Nothing that could be one, however wrong the URL is.
        """
        for text, shown in (
            ("postgresql:/u:secret@h/d", "postgresql:/***@h/d"),
            ("postgresql:u:secret@h/d", "postgresql:***@h/d"),
            ("u:secret@h/d", "u:***@h/d"),
            ("//u:secret@h/d", "//***@h/d"),
            ("redis://h:x/0?password=secret", "redis://h:***/0?***"),
            ("redis://h/x?password=sec@ret", "redis://***"),
            ("redis://:sec?ret@h/x", "redis://***"),
            ("redis://:c2VjcmV0=@h/x", "redis://***"),
            ("redis://:secret@h/x#secret", "redis://***@h/x#***"),
            ("redis://u:secret", "redis://u:***"),
            ("redis://:secret", "redis://:***"),
            ("redis://a:1,b:secret/calls", "redis://a:1,b:***/calls"),
            ("redis://[::1]:6379/x,", "redis://[::1]:6379/x,"),
            ("redis://[::1]/x", "redis://[::1]/x"),
            ("host=h password=secret", "host=***"),
            ("", ""),
        ):
            for read in (read_directory, read_live):
                with self.assertRaises(ValueError) as caught:
                    read(text)
                self.assertTrue(
                    str(caught.exception).endswith(f"not '{shown}'"), caught.exception
                )

    def test_shards(self) -> None:
        """
        Nor does one of a list.
        """
        with self.assertRaises(ValueError) as caught:
            read_live(["redis://a", "redis:/:secret@b"])
        self.assertIn("not 'redis:/***@b'", str(caught.exception))
