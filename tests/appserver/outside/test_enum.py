"""
Tests for :mod:`sipsorcery.appserver.outside.enum`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.outside.enum import ENUMError, Rule, choose, read_question


def rule(
    regexp: str, order: int = 10, preference: int = 10, service: str = "E2U+sip"
) -> Rule:
    """
    Make a record.
    """
    return Rule(order, preference, "u", service, regexp)


class QuestionTests(SynchronousTestCase):
    def test_number(self) -> None:
        """
        The digits of a number are asked for in reverse, whatever stands between them.
        """
        for text in ("441234.e164.arpa", "+44-12 34.e164.arpa", "+441234.E164.ARPA."):
            question = read_question(text)
            self.assertEqual(question.name, "4.3.2.1.4.4.e164.arpa", text)
            self.assertEqual(question.number, "441234")

    def test_dotted(self) -> None:
        """
        Labels that stand in their order already are asked for as they are.
        """
        question = read_question("4.3.2.1.4.4.e164.arpa")
        self.assertEqual(question.name, "4.3.2.1.4.4.e164.arpa")
        self.assertEqual(question.number, "441234")

    def test_neither(self) -> None:
        """
        What has no digits, too many, or no domain is refused.
        """
        for text in ("", "441234", "x.e164.arpa", "1" * 40 + ".e164.arpa", "1.a b.c"):
            self.assertRaises(ENUMError, read_question, text)


class ChoiceTests(SynchronousTestCase):
    def test_replacement(self) -> None:
        """
        The expression is tried on the number with its plus, then without.
        """
        cases = [
            (r"!^\+44(.*)$!sip:\1@example.com!", "sip:1234@example.com"),
            (r"!^44(.*)$!sip:\1@example.com!", "sip:1234@example.com"),
            (r"!^.*$!sip:info@example.com!", "sip:info@example.com"),
            (r"!^\+(4+)(.*)$!sip:\2.\1@example.com!i", "sip:1234.44@example.com"),
            (r"/^.*$/sip:a\/b@example.com/", r"sip:a\/b@example.com"),
        ]
        for regexp, expected in cases:
            self.assertEqual(choose([rule(regexp)], "441234"), expected, regexp)

    def test_best(self) -> None:
        """
        The lowest order counts, then the lowest preference; a rule without a match does
        not.
        """
        rules = [
            rule("!^.*$!sip:c@x!", 20, 1),
            rule("!^.*$!sip:b@x!", 10, 20),
            rule("!^.*$!sip:a@x!", 10, 10),
            rule("!^99!sip:none@x!", 1, 1),
        ]
        self.assertEqual(choose(rules, "441234"), "sip:a@x")

    def test_unusable(self) -> None:
        """
        Other services and broken rules lead nowhere.
        """
        rules = [
            rule("!^.*$!mailto:a@x!", service="E2U+email"),
            Rule(1, 1, "s", "E2U+sip", "!^.*$!sip:a@x!"),
            rule(""),
            rule("!"),
            rule("!(!sip:a@x!"),
            rule("!^.*$!sip:a@x"),
            rule("!^.*$!!"),
            rule("!^.*$!sip:" + "a" * 600 + "@x!"),
            rule("!^.*$!sip:a\r\nb@x!"),
        ]
        self.assertIsNone(choose(rules, "441234"))
