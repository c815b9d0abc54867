"""
Tests for :mod:`sipsorcery.appserver.python.declarations`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.python.declarations import DECLARED, read

FUNCTIONS = DECLARED["Sys"].functions


class DeclarationTests(SynchronousTestCase):
    def test_bind(self) -> None:
        """
        Arguments get their names; what is left out stays out.
        """
        self.assertEqual(
            FUNCTIONS["dial"].bind(["100@local"], {"limit": 60}),
            {"to": "100@local", "limit": 60},
        )
        self.assertEqual(
            FUNCTIONS["gtalk"].bind(["a", "b"], {}), {"arguments": ["a", "b"]}
        )

    def test_bind_wrongly(self) -> None:
        """
        A missing, a surplus and an unknown argument are errors that name the function.
        """
        cases = [((), {}), (("a", 1, 2, 3), {}), (("a",), {"colour": 1})]
        for arguments, named in cases:
            with self.assertRaisesRegex(TypeError, "^dial: "):
                FUNCTIONS["dial"].bind(arguments, named)

    def test_names(self) -> None:
        """
        What sys does has its plain name, what other objects do has theirs before it.
        """
        self.assertEqual(FUNCTIONS["dial"].name, "dial")
        other = DECLARED["CRM"].functions["lookup_contact"]
        self.assertEqual((other.name, other.gives), ("crm.lookup_contact", "Contact"))

    def test_gives(self) -> None:
        """
        The class of a result is known, also in a list and where it may be None.
        """
        found = {name: each.gives for name, each in FUNCTIONS.items()}
        self.assertEqual(found["dial"], "DialResult")
        self.assertEqual(found["get_bindings"], "Binding")
        self.assertEqual(found["send_request"], "Response")
        self.assertEqual(found["db_read"], "")

    def test_read(self) -> None:
        """
        Attributes and functions of a class are read in their order.
        """
        declared = read("class A:\n    x: int\n    y: str\n    def f(self): ...\n")["A"]
        self.assertEqual(declared.attributes, ("x", "y"))
        self.assertEqual(list(declared.functions), ["f"])
