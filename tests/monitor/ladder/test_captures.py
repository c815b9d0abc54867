"""
Real calls as ladders, against the drawings that were looked at and kept.

``python -m tests.monitor.ladder`` draws them anew; what has changed then is seen in the
diff. ``record.py`` beside this module makes the captures.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.monitor.ladder.captures import DRAWINGS, FOLDER, drawn, names, shown


class CaptureTests(SynchronousTestCase):
    """
    Every capture, in every way that a ladder is drawn.
    """

    def test_drawings(self) -> None:
        """
        A ladder looks as it did when somebody looked at it.
        """
        self.assertGreater(len(names()), 8)
        for name in names():
            for ending in DRAWINGS:
                kept = FOLDER.joinpath(f"{name}.{ending}").read_text("utf-8")
                self.assertEqual(drawn(name, ending), kept, f"{name}.{ending}")

    def test_nothing_else(self) -> None:
        """
        There is no drawing of a capture that is gone.
        """
        endings = ("jsonl", *DRAWINGS)
        expected = {f"{name}.{ending}" for name in names() for ending in endings}
        found = {file.name for file in FOLDER.iterdir() if file.is_file()}
        self.assertEqual(found - {"__init__.py"}, expected)

    def test_documentation(self) -> None:
        """
        What the README and the manual show is what is drawn today.
        """
        for file, whole in shown().items():
            self.assertEqual(file.read_text("utf-8"), whole, file.name)
