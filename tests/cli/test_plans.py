"""
Tests for `sipsorcery.cli.provider` and `sipsorcery.cli.dialplan`.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests import ROOT
from tests.cli import CommandCase


class PlansCase(CommandCase):
    """
    Two users.
    """

    def setUp(self) -> None:
        super().setUp()
        for user in ("joe", "eve"):
            self.do("user", "add", user, "--password-stdin", given="12345678")


class ProviderTests(PlansCase):
    """
    Providers.
    """

    def add(self, owner: str, *options: str) -> None:
        """
        Add a provider named out.
        """
        given = ("--server", "sip:out.example", "--username", "42", "--password-stdin")
        self.do(
            "provider", "add", "out", "--owner", owner, *given, *options, given="pw\n"
        )

    def test_add(self) -> None:
        """
        A provider belongs to its owner; its password is shown nowhere.
        """
        self.add("joe")
        self.add("eve", "--register", "sip:joe@example.com")
        listed = self.read("provider", "list")
        self.assertEqual(
            [(each["owner"], each["registers"]) for each in listed],
            [("joe", False), ("eve", True)],
        )
        self.assertNotIn("password", listed[0])
        self.assertEqual(len(self.read("provider", "list", "--owner", "joe")), 1)

    def test_remove(self) -> None:
        """
        One is removed, and the other of its name stays.
        """
        self.add("joe")
        self.add("eve")
        self.do("provider", "remove", "out", "--owner", "joe")
        self.assertEqual(self.read("provider", "list")[0]["owner"], "eve")
        reason = self.refuse("provider", "remove", "out", "--owner", "joe")
        self.assertIn("out", reason)


class DialplanTests(PlansCase):
    """
    Dialplans.
    """

    def put(self, owner: str, text: str, *options: str) -> str:
        """
        Put a dialplan named home in force.
        """
        given = ("--owner", owner, "--file", "-", *options)
        return self.do("dialplan", "put", "home", *given, given=text)

    def test_put(self) -> None:
        """
        Another text is another version, the same text is not.
        """
        for text, version in (("x = 1", 1), ("x = 1", 1), ("x = 2", 2)):
            self.assertEqual(self.put("joe", text), f"home: version {version}\n")
        self.assertEqual(self.do("dialplan", "show", "home"), "x = 2")

    def test_put_faulty(self) -> None:
        """
        A dialplan in Python that is none, or rules that are none, are not put in force:
        each fault is told with its line and column.
        """
        script = "sys.dial('a')\nsys.dail('b')\nsys.dial(ring='long', to='c')\n"
        given = ("--owner", "joe", "--file", "-")
        result = self.run_command("dialplan", "put", "home", *given, given=script)
        self.assertEqual(result.status, 1)
        places = [line.split(" ")[0] for line in result.out.splitlines()]
        self.assertEqual(places, ["home:2:", "home:3:"])
        self.assertTrue(all(": column " in line for line in result.out.splitlines()))
        self.assertIn("2 mistakes", result.error)
        rules = '[{"direction": "out", "action": {"do": "reject", "status": 200}}]'
        wizard = ("--kind", "wizard")
        result = self.run_command(
            "dialplan", "put", "home", *given, *wizard, given=rules
        )
        self.assertEqual((result.status, result.out[:7]), (1, "home:1:"))
        self.assertEqual(self.read("dialplan", "list"), [])

    def test_messages(self) -> None:
        """
        A dialplan decides about messages if that is said, until the contrary is.
        """
        for option, accepts in (
            ((), False),
            (("--accept-non-invite",), True),
            ((), True),
            (("--no-accept-non-invite",), False),
        ):
            self.put("joe", "x = 1", *option)
            (listed,) = self.read("dialplan", "list")
            self.assertEqual(listed["accepts_non_invite"], accepts)

    def test_revert(self) -> None:
        """
        An earlier version is in force again as a new one, and one that there is not is
        not.
        """
        self.put("joe", "x = 1")
        self.put("joe", "x = 2", "--note", "twice")
        given = ("--owner", "joe")
        done = self.do("dialplan", "revert", "home", "1", *given)
        self.assertEqual(done, "home: version 3\n")
        self.assertEqual(self.do("dialplan", "show", "home"), "x = 1")
        listed = self.read("dialplan", "versions", "home", *given)
        self.assertEqual(
            [(each["version"], each["note"]) for each in listed],
            [(3, "as version 1"), (2, "twice"), (1, "")],
        )
        self.assertIn("7", self.refuse("dialplan", "revert", "home", "7", *given))

    def test_options(self) -> None:
        """
        A dialplan has tables, which are an object of JSON.
        """
        self.put("joe", "x = 1")
        given = ("home", "--owner", "joe", "--file", "-")
        self.do("dialplan", "options", *given, given='{"speed_dials": {"7": "101"}}')
        for text in ("[]", "{"):
            result = self.run_command("dialplan", "options", *given, given=text)
            self.assertEqual(result.status, 1)

    def test_file(self) -> None:
        """
        The text comes from a file as it is.
        """
        file = Path(self.mktemp())
        file.write_bytes("sys.log('\N{DEGREE SIGN}')\r\n".encode())
        given = ("--owner", "joe", "--file", str(file), "--kind", "lines")
        self.do("dialplan", "put", "home", *given)
        shown = self.read("dialplan", "show", "home")
        self.assertEqual(shown["script"], "sys.log('\N{DEGREE SIGN}')\r\n")
        self.assertEqual(shown["kind"], "lines")
        file.write_bytes(b"\xff")
        self.assertIn("UTF-8", self.refuse("dialplan", "put", "home", *given))

    def test_kind(self) -> None:
        """
        Without a word about it a dialplan is in Python.
        """
        self.put("joe", "x = 1")
        self.assertEqual(self.read("dialplan", "list")[0]["kind"], "python")
        self.put("joe", "[]", "--kind", "wizard")
        self.assertEqual(self.read("dialplan", "list")[0]["kind"], "wizard")

    def test_two_of_a_name(self) -> None:
        """
        Where several users have one of that name it has to be said whose.
        """
        self.put("joe", "x = 'joe'")
        self.put("eve", "x = 'eve'")
        self.assertEqual(len(self.read("dialplan", "list")), 2)
        self.assertIn("--owner", self.refuse("dialplan", "show", "home", status=2))
        shown = self.do("dialplan", "show", "home", "--owner", "eve")
        self.assertEqual(shown, "x = 'eve'")
        self.assertIn("there is no", self.refuse("dialplan", "show", "away"))

    def test_check(self) -> None:
        """
        Every mistake of a line plan is told with its line, and then the status is 1.
        """
        plan = "exten => 1,1,Dial(a,b,c@h)\nexten => 2\nexten => 3,1,Hangup()"
        self.put("joe", plan, "--kind", "lines")
        result = self.run_command("dialplan", "check", "home")
        self.assertEqual(result.status, 1)
        lines = [line.split(":")[1] for line in result.out.splitlines()]
        self.assertEqual(lines, ["2", "3"])
        self.assertIn("2 mistakes", result.error)
        self.put("joe", plan.split("\n", maxsplit=1)[0], "--kind", "lines")
        self.assertEqual(self.do("dialplan", "check", "home"), "")

    def test_check_python(self) -> None:
        """
        What does not run in Python, or has an unknown name or a wrong argument, is told
        with line and column; an example has no mistake.
        """
        given = ("dialplan", "check", "--file", "-", "--json")
        for script, line in (
            ("x = 1\nif x\n", 2),
            ("\n\nsys.dial(nobody)", 3),
            ("sys.dial('a', ring='long')", 1),
            ("lookup.speed_dial('7').upper()", 1),
        ):
            result = self.run_command(*given, given=script)
            self.assertEqual(result.status, 1, script)
            fault = json.loads(result.out)[0]
            self.assertEqual(fault["line"], line, script)
            self.assertRegex(fault["message"], "^column [0-9]+: .")
        example = ROOT / "etc" / "dialplans" / "caller_id.py"
        self.do("dialplan", "check", "--file", str(example))

    def test_check_rules(self) -> None:
        """
        Of rules every faulty one is told with its number.
        """
        rule = '{"direction": "in", "action": {"do": "dial", "to": "%s"}}'
        text = f"[{rule % '100@local'}, {rule % 'a@b['}, {rule % ''}]"
        given = ("--kind", "wizard", "--file", "-", "--json")
        result = self.run_command("dialplan", "check", *given, given=text)
        lines = [each["line"] for each in json.loads(result.out)]
        self.assertEqual(lines, [2, 3])

    def test_check_file(self) -> None:
        """
        A text is looked at before it is stored, if it is in a file.
        """
        file = Path(self.mktemp())
        file.write_text("exten = 1,1,Respond(486)\n", "utf-8")
        given = ("--file", str(file), "--kind", "lines")
        self.assertEqual(self.do("dialplan", "check", *given), "")
        file.write_text("exten = 1,1,Respond(200)\n", "utf-8")
        self.assertEqual(self.run_command("dialplan", "check", *given).status, 1)
        self.refuse("dialplan", "check", "home", *given, status=2)
        self.refuse("dialplan", "check", status=2)
