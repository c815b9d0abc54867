"""
What a terminal sends.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.console.keys import Key, Keyboard, Pasted, Pressed
from sipsorcery.monitor.neutral import for_line


def keys(*pieces: bytes) -> list[Pressed]:
    """
    Give the keys of what comes in pieces.
    """
    keyboard = Keyboard()
    return [key for piece in pieces for key in keyboard.feed(piece)]


class KeyboardTests(SynchronousTestCase):
    """
    Bytes become keys.
    """

    def test_text(self) -> None:
        """
        A letter is itself, also one of several octets that come apart.
        """
        self.assertEqual(keys(b"a", b"\xc3", b"\xa9"), ["a", "é"])

    def test_controls(self) -> None:
        """
        Controls have names, and those that do nothing are left out.
        """
        self.assertEqual(
            keys(b"\r\t\x7f\x03\x04\x12\x00\x13"),
            [
                Key.ENTER,
                Key.TAB,
                Key.BACKSPACE,
                Key.CONTROL_C,
                Key.CONTROL_D,
                Key.CONTROL_R,
            ],
        )

    def test_arrows(self) -> None:
        """
        Arrows come in two dialects, and in pieces.
        """
        self.assertEqual(
            keys(b"\x1b[A\x1bOB", b"\x1b[", b"1;5C"), [Key.UP, Key.DOWN, Key.WORD_RIGHT]
        )

    def test_unknown_sequence(self) -> None:
        """
        A sequence that means nothing to us leaves nothing behind.
        """
        self.assertEqual(keys(b"\x1b[15~x\x1b[?1;2cy"), ["x", "y"])

    def test_escape(self) -> None:
        """
        Escape alone is a key.
        """
        self.assertEqual(keys(b"\x1b", b"a"), [Key.ESCAPE, "a"])

    def test_endless_sequence(self) -> None:
        """
        What looks like a sequence and never ends does not keep keys away.
        """
        found = keys(b"\x1b[" + b"1;" * 40, b"\r")
        self.assertEqual(found[-1], Key.ENTER)

    def test_paste(self) -> None:
        """
        What is pasted is one line that does not end, and holds no control.
        """
        pasted = b"\x1b[200~event *\r\nquit\r\x1b[31m\x1b[201~"
        for cut in range(len(pasted)):
            found = keys(pasted[:cut], pasted[cut:], b"z")
            if Key.ESCAPE in found:
                continue  # cut behind its first octet, it is the key
            self.assertEqual(found, [Pasted("event * quit [31m"), "z"])

    def test_long_paste(self) -> None:
        """
        A paste takes no more memory than one that fits.
        """
        keyboard = Keyboard()
        keyboard.feed(b"\x1b[200~")
        for _ in range(100):
            keyboard.feed(b"x" * 1000)
        (found,) = keyboard.feed(b"\x1b[201~")
        assert isinstance(found, Pasted)
        self.assertEqual(len(found.text), 8192)

    @given(st.lists(st.binary(max_size=40), max_size=8))
    def test_anything(self, pieces: list[bytes]) -> None:
        """
        Whatever comes, no control ever gets into a text.
        """
        for key in keys(*pieces):
            text = key.text if isinstance(key, Pasted) else key
            if isinstance(text, str):
                self.assertEqual(for_line(text), text)
