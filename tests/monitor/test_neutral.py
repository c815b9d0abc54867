"""
Tests for `sipsorcery.monitor.neutral` and `sipsorcery.monitor.masking`.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.monitor.masking import mask
from sipsorcery.monitor.neutral import for_line, for_page, for_terminal


class NeutralTests(SynchronousTestCase):
    """
    Texts of strangers.
    """

    def test_line(self) -> None:
        """
        Neither an escape sequence nor a line of its own comes through.
        """
        self.assertEqual(for_line("a\x1b[2J\r\nb\x9bc"), r"a\x1b[2J\x0d\x0ab\x9bc")

    def test_direction(self) -> None:
        """
        Nothing turns the direction of the text round.
        """
        self.assertEqual(for_line("exe\u202egpj"), r"exe\u202egpj")

    def test_block(self) -> None:
        """
        The lines of a message stay lines; a lone CR would overwrite what stands there.
        """
        self.assertEqual(for_terminal("a\r\nb\rc"), "a\nb\\x0dc")

    def test_page(self) -> None:
        """
        A tag is text, and nothing ends an attribute.
        """
        self.assertEqual(for_page("<b \"'&"), "&lt;b &quot;&#x27;&amp;")

    @given(st.text())
    def test_any_text(self, text: str) -> None:
        """
        Whatever the text is, a line is printable as UTF-8 and has no controls.
        """
        line = for_line(text)
        line.encode()
        self.assertFalse(
            [each for each in line if ord(each) < 32 or 127 <= ord(each) < 160]
        )


class MaskTests(SynchronousTestCase):
    """
    Credentials in traces.
    """

    def test_digest(self) -> None:
        """
        The response of a digest goes, on a continuation line too; lengths stay.
        """
        data = (
            b"REGISTER sip:a SIP/2.0\r\nProxy-Authorization: Digest\r\n"
            b' username="joe", response="0123abcd"\r\nX: response=5\r\n'
        )
        self.assertEqual(mask(data), data.replace(b"0123abcd", b"********"))

    def test_scheme_that_sends_the_secret(self) -> None:
        """
        Of Basic and Bearer nothing stays, in any case of the letters.
        """
        for scheme in (b"Basic", b"BEARER"):
            data = b"authorization: " + scheme + b" c2VjcmV0==\r\n\r\n"
            self.assertEqual(mask(data), data.replace(b"c2VjcmV0==", b"*" * 10))

    def test_proof_of_the_server(self) -> None:
        """
        What a server proves itself with helps a guesser just as much.
        """
        data = b'SIP/2.0 200 OK\r\nAuthentication-Info: rspauth="ab12"\r\n\r\n'
        self.assertEqual(mask(data), data.replace(b"ab12", b"****"))
