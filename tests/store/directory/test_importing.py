"""
Tests for `sipsorcery.store.directory.importing`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.digest import Algorithm, compute_ha1
from sipsorcery.store.directory.importing import (
    Fault,
    Imported,
    read_htdigest,
    read_subscriber,
    read_subscribers,
    split,
)

MD5 = compute_ha1("alice", "example.com", "correct horse", Algorithm.MD5)
SHA_256 = compute_ha1("alice", "example.com", "correct horse", Algorithm.SHA_256)


class HtdigestTests(SynchronousTestCase):
    """
    Files of htdigest.
    """

    def test_lines(self) -> None:
        """
        Each line is an account; the length of HA1 tells its algorithm. A realm may have
        colons.
        """
        text = f"alice:example.com:{MD5}\n\n# a note\nbob:[2001:db8::1]:{SHA_256}\r\n"
        self.assertEqual(
            list(read_htdigest(text)),
            [
                Imported("line 1", "alice", "example.com", ha1_md5=MD5),
                Imported("line 4", "bob", "[2001:db8::1]", ha1_sha_256=SHA_256),
            ],
        )

    def test_upper_case(self) -> None:
        """
        HA1 in capitals is the same.
        """
        (read,) = read_htdigest(f"alice:example.com:{MD5.upper()}")
        self.assertEqual(read, Imported("line 1", "alice", "example.com", MD5))

    def test_faults(self) -> None:
        """
        A line that is no account is told with its number, and the others are read.
        """
        text = f"alice\nalice:example.com\n:r:{MD5}\nalice:r:xyz\nbob:r:{MD5}\n"
        accounts, faults = split(read_htdigest(text))
        self.assertEqual([each.username for each in accounts], ["bob"])
        self.assertEqual(
            [fault.place for fault in faults], [f"line {n}" for n in (1, 2, 3, 4)]
        )
        self.assertEqual(str(faults[0]), "line 1: expected USER:REALM:HA1")
        self.assertNotIn("xyz", faults[3].text)


class SubscriberTests(SynchronousTestCase):
    """
    Rows of Kamailio's table.
    """

    def read(self, **columns: str | None) -> Imported | Fault:
        """
        Read the row of alice with other values in some columns.
        """
        row = {"id": "1", "username": "alice", "domain": "example.com", "password": ""}
        return read_subscriber({**row, "ha1": MD5, "ha1b": "", **columns}, "row 1")

    def test_ha1(self) -> None:
        """
        Without a password in clear, HA1 is all there is.
        """
        expected = Imported("row 1", "alice", "example.com", ha1_md5=MD5)
        self.assertEqual(self.read(), expected)
        self.assertEqual(self.read(password=None), expected)

    def test_password(self) -> None:
        """
        A password in clear gives HA1 for both algorithms.
        """
        expected = Imported("row 1", "alice", "example.com", MD5, SHA_256)
        for ha1 in ("", MD5, MD5.upper(), SHA_256):
            self.assertEqual(self.read(password="correct horse", ha1=ha1), expected)

    def test_other_password(self) -> None:
        """
        Where HA1 is not that of the password, HA1 counts: it is what Kamailio uses.
        """
        expected = Imported("row 1", "alice", "example.com", ha1_md5=MD5)
        self.assertEqual(self.read(password="an old one"), expected)

    def test_nothing_shown(self) -> None:
        """
        Neither an account nor a fault shows what was secret.
        """
        shown = repr(self.read(password="correct horse"))
        self.assertNotIn("horse", shown)
        self.assertNotIn(MD5, shown)
        fault = self.read(ha1="not a hash")
        assert isinstance(fault, Fault)
        self.assertNotIn("not a hash", fault.text)

    def test_missing(self) -> None:
        """
        A row without a name or a domain is no account.
        """
        for column in ("username", "domain"):
            self.assertIsInstance(self.read(**{column: ""}), Fault)
            self.assertIsInstance(self.read(**{column: None}), Fault)
        self.assertIsInstance(read_subscriber({}, "row 1"), Fault)
        self.assertIsInstance(self.read(ha1=""), Fault)

    def test_table(self) -> None:
        """
        A table is read with commas or tabs, with its columns in any order.
        """
        for comma in (",", "\t"):
            rows = [
                ["id", "domain", "username", "ha1", "password", "email_address"],
                ["1", "example.com", "alice", MD5, "", "a@example.com"],
                ["2", "example.com", "", MD5, "", ""],
                ["3", "example.com", "bob", MD5],
            ]
            text = "\n".join(comma.join(row) for row in rows)
            accounts, faults = split(read_subscribers(text))
            self.assertEqual([each.username for each in accounts], ["alice", "bob"])
            self.assertEqual([each.place for each in accounts], ["line 2", "line 4"])
            self.assertEqual([each.place for each in faults], ["line 3"])

    def test_no_table(self) -> None:
        """
        What is no table gives faults, and no error.
        """
        for text in ("", "\0", "alice", "alice\nbob", 'a,"' + "x" * 200_000):
            accounts, _ = split(read_subscribers(text))
            self.assertEqual(accounts, [])
