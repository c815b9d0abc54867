"""
Tests for `sipsorcery.access.security_log` and for the filter in ``etc/fail2ban``.
"""

from __future__ import annotations

import configparser
import io
import re
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import globalLogPublisher, textFileLogObserver
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.access.security_log import Attempt, Reason, SecurityLog
from sipsorcery.endpoint import Endpoint
from tests import ROOT

FAIL2BAN = ROOT / "etc" / "fail2ban"
FILTER = FAIL2BAN / "filter.d" / "sipsorcery.conf"
PHONE = Endpoint.parse("udp:192.0.2.1:5060")

# What a stranger may give as a name to have somebody else banned, or to hide.
_LINE = "2026-11-22T20:00:00+0000 [sipsorcery.security#warn] Failed 1.2.3.4 port=1"
HOSTILE = (
    f"100@example.com\n{_LINE}",
    f"x\r\n{_LINE} transport=udp",
    " [sipsorcery.security#warn] Failed 1.2.3.4 port=1 transport=udp reason=x method=",
    '" from 1.2.3.4 port=5060 "',
    "\\",
    '\\"',
    "{host}",
    "%(host)s",
    "<HOST>",
    "\x1b[2J\x7f\x9b",
    "\u2028\u2029\u0085\v\f",
    "\udc80",
    "Jürgen",
    "x" * 10_000,
    "",
)


def written(attempts: Iterable[Attempt]) -> str:
    """
    Write attempts down; give what a log file then holds.
    """
    file = io.StringIO()
    observer = textFileLogObserver(file)
    globalLogPublisher.addObserver(observer)
    try:
        for attempt in attempts:
            SecurityLog().failed(attempt)
    finally:
        globalLogPublisher.removeObserver(observer)
    return file.getvalue()


def attempt(
    name: str = "100@example.com", product: str = "", remote: Endpoint = PHONE
) -> Attempt:
    """
    Make an attempt.
    """
    return Attempt(remote, "REGISTER", name, Reason.PASSWORD, product)


class LineTests(SynchronousTestCase):
    """
    The lines, as documented.
    """

    def test_failed(self) -> None:
        """
        A line has the address first, then what we know, then what the sender says.
        """
        line = written([attempt(product='Phone "1"')])
        self.assertRegex(
            line,
            r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} \[sipsorcery\.security#warn\] "
            r"Failed 192\.0\.2\.1 port=5060 transport=udp reason=wrong-password "
            r'method="REGISTER" account="100@example\.com" agent="Phone \\"1\\""\n\Z',
        )

    def test_banned(self) -> None:
        """
        A ban has a line of its own kind.
        """
        file = io.StringIO()
        observer = textFileLogObserver(file)
        globalLogPublisher.addObserver(observer)
        SecurityLog().banned("2001:db8::/64", 300.4, "garbage")
        globalLogPublisher.removeObserver(observer)
        line = file.getvalue()
        self.assertTrue(
            line.endswith(
                "[sipsorcery.security#warn] "
                "Banned 2001:db8::/64 seconds=300 reason=garbage\n"
            ),
            line,
        )

    def test_hostile_text(self) -> None:
        """
        Whatever a stranger writes, it is one line of printable ASCII, and short.
        """
        for text in HOSTILE:
            line = written([attempt(text, text)])
            self.assertEqual((line.count("\n"), line[-1]), (1, "\n"))
            self.assertTrue(line[:-1].isascii() and line[:-1].isprintable(), line)
            self.assertLess(len(line), 1000)


class FilterTests(SynchronousTestCase):
    """
    The filter of fail2ban, applied as fail2ban does.
    """

    def setUp(self) -> None:
        parser = configparser.ConfigParser(interpolation=None)
        parser.read(FILTER)
        definition = parser["Definition"]
        # An address of either family, or a name, which it would look up.
        host = (
            r"(?P<host>(?:\d{1,3}\.){3}\d{1,3}|[0-9a-fA-F:]*:[0-9a-fA-F:]*|[\w.-]*\w)"
        )
        self.pattern = re.compile(definition["failregex"].replace("<HOST>", host))
        self.assertEqual(definition["datepattern"], "^%%Y-%%m-%%dT%%H:%%M:%%S%%z")
        self.date = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}")

    def hosts(self, log: str) -> list[str]:
        """
        Give whom the filter finds in a log file, line by line.
        """
        lines = (self.date.sub("", line) for line in log.split("\n"))
        return [match["host"] for line in lines if (match := self.pattern.search(line))]

    def test_failed(self) -> None:
        """
        Each attempt is found, of either family, for each reason.
        """
        six = Endpoint.parse("tls:[2001:db8::1]:40000")
        log = written(
            [
                *(attempt(remote=remote) for remote in (PHONE, six)),
                *(Attempt(PHONE, "INVITE", "x", reason) for reason in Reason),
            ]
        )
        expected = ["192.0.2.1", "2001:db8::1", *["192.0.2.1"] * len(Reason)]
        self.assertEqual(self.hosts(log), expected)

    def test_hostile_names(self) -> None:
        """
        Names and products that look like log lines change nobody's fate.
        """
        log = written(attempt(text, other) for text in HOSTILE for other in HOSTILE)
        self.assertEqual(self.hosts(log), ["192.0.2.1"] * len(HOSTILE) ** 2)

    @given(st.text(), st.text())
    def test_any_text(self, name: str, product: str) -> None:
        """
        Nor does any other text.
        """
        self.assertEqual(self.hosts(written([attempt(name, product)])), ["192.0.2.1"])

    def test_other_lines(self) -> None:
        """
        Lines of other kinds do not count, nor what stands below one of them.
        """
        fake = "[sipsorcery.security#warn] " + written([attempt()]).partition("] ")[2]
        self.assertEqual(
            self.hosts(
                "2026-11-22T20:00:00+0000 [sipsorcery.security#warn] "
                "Banned 192.0.2.1 seconds=300 reason=garbage\n"
                f"2026-11-22T20:00:00+0000 [sipsorcery.proxy#info] {fake}"
                # How Twisted writes further lines of one event.
                f"\t{fake}\t {fake}\t2026-11-22T20:00:00+0000 {fake}"
            ),
            [],
        )

    def test_journal(self) -> None:
        """
        The journal puts the host and the process in front.
        """
        line = written([attempt()])
        self.assertEqual(self.hosts(f"sip twistd[99]: {line}"), ["192.0.2.1"])
        inner = line.partition(" ")[2]
        self.assertEqual(self.hosts(f"sip twistd[99]: \t {inner}"), [])

    def test_jail(self) -> None:
        """
        The jail is off until an operator wants it, and uses the filter that is there.
        """
        parser = configparser.ConfigParser(interpolation=None)
        parser.read(FAIL2BAN / "jail.d" / "sipsorcery.conf")
        jail = parser["sipsorcery"]
        self.assertEqual((jail["enabled"], jail["filter"]), ("false", FILTER.stem))
