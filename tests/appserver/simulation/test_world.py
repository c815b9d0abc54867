"""
Tests for :mod:`sipsorcery.appserver.simulation.world`.
"""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.simulation.errors import WorldError
from sipsorcery.appserver.simulation.world import (
    MAX_ENTRIES,
    MAX_FILE,
    World,
    WorldAccount,
    WorldProvider,
    fits,
)

TOML = """
at = "Sat 23:10"
domains = ["example.com"]
gives_up = 20

[legs]
"101@example.com" = "busy after 3 s"

[accounts]
"102@example.com" = { owner = "eve" }

[providers]
trunk = "sip:trunk.example"
other = { server = "sip:other.example", username = "42" }
"""


class WorldTests(SynchronousTestCase):
    def test_toml_and_json(self) -> None:
        """
        A world is the same in TOML, in JSON and in Python.
        """
        written = {
            "at": "Sat 23:10",
            "domains": ["example.com"],
            "gives_up": 20,
            "legs": {"101@example.com": "busy after 3 s"},
            "accounts": {"102@example.com": {"owner": "eve"}},
            "providers": {
                "trunk": "sip:trunk.example",
                "other": {"server": "sip:other.example", "username": "42"},
            },
        }
        worlds = [
            World.read(TOML),
            World.read(json.dumps(written)),
            World(**written).checked(),  # type: ignore[arg-type]  # as users write it
        ]
        for world in worlds:
            self.assertEqual(world, worlds[0])
        self.assertEqual(
            worlds[0].accounts, {"102@example.com": WorldAccount(owner="eve")}
        )
        self.assertEqual(
            worlds[0].provider("trunk"), WorldProvider(server="sip:trunk.example")
        )
        self.assertEqual(worlds[0].provider("nobody"), None)

    def test_faults(self) -> None:
        """
        A fault is told with the path to it.
        """
        cases = {
            "colour = 1": "unknown field `colour`",
            "[legs]\na = 1": r"at `\$\.legs",
            "[legs]\n'a@b' = 'sings'": r"'sings' is none of.* at `\$\.legs\['a@b'\]`",
            "[bindings]\na = [1]": r"at `\$\.bindings\[\.\.\.\]\[0\]`",
            "gives_up = -1": r"at `\$\.gives_up`",
            "time_zone = 'Mars/Base'": r"no time zone 'Mars/Base' - at `\$\.time_zone`",
            "[bindings]\n101 = []": r"'101' is not like.* at `\$\.bindings`",
            "[accounts.'*@a']": r"is not like.* at `\$\.accounts`",
            "[bindings]\n'1@a' = ['x']": r"no contact.* at `\$\.bindings\['1@a'\]`",
            "[enum]\nx = 'sip:1@a'": r"'x': .* at `\$\.enum`",
            "[plans.a]\nscript = ''\nkind = 'ruby'": r"'ruby' - at `\$\.plans",
            "at = 'x": "",
            '{"at": ': "",
            "[accounts.a]\ncolour = 1": r"at `\$\.accounts\[\.\.\.\]`",
        }
        for text, message in cases.items():
            with self.assertRaisesRegex(WorldError, message):
                World.read(text)

    def test_bounds(self) -> None:
        """
        A file, a table and a name have an end.
        """
        many = {f"{number}@example.com": "busy" for number in range(MAX_ENTRIES + 1)}
        for text in (
            "#" * (MAX_FILE + 1),
            json.dumps({"legs": many}),
            json.dumps({"legs": {"x" * 257: "busy"}}),
            "[" * 100_000,
        ):
            self.assertRaises(WorldError, World.read, text)

    def test_python(self) -> None:
        """
        What is wrong in Python is told as it is in a file.
        """
        with self.assertRaisesRegex(WorldError, r"at `\$\.legs\['101@a'\]`"):
            World(legs={"101@a": "sings"}).checked()
        with self.assertRaisesRegex(WorldError, r"at `\$\.at`"):
            World(at=5).checked()  # type: ignore[arg-type]  # that is the point


class PatternTests(SynchronousTestCase):
    def test_fits(self) -> None:
        """
        One star in each half stands for anything; a host alone is for all its users.
        """
        for pattern in (
            *("101@example.com", "sip:101@Example.com", "*@example.com", "*", "1*@*"),
            *("example.com", "*1@example.com", "1*1@ex*", "101@*.com"),
        ):
            self.assertTrue(fits(pattern, "101@example.com"), pattern)
        for pattern in (
            *("10@example.com", "102@example.com", "*@example.org", "1010*@*", ""),
            *("example", "101*101@example.com", "101@*.com*"),
        ):
            self.assertFalse(fits(pattern, "101@example.com"), pattern)
