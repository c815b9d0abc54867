"""
Tests for `sipsorcery.cli.domain` and `sipsorcery.cli.account`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.cli import CommandCase


class DomainTests(CommandCase):
    """
    Domains.
    """

    def test_add(self) -> None:
        """
        A domain has aliases, as many as are given.
        """
        self.do(
            "domain", "add", "one.example", "--alias", "local", "--alias", "a.example"
        )
        self.do("domain", "add", "two.example")
        listed = [
            (each["name"], each["aliases"]) for each in self.read("domain", "list")
        ]
        self.assertEqual(
            listed,
            [
                ("one.example", ["a.example", "local"]),
                ("two.example", []),
                ("example.com", []),
            ],
        )

    def test_source(self) -> None:
        """
        Domains of the configuration are listed, too, and told from the others.
        """
        self.do("domain", "add", "one.example")
        sources = {each["name"]: each["source"] for each in self.read("domain", "list")}
        expected = {"one.example": "directory", "example.com": "configuration"}
        self.assertEqual(sources, expected)

    def test_refusal(self) -> None:
        """
        A name that is taken, or cannot be one, is refused.
        """
        self.do("domain", "add", "one.example")
        for name in ("one.example", "no domain", "x:5060"):
            self.refuse("domain", "add", name)

    def test_remove(self) -> None:
        """
        A domain without accounts can be removed.
        """
        self.do("domain", "add", "one.example")
        self.do("domain", "remove", "one.example")
        self.assertEqual(len(self.read("domain", "list")), 1)


class AccountTests(CommandCase):
    """
    Accounts.
    """

    def setUp(self) -> None:
        super().setUp()
        for user in ("joe", "eve"):
            self.do("user", "add", user, "--password-stdin", given="12345678")
        self.do(
            "domain", "add", "one.example", "--alias", "local", "--alias", "a.example"
        )

    def add(self, address: str, owner: str = "joe") -> str:
        """
        Add an account.
        """
        options = ("--owner", owner, "--password-stdin")
        return self.do("account", "add", address, *options, given="12345678\n")

    def only(self) -> Any:
        """
        Give the only account there is.
        """
        [account] = self.read("account", "list")
        return account

    def test_add(self) -> None:
        """
        An account belongs to its owner, and to the domain by its own name.
        """
        for address in (
            "100@one.example",
            "sip:101@a.example",
            "102",
            "103@Example.com",
        ):
            self.add(address)
        accounts = [
            (each["aor"], each["owner"]) for each in self.read("account", "list")
        ]
        self.assertEqual(
            accounts,
            [
                ("sip:100@one.example", "joe"),
                ("sip:101@one.example", "joe"),
                ("sip:102@one.example", "joe"),
                ("sip:103@example.com", "joe"),
            ],
        )

    def test_password(self) -> None:
        """
        The password is good for Digest, and is shown nowhere.
        """
        self.assertEqual(self.add("100@one.example"), "sip:100@one.example\n")
        self.assertTrue(self.only()["has_password"])
        for out in (self.do("account", "list"), self.do("account", "list", "--json")):
            self.assertNotIn("12345678", out)
            self.assertNotIn("ha1", out)

    def test_refusal(self) -> None:
        """
        What cannot be is told.
        """
        self.add("100@one.example")
        for address, owner, reason in (
            ("100@one.example", "joe", "already"),
            ("101@two.example", "joe", "no domain"),
            ("1 1@one.example", "joe", "cannot be the name"),
            ("101@one.example", "bob", "bob"),
        ):
            given = ("account", "add", address, "--owner", owner, "--password-stdin")
            self.assertIn(reason, self.refuse(*given, given="12345678"))

    def test_owner_is_needed(self) -> None:
        """
        Nobody's account is wrong usage.
        """
        self.refuse("account", "add", "100@one.example", "--password-stdin", status=2)

    def test_set(self) -> None:
        """
        Dialplans are set one by one, and taken away by "".
        """
        self.add("100@one.example")
        self.do("account", "set", "100@a.example", "--in-dialplan", "home")
        self.do("account", "set", "100@one.example", "--out-dialplan", "away")
        account = self.only()
        self.assertEqual(
            (account["in_dialplan"], account["out_dialplan"]), ("home", "away")
        )
        self.do("account", "set", "100@one.example", "--in-dialplan", "")
        account = self.only()
        self.assertEqual(
            (account["in_dialplan"], account["out_dialplan"]), (None, "away")
        )

    def test_disable(self) -> None:
        """
        An account is disabled with a reason, and enabled again.
        """
        self.add("100@one.example")
        self.do("account", "set", "100@one.example", "--disable", "stolen")
        self.assertEqual(self.only()["disabled"], "stolen")
        self.do("account", "set", "100@one.example", "--enable")
        self.assertIsNone(self.only()["disabled"])
        both = ("account", "set", "100@one.example", "--enable", "--disable", "x")
        self.refuse(*both, status=2)

    def test_new_password(self) -> None:
        """
        An account gets another password when a good one is given.
        """
        self.add("100@one.example")
        given = ("account", "set", "100@one.example", "--password-stdin")
        self.do(*given, given="another one")
        self.assertIn("at least 8", self.refuse(*given, given="short"))

    def test_nothing_to_set(self) -> None:
        """
        To change nothing is wrong usage, and says so.
        """
        self.add("100@one.example")
        refused = self.refuse("account", "set", "100@one.example", status=2)
        self.assertIn("say what to change", refused)

    def test_unknown_account(self) -> None:
        """
        What is not there cannot be changed nor removed.
        """
        for given in (
            ("account", "set", "100@one.example", "--enable"),
            ("account", "remove", "100@one.example"),
            ("account", "remove", "100@two.example"),
            ("account", "list", "--domain", "two.example"),
        ):
            self.assertIn("there is no", self.refuse(*given))

    def test_remove(self) -> None:
        """
        An account goes by any name of its domain.
        """
        self.add("100@one.example")
        self.do("account", "remove", "100@a.example")
        self.assertEqual(self.read("account", "list"), [])

    def test_list_of_some(self) -> None:
        """
        A list can be of one owner, of one domain, or both.
        """
        self.add("100@one.example", "joe")
        self.add("101@one.example", "eve")
        self.add("100@example.com", "eve")
        for options, expected in (
            (("--owner", "eve"), ["sip:100@example.com", "sip:101@one.example"]),
            (("--domain", "a.example"), ["sip:100@one.example", "sip:101@one.example"]),
            (("--owner", "eve", "--domain", "example.com"), ["sip:100@example.com"]),
        ):
            listed = self.read("account", "list", *options)
            self.assertEqual([each["aor"] for each in listed], expected)

    def test_import(self) -> None:
        """
        Accounts of another server come with their passwords; what cannot be imported
        is told line by line, with status 1.
        """
        file = Path(self.mktemp())
        lines = [f"{name}:one.example:{'0f' * 16}" for name in ("alice", "bob")]
        file.write_text("\n".join([*lines, "carol:one.example:x"]), "utf-8")
        given = (
            "account",
            "import",
            str(file),
            "--format",
            "htdigest",
            "--owner",
            "joe",
        )
        result = self.run_command(*given)
        self.assertEqual(result.status, 1)
        self.assertIn("line 3: the HA1 of 'carol'", result.out)
        self.assertIn("2 accounts added", result.out)
        self.assertEqual(len(self.read("account", "list")), 2)

    def test_import_of_kamailio(self) -> None:
        """
        Kamailio's table comes with a line of column names.
        """
        file = Path(self.mktemp())
        file.write_text("username,domain,ha1\nalice,one.example," + "0f" * 16, "utf-8")
        self.do(
            "account", "import", str(file), "--format", "kamailio", "--owner", "joe"
        )
        self.assertEqual(self.only()["aor"], "sip:alice@one.example")
