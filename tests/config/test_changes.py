"""
Tests for `sipsorcery.config.changes`.
"""

from __future__ import annotations

from dataclasses import fields

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.config import Config, key_paths, parse
from sipsorcery.config.changes import AT_ONCE, Changes, compare

BEFORE = parse(b"[limits]\nban = 7\n[proxy]\nlisten = ['udp:192.0.2.1:5060']\n")
AFTER = parse(
    b"[limits]\nban = 8\nincoming = '9/m'\n"
    b"[proxy]\nlisten = ['udp:192.0.2.2:5060']\ndispatch_by = 'user'\n"
    b"[[trunk]]\nname = 'a'\nnetworks = ['192.0.2.0/24']\n"
    b"[[user_agent]]\npattern = '^Nokia'\n"
)


class CompareTests(SynchronousTestCase):
    """
    What differs.
    """

    def test_nothing(self) -> None:
        """
        The same text, read twice, is the same: patterns and networks as well.
        """
        text = (
            b"[[trunk]]\nname = 'a'\nnetworks = ['192.0.2.0/24']\n"
            b"[[user_agent]]\npattern = '^Nokia'\n"
        )
        self.assertEqual(compare(parse(text), parse(text)), Changes())

    def test_paths(self) -> None:
        """
        Each key that differs is named by its path, an array of tables by its own.
        """
        self.assertEqual(
            compare(BEFORE, AFTER),
            Changes(
                (
                    *("proxy.dispatch_by", "trunk", "user_agent"),
                    *("limits.ban", "limits.incoming"),
                ),
                ("proxy.listen",),
            ),
        )

    def test_apply(self) -> None:
        """
        What holds at once is taken over, and nothing else is touched; what is left
        over is named again the next time.
        """
        now = compare(BEFORE, AFTER).apply(BEFORE, AFTER)
        self.assertEqual(now.limits, AFTER.limits)
        self.assertEqual(now.trunk, AFTER.trunk)
        self.assertEqual(now.proxy.dispatch_by, AFTER.proxy.dispatch_by)
        self.assertEqual(now.proxy.listen, BEFORE.proxy.listen)
        self.assertEqual(compare(now, AFTER), Changes((), ("proxy.listen",)))


class TableTests(SynchronousTestCase):
    """
    The keys that hold at once.
    """

    def test_names(self) -> None:
        """
        Each name in the table is a key, or a section, that exists.
        """
        sections = {field.name for field in fields(Config)}
        self.assertEqual(AT_ONCE - sections - set(key_paths()), set())
