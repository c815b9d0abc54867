"""
Tests for `sipsorcery.store.directory.dialplans`.
"""

from __future__ import annotations

from sipsorcery.store.directory import Language
from sipsorcery.store.directory.dialplans import KEPT_VERSIONS, MAX_SCRIPT
from sipsorcery.store.errors import NotFound, Refused
from tests.store.directory.cases import DirectoryCase


class DialplansTests(DirectoryCase):
    """
    The tables of dialplans and their versions.
    """

    def setUp(self) -> None:
        super().setUp()
        self.plans = self.joe.dialplans

    def test_put(self) -> None:
        """
        A dialplan is found by name, for its owner, in upper or lower case.
        """
        script = "sys.dial('100@local')\n"
        plan = self.do(self.plans.put("Default", script, note="first"))
        self.assertEqual((plan.owner, plan.name, plan.version), ("joe", "Default", 1))
        self.assertEqual((plan.kind, plan.script), (Language.PYTHON, script))
        self.assertEqual(self.do(self.plans.find("default")), plan)
        self.assertEqual(self.do(self.plans.all()), [plan])
        self.assertIsNone(self.do(self.eve.dialplans.find("default")))
        self.do(self.eve.dialplans.put("default", ""))

    def test_versions(self) -> None:
        """
        Another script is another version, with its author; all are kept.
        """
        self.do(self.plans.put("a", "one", note="the first"))
        self.reactor.advance(60)
        admin = self.directory.of("joe", as_admin=True).dialplans
        plan = self.do(admin.put("A", "two", Language.LINES, author="root"))
        self.assertEqual((plan.version, plan.script), (2, "two"))
        self.assertEqual((plan.kind, plan.name), (Language.LINES, "a"))
        self.assertEqual((plan.updated - plan.created).total_seconds(), 60)
        versions = self.do(self.plans.versions("a"))
        self.assertEqual(
            [(v.number, v.kind, v.script, v.author, v.note) for v in versions],
            [
                (2, Language.LINES, "two", "root", ""),
                (1, Language.PYTHON, "one", "joe", "the first"),
            ],
        )
        self.refuse(NotFound, self.eve.dialplans.versions("a"))

    def test_same_again(self) -> None:
        """
        What is as it was makes no version; the same text in another language does.
        """
        self.do(self.plans.put("a", "one"))
        self.assertEqual(self.do(self.plans.put("a", "one")).version, 1)
        self.assertEqual(self.do(self.plans.put("a", "one", Language.LINES)).version, 2)

    def test_revert(self) -> None:
        """
        To go back is to make the old version the newest.
        """
        for script in ("one", "two", "three"):
            self.do(self.plans.put("a", script))
        plan = self.do(self.plans.revert("a", 1))
        self.assertEqual((plan.version, plan.script), (4, "one"))
        newest = self.do(self.plans.versions("a"))[0]
        self.assertEqual((newest.author, newest.note), ("joe", "as version 1"))
        self.refuse(NotFound, self.plans.revert("a", 9))
        self.refuse(NotFound, self.plans.revert("b", 1))

    def test_old_versions_go(self) -> None:
        """
        Of very many versions the oldest are not kept.
        """
        for number in range(KEPT_VERSIONS + 5):
            self.do(self.plans.put("a", f"{number}"))
        numbers = [each.number for each in self.do(self.plans.versions("a"))]
        self.assertEqual(numbers, list(range(KEPT_VERSIONS + 5, 5, -1)))

    def test_change(self) -> None:
        """
        Its options belong to the dialplan and not to a version.
        """
        self.do(self.plans.put("a", "one"))
        options = {"speed_dials": {"1": "sip:mum@example.com"}, "country_code": 353}
        plan = self.do(self.plans.change("a", options=options, accepts_non_invite=True))
        self.assertEqual((plan.version, plan.options), (1, options))
        self.assertTrue(plan.accepts_non_invite)
        self.assertEqual(self.do(self.plans.put("a", "two")).options, options)
        self.refuse(TypeError, self.plans.change("a", script="three"))
        self.refuse(Refused, self.plans.change("a", max_executions=100))
        admin = self.directory.of("joe", as_admin=True).dialplans
        self.assertEqual(self.do(admin.change("a", max_executions=9)).max_executions, 9)
        self.refuse(NotFound, self.eve.dialplans.change("a", options={}))

    def test_refused(self) -> None:
        """
        A name is one line, and a script is text of a length that can be run.
        """
        for name in ("", " ", "a\nb", "x" * 65, "\udc80"):
            self.refuse(Refused, self.plans.put(name, ""))
        for script in ("x" * (MAX_SCRIPT + 1), "a\0b", "\udc80"):
            self.refuse(Refused, self.plans.put("a", script))
        self.refuse(ValueError, self.plans.put("a", "", "ruby"))  # type: ignore[arg-type]
        self.do(self.plans.put("a name with spaces", "x" * MAX_SCRIPT))

    def test_remove(self) -> None:
        """
        A dialplan goes with all its versions.
        """
        self.do(self.plans.put("a", "one"))
        self.refuse(NotFound, self.eve.dialplans.remove("a"))
        self.do(self.plans.remove("a"))
        self.assertIsNone(self.do(self.plans.find("a")))
        self.refuse(NotFound, self.plans.remove("a"))
        self.assertEqual(self.do(self.plans.put("a", "new")).version, 1)
        self.assertEqual(len(self.do(self.plans.versions("a"))), 1)
