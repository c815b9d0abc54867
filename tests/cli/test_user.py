"""
Tests for `sipsorcery.cli.init` and `sipsorcery.cli.user`.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.cli import CommandCase

KEY = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
    " joe@laptop"
)
FINGERPRINT = "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"


class InitTests(CommandCase):
    """
    The first thing to do.
    """

    def test_first_administrator(self) -> None:
        """
        There is an administrator, whose password is shown once.
        """
        out = self.do("init")
        self.assertRegex(out, r"(?m)^user: +admin$")
        self.assertRegex(out, r"(?m)^password: \S{20,}$")
        [user] = self.read("user", "list")
        self.assertEqual((user["name"], user["admin"]), ("admin", True))

    def test_again(self) -> None:
        """
        Done again it changes nothing, and shows no password.
        """
        self.do("init")
        before = self.read("user", "list")
        out = self.do("init")
        self.assertIn("there is an administrator already", out)
        self.assertNotIn("password", out)
        self.assertEqual(self.read("user", "list"), before)

    def test_passwords_differ(self) -> None:
        """
        No two services begin with the same password.
        """
        first = self.do("init")
        self.setUp()
        second = self.do("init")
        passwords = [re.findall("password: (.*)", out) for out in (first, second)]
        self.assertNotEqual(*passwords)

    def test_other_administrator(self) -> None:
        """
        Where there is an administrator of another name, none is added.
        """
        self.do("user", "add", "root", "--admin", "--password-stdin", given="12345678")
        self.do("init")
        self.assertEqual(len(self.read("user", "list")), 1)

    def test_name_that_is_taken(self) -> None:
        """
        A user named admin who is no administrator is not made one.
        """
        self.do("user", "add", "admin", "--password-stdin", given="12345678")
        self.assertIn("'admin' already", self.refuse("init"))
        self.assertFalse(self.read("user", "list")[0]["admin"])

    def test_files(self) -> None:
        """
        Secrets and ports are there, and nobody else can read them.
        """
        self.do("init")
        for name in ("secrets", "ports", "directory.db"):
            mode = (self.folder / name).stat().st_mode
            self.assertEqual(mode & 0o777, 0o600, name)

    def test_bad_configuration(self) -> None:
        """
        With a configuration that has faults nothing is made.
        """
        self.file.write_text("server.data_dri = 'x'", "utf-8")
        self.assertIn("server.data_dri", self.refuse("init"))

    def test_folder_that_cannot_be(self) -> None:
        """
        A folder that cannot be made is named.
        """
        self.folder.write_text("", "utf-8")
        self.assertIn(str(self.folder), self.refuse("init"))


class UserTests(CommandCase):
    """
    Users.
    """

    def add(self, *options: str) -> None:
        """
        Add the user joe.
        """
        self.do("user", "add", "joe", "--password-stdin", *options, given="12345678\n")

    def test_add(self) -> None:
        """
        A user is added, as an administrator only when that is said.
        """
        self.add()
        self.do("user", "add", "eve", "--admin", "--password-stdin", given="a password")
        users = [(user["name"], user["admin"]) for user in self.read("user", "list")]
        self.assertEqual(users, [("eve", True), ("joe", False)])

    def test_refusal(self) -> None:
        """
        What the directory refuses is told in its words, with status 1.
        """
        self.add()
        given = ("user", "add", "joe", "--password-stdin")
        self.assertIn("already", self.refuse(*given, given="12345678"))
        given = ("user", "add", "eve", "--password-stdin")
        self.assertIn("at least 8", self.refuse(*given, given="1234567\r\n"))
        self.assertIn("at least 8", self.refuse(*given))

    def test_nobody_to_ask(self) -> None:
        """
        Without a terminal the password has to be given: status 2, and no waiting.
        """
        reason = self.refuse("user", "add", "joe", given="12345678", status=2)
        self.assertIn("--password-stdin", reason)

    def test_password_as_argument(self) -> None:
        """
        A password cannot be an argument, which everybody on the machine can see.
        """
        self.refuse("user", "add", "joe", "12345678", status=2)
        self.refuse("user", "add", "joe", "--password", "12345678", status=2)

    def test_passwd(self) -> None:
        """
        Another password is taken of those who exist.
        """
        self.add()
        self.do("user", "passwd", "joe", "--password-stdin", given="another one")
        reason = self.refuse("user", "passwd", "eve", "--password-stdin", given="x" * 9)
        self.assertIn("eve", reason)

    def test_disable(self) -> None:
        """
        Somebody is disabled with a reason, and enabled again.
        """
        self.add()
        self.do("user", "disable", "joe", "--reason", "has not paid")
        self.assertEqual(self.read("user", "list")[0]["disabled"], "has not paid")
        self.do("user", "enable", "joe")
        self.assertIsNone(self.read("user", "list")[0]["disabled"])
        self.do("user", "disable", "joe")
        self.assertTrue(self.read("user", "list")[0]["disabled"])

    def test_no_password_is_shown(self) -> None:
        """
        A list shows neither passwords nor their hashes.
        """
        self.add()
        for out in (self.do("user", "list"), self.do("user", "list", "--json")):
            self.assertNotIn("argon2", out)
            self.assertNotIn("12345678", out)

    def test_table(self) -> None:
        """
        For people there is a table, with a line for each and a head.
        """
        self.add()
        head, line = self.do("user", "list").splitlines()
        self.assertEqual(head.split(), ["name", "admin", "disabled", "created"])
        self.assertEqual(line.split()[:2], ["joe", "no"])


class KeyTests(CommandCase):
    """
    SSH keys.
    """

    def setUp(self) -> None:
        super().setUp()
        self.do("user", "add", "joe", "--password-stdin", given="12345678")

    def test_add_and_remove(self) -> None:
        """
        A key is added from its file, listed, and removed by its fingerprint.
        """
        file = Path(self.mktemp())
        file.write_text(KEY, "utf-8")
        out = self.do("user", "key", "add", "joe", str(file))
        self.assertEqual(out, f"{FINGERPRINT}\n")
        [key] = self.read("user", "key", "list", "joe")
        self.assertEqual(key["comment"], "joe@laptop")
        self.do("user", "key", "remove", "joe", FINGERPRINT)
        self.assertEqual(self.read("user", "key", "list", "joe"), [])

    def test_standard_input(self) -> None:
        """
        The file "-" is the standard input.
        """
        self.do("user", "key", "add", "joe", "-", given=KEY)
        self.assertEqual(len(self.read("user", "key", "list", "joe")), 1)

    def test_refusal(self) -> None:
        """
        What is no key, no file or no user is told.
        """
        self.assertIn("algorithm", self.refuse("user", "key", "add", "joe", "-"))
        self.assertIn("no-file", self.refuse("user", "key", "add", "joe", "no-file"))
        self.assertIn("eve", self.refuse("user", "key", "add", "eve", "-", given=KEY))
        self.assertIn("eve", self.refuse("user", "key", "list", "eve"))


class ChangeTests(CommandCase):
    """
    Changing a user.
    """

    def test_time_zone(self) -> None:
        """
        What is named changes, and nothing else; there has to be such a time zone.
        """
        self.do("user", "add", "joe", "--password-stdin", given="12345678")
        self.do("user", "set", "joe", "--full-name", "Joe")
        self.do("user", "set", "joe", "--time-zone", "Europe/Dublin")
        (user,) = self.read("user", "list")
        self.assertEqual(
            (user["full_name"], user["time_zone"]), ("Joe", "Europe/Dublin")
        )
        reason = self.refuse("user", "set", "joe", "--time-zone", "Europe/Nowhere")
        self.assertIn("Nowhere", reason)
