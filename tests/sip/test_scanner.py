"""
Tests for :mod:`sipsorcery.sip.scanner`.
"""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import example, given
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import key_of
from sipsorcery.sip.scanner import index_fields, split_fields

lines = st.sampled_from(
    [
        *("Subject: a", "Subject:a", "Subject:", "Subject: ", "s: \tb ", "SUBJECT : c"),
        *(
            "To: x",
            "t:x",
            "X-New: y:z",
            "x-new:",
            " fold",
            " f: e",
            "\tfold: d ",
            "",
            "no colon",
        ),
        *(": z", "b@d: name", "\udcff: u"),
    ]
)


class IndexFieldsTests(SynchronousTestCase):
    """
    The index of a head.
    """

    @given(st.lists(lines))
    @example(["Subject: a", " f: e"])
    def test_all_fields(self, rows: list[str]) -> None:
        """
        It has every field of the head under its key, from the top down, whatever way
        that is found in.
        """
        head = "".join(f"{line}\r\n" for line in ("START LINE", *rows))
        expected: dict[str, list[str]] = {}
        try:
            for spelling, text in split_fields(head):
                expected.setdefault(key_of(spelling), []).append(text)
        except ParseError as error:
            caught = self.assertRaises(ParseError, index_fields, head)
            self.assertEqual(caught.text, error.text)
        else:
            self.assertEqual(index_fields(head), expected)

    def test_plain(self) -> None:
        """
        Blanks round a value are no part of it, nor is a fold a field.
        """
        head = "START\r\nTo:  a b\t\r\nSubject: c\r\n d: e\r\nf: g\r\n"
        expected = {"to": ["a b"], "subject": ["c d: e"], "from": ["g"]}
        self.assertEqual(index_fields(head), expected)
