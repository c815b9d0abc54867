"""
Tests for :mod:`sipsorcery.logs.lines`.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import LogLevel
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.logs.lines import FORMATS, as_json, as_text


def entry(format: str = "{text}", **fields: Any) -> dict[str, Any]:
    """
    Make an entry as twisted.logger hands it over.
    """
    return {
        "log_time": 1763841240.25,
        "log_level": LogLevel.warn,
        "log_namespace": "sipsorcery.proxy.service",
        "log_format": format,
        **fields,
    }


def trouble(secret: str) -> Failure:
    """
    Make what an exception leaves, with something in its variables.
    """
    try:
        raise ValueError(f"the length is {len(secret)}")
    except ValueError:
        return Failure(captureVars=True)


class TextTests(SynchronousTestCase):
    """
    Lines for people.
    """

    def test_line(self) -> None:
        """
        A line says when, where, how grave it is, and what.
        """
        line = as_text(entry("Call {call_id} is lost", call_id="c1"))
        self.assertRegex(
            line,
            r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} "
            r"\[sipsorcery\.proxy\.service#warn\] Call c1 is lost\n$",
        )

    def test_traceback(self) -> None:
        """
        A traceback follows, indented, so that no line of it looks like an entry; the
        values of variables are not in it.
        """
        text = as_text(entry("It fails", log_failure=trouble("hunter2")))
        first, *more = text.splitlines()
        self.assertTrue(first.endswith("It fails"))
        self.assertIn("ValueError: the length is 7", text)
        self.assertTrue(all(line.startswith("    ") for line in more))
        self.assertNotIn("hunter2", text)


class JSONTests(SynchronousTestCase):
    """
    Lines for programs.
    """

    def test_fields(self) -> None:
        """
        An object has the time in UTC, the level, the text and the fields.
        """
        line = as_json(entry("Call {call_id} is lost", call_id="c1", number=3))
        self.assertEqual(
            json.loads(line),
            {
                "time": "2025-11-22T19:54:00.250000+00:00",
                "level": "warn",
                "logger": "sipsorcery.proxy.service",
                "text": "Call c1 is lost",
                "call_id": "c1",
                "number": 3,
            },
        )

    def test_fields_that_are_no_json(self) -> None:
        """
        What JSON cannot say is said as text, and what is empty is left out.
        """
        made = json.loads(as_json(entry("x", error=ValueError("no"), empty=None)))
        self.assertEqual(made["error"], "no")
        self.assertNotIn("empty", made)

    def test_secrets(self) -> None:
        """
        What opens something is not written, whoever has put it into an entry.
        """
        fields = {"password": "hunter2", "flow_token": "hunter2"}
        self.assertNotIn("hunter2", as_json(entry("x", **fields)))
        trouble_line = as_json(entry("x", log_failure=trouble("hunter2")))
        self.assertIn("ValueError", json.loads(trouble_line)["traceback"])
        self.assertNotIn("hunter2", trouble_line)


class BothTests(SynchronousTestCase):
    """
    What holds in each format.
    """

    @given(st.text())
    def test_one_line(self, text: str) -> None:
        """
        Whatever a stranger has sent, an entry is one line, without control characters,
        that can be written as UTF-8.
        """
        for format in FORMATS.values():
            line = format(entry(text=f"x{text}"))
            self.assertEqual(len(line.splitlines()), 1)
            self.assertTrue(line.endswith("\n"))
            self.assertEqual([c for c in line[:-1] if ord(c) < 32], [])
            line.encode("utf-8")

    def test_proofs(self) -> None:
        """
        The proof of a password in a SIP message is masked.
        """
        field = 'Authorization: Digest username="a", response="0123456789abcdef"'
        for format in FORMATS.values():
            line = format(entry("Bad message: {data}", data=f"X\r\n{field}\r\n"))
            self.assertNotIn("0123456789abcdef", line)
            self.assertIn("username", line)

    def test_nothing(self) -> None:
        """
        An entry without a text makes no line.
        """
        for format in FORMATS.values():
            self.assertEqual(format(entry("")), "")
