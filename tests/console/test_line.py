"""
The line that somebody types.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.console.history import History
from sipsorcery.console.keys import Key, Pasted, Pressed
from sipsorcery.console.line import Choice, Line, Outcome

_WORDS = ("calls", "call", "ladder")


def complete(text: str) -> list[str]:
    """
    Complete a line of one word.
    """
    return [word for word in _WORDS if word.startswith(text)]


class LineTests(SynchronousTestCase):
    """
    Editing one line.
    """

    def setUp(self) -> None:
        self.history = History(kept=3)
        self.line = Line(self.history, complete)

    def press(self, *keys: Pressed) -> Outcome | Choice:
        """
        Press keys; give what the last one has led to.
        """
        outcome: Outcome | Choice = Outcome.EDITED
        for key in keys:
            outcome = self.line.press(key)
        return outcome

    def enter(self, text: str) -> None:
        """
        Type a whole line.
        """
        self.press(*text)
        self.assertEqual(self.press(Key.ENTER), Outcome.ENTERED)
        self.assertEqual(self.line.take(), text)

    def test_insert_in_the_middle(self) -> None:
        """
        What is typed goes where the cursor is, and moves nothing away.
        """
        self.press(*"ac", Key.LEFT, "b")
        self.assertEqual((self.line.text, self.line.cursor), ("abc", 2))

    def test_backspace_in_the_middle(self) -> None:
        """
        Backspace takes what is left of the cursor, not the end of the line.
        """
        self.press(*"abc", Key.LEFT, Key.BACKSPACE)
        self.assertEqual((self.line.text, self.line.cursor), ("ac", 1))

    def test_words(self) -> None:
        """
        One can go and cut by words.
        """
        self.press(*"event dialplan", Key.WORD_LEFT)
        self.assertEqual(self.line.cursor, 6)
        self.press(Key.WORD_LEFT, Key.WORD_RIGHT)
        self.assertEqual(self.line.cursor, 5)
        self.press(Key.END, Key.CONTROL_W)
        self.assertEqual(self.line.text, "event ")

    def test_limit(self) -> None:
        """
        A line ends at 2,000 characters, also for what is pasted.
        """
        self.assertEqual(self.press(Pasted("x" * 2001)), Outcome.REFUSED)
        self.press(Pasted("x" * 2000))
        self.assertEqual(self.press("y"), Outcome.REFUSED)
        self.assertEqual(len(self.line.text), 2000)

    def test_leaving(self) -> None:
        """
        Ctrl-D leaves from an empty line only; Ctrl-C empties one.
        """
        self.assertEqual(self.press("a", Key.HOME, Key.CONTROL_D), Outcome.EDITED)
        self.assertEqual(self.press(Key.CONTROL_D), Outcome.LEFT)
        self.assertEqual(self.press("a", Key.CONTROL_C), Outcome.CANCELLED)
        self.assertEqual(self.line.text, "")

    def test_history(self) -> None:
        """
        Up and down go through the lines, and back to what was being typed.
        """
        for text in ("one", "two", "two", " "):
            self.enter(text)
        self.press(*"new", Key.UP)
        self.assertEqual(self.line.text, "two")
        self.press(Key.UP)
        self.assertEqual(self.line.text, "one")
        self.assertEqual(self.press(Key.UP), Outcome.REFUSED)
        self.press(Key.DOWN, Key.DOWN)
        self.assertEqual(self.line.text, "new")

    def test_history_is_bounded(self) -> None:
        """
        Of more lines than are kept, the oldest goes.
        """
        for text in "abcd":
            self.enter(text)
        self.assertEqual([self.history[place] for place in range(3)], ["b", "c", "d"])

    def test_search(self) -> None:
        """
        Ctrl-R finds the last line with a part in it, and again the one before.
        """
        for text in ("event dialplan", "calls", "event full"):
            self.enter(text)
        self.press(Key.CONTROL_R, *"ev")
        self.assertEqual(self.line.text, "event full")
        self.press(Key.CONTROL_R)
        self.assertEqual(self.line.text, "event dialplan")
        self.assertEqual(self.press(Key.ENTER), Outcome.ENTERED)
        self.assertEqual(self.line.take(), "event dialplan")

    def test_search_given_up(self) -> None:
        """
        Ctrl-G gives back what stood there; what is not found rings.
        """
        self.enter("calls")
        self.press("x", Key.CONTROL_R, "c")
        self.assertEqual(self.press("z"), Outcome.REFUSED)
        self.assertEqual(self.line.text, "calls")
        self.press(Key.CONTROL_G)
        self.assertEqual((self.line.text, self.line.searched), ("x", None))

    def test_completion(self) -> None:
        """
        Tab completes what is certain, and then shows what there is.
        """
        self.press("c", Key.TAB)
        self.assertEqual(self.line.text, "call")
        self.assertEqual(self.press(Key.TAB), Choice(("calls", "call")))
        self.press(Key.CONTROL_U, "l", Key.TAB)
        self.assertEqual(self.line.text, "ladder ")
        self.assertEqual(self.press(Key.CONTROL_U, "x", Key.TAB), Outcome.REFUSED)

    @given(
        st.lists(
            st.one_of(
                st.sampled_from([key for key in Key if key is not Key.ENTER]),
                st.sampled_from("ab c"),
            ),
            max_size=60,
        )
    )
    def test_cursor(self, pressed: list[Pressed]) -> None:
        """
        Whatever is pressed, the cursor stays in the line.
        """
        line = Line(History(), complete)
        for key in pressed:
            line.press(key)
            self.assertTrue(0 <= line.cursor <= len(line.text))
