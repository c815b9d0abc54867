"""
Tests for :mod:`sipsorcery.logs.observer`.
"""

from __future__ import annotations

import json
import stat
from pathlib import Path

from twisted.logger import Logger
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.config import ConfigError, parse
from sipsorcery.logs.lines import as_text
from sipsorcery.logs.observer import FileObserver, Journal


class FileObserverTests(SynchronousTestCase):
    """
    The file of the log.
    """

    def setUp(self) -> None:
        self.path = Path(self.mktemp()) / "sip.log"

    def logger(self, room: str, configuration: str = "") -> Logger:
        """
        Give what a part of a role logs with.
        """
        log = parse(f"[log]\nfile = '{self.path}'\n{configuration}".encode()).log
        observer = Journal(log, None)
        self.file = observer.file
        return Logger(namespace=f"sipsorcery.{room}", observer=observer)

    def lines(self, path: Path | None = None) -> list[str]:
        """
        Read what was written.
        """
        return (path or self.path).read_text("utf-8").splitlines()

    def test_file(self) -> None:
        """
        Each entry is there at once, behind what was there before; strangers cannot read
        the file.
        """
        self.path.parent.mkdir()
        self.path.write_text("before\n")
        self.path.unlink()
        log = self.logger("proxy")
        log.info("one")
        log.info("two")
        self.assertEqual([line[-3:] for line in self.lines()], ["one", "two"])
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode) & 0o007, 0)

    def journal(self, text: str) -> tuple[Journal, Logger]:
        """
        Give the log of a configuration, and what a part of the proxy logs with.
        """
        journal = Journal(parse(text.encode()).log, None)
        return journal, Logger(namespace="sipsorcery.proxy", observer=journal)

    def test_reconfigured(self) -> None:
        """
        Another file, format or level holds from the next entry on.
        """
        journal, log = self.journal(f"log.file = '{self.path}'")
        other = self.path.with_name("other.log")
        log.info("one")
        text = f"[log]\nfile = '{other}'\nformat = 'json'\nproxy = 'warn'"
        journal.reconfigure(parse(text.encode()))
        log.info("two")
        log.warn("three")
        self.assertEqual([line[-3:] for line in self.lines()], ["one"])
        (line,) = self.lines(other)
        self.assertEqual(json.loads(line)["text"], "three")

    def test_cannot_be_reconfigured(self) -> None:
        """
        A file that cannot be opened is a fault with its key, and the log goes on as it
        was.
        """
        journal, log = self.journal(f"log.file = '{self.path}'")
        log.info("one")
        wrong = parse(f"[log]\nfile = '{self.path}/x'\nlevel = 'error'".encode())
        fault = self.assertRaises(ConfigError, journal.reconfigure, wrong)
        self.assertTrue(str(fault).startswith("log.file: "))
        log.info("two")
        self.assertEqual([line[-3:] for line in self.lines()], ["one", "two"])

    def test_reopened(self) -> None:
        """
        After the file was moved away, a new one goes on.
        """
        log = self.logger("proxy")
        log.info("one")
        moved = self.path.rename(self.path.with_suffix(".1"))
        log.info("two")
        self.file.reopen()
        log.info("three")
        self.assertEqual([line[-3:] for line in self.lines(moved)], ["one", "two"])
        self.assertEqual([line[-5:] for line in self.lines()], ["three"])

    def test_cannot_be_reopened(self) -> None:
        """
        If there can be no new file, the old one goes on.
        """
        log = self.logger("proxy")
        moved = self.path.parent.rename(self.path.parent.with_name("moved"))
        self.path.parent.write_text("no folder any more")
        self.file.reopen()
        log.info("one")
        self.assertEqual(len(self.lines(moved / self.path.name)), 1)

    def test_levels(self) -> None:
        """
        Each role has a level of its own, or that for all.
        """
        levels = 'level = "warn"\nproxy = "debug"\nssh = "error"'
        for room, expected in (
            ("proxy.relay", ["debug", "info", "warn", "error"]),
            ("registrar.service", ["warn", "error"]),
            ("console.session", ["error"]),
        ):
            log = self.logger(room, levels)
            for level in ("debug", "info", "warn", "error"):
                getattr(log, level)(level)
            self.assertEqual([each.split()[-1] for each in self.lines()], expected)
            self.path.unlink()

    def test_json(self) -> None:
        """
        The format is that of the configuration.
        """
        self.logger("proxy", 'format = "json"').info("a {b}", b=1)
        (line,) = self.lines()
        self.assertEqual(json.loads(line)["b"], 1)

    def test_that_cannot_be_written(self) -> None:
        """
        Who logs does not fail when the log does; it is counted.
        """
        file = FileObserver(Path("/dev/full"), as_text)
        log = Logger(namespace="x", observer=file)
        log.info("one")
        log.info("two")
        self.assertEqual(file.lost, 2)
