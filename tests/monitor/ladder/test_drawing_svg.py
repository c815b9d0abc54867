"""
Tests for `sipsorcery.monitor.ladder.drawing_svg`.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.monitor.event import EventKind
from sipsorcery.monitor.ladder import ladder_of, svg
from sipsorcery.monitor.ladder.ladder import Arrow
from tests.monitor.ladder.captures import events, names
from tests.monitor.ladder.events import START, message, told

_SVG = "{http://www.w3.org/2000/svg}"
_HARMLESS = {
    *("svg", "title", "desc", "style", "rect", "path", "g", "text"),
}


class PictureTests(SynchronousTestCase):
    """
    Pictures that stand alone.
    """

    def test_captures(self) -> None:
        """
        Each is well-formed, begins with what it shows, and has all messages in order as
        text.
        """
        for name in names():
            ladder = ladder_of(events(name))
            root = ElementTree.fromstring(svg(ladder))
            title, description, *_ = root
            self.assertEqual(title.text, ladder.title)
            self.assertIn(ladder.outcome, description.text or "")
            ids = {title.get("id"), description.get("id")}
            self.assertEqual(set(root.get("aria-labelledby", "").split()), ids)
            said = [each.text for each in root.iter(f"{_SVG}text")]
            for row in ladder.rows:
                if isinstance(row, Arrow) and len(row.times) == 1:
                    start = row.label[:8]
                    found = next(
                        n
                        for n, each in enumerate(said)
                        if each and each.startswith(start)
                    )
                    del said[:found]

    def test_within(self) -> None:
        """
        Nothing stands outside of the picture.
        """
        for name in names():
            root = ElementTree.fromstring(svg(ladder_of(events(name))))
            width, height = (int(root.get(each, "")) for each in ("width", "height"))
            for each in root.iter():
                x, y = (float(each.get(axis, 0)) for axis in "xy")
                right = x + float(each.get("width", 0))
                self.assertTrue(0 <= x <= right <= width and 0 <= y <= height, name)

    def test_names(self) -> None:
        """
        Several on a page have identifiers of their own.
        """
        self.assertIn('id="second-title"', svg(ladder_of([message()]), name="second"))


class HostileTests(SynchronousTestCase):
    """
    What strangers say in a picture.
    """

    def test_markup(self) -> None:
        """
        It is text, never an element or an attribute.
        """
        evil = '"><script>alert(1)</script><a href="javascript:x">]]>&amp;'
        picture = svg(
            ladder_of(
                [
                    message(
                        f"SIP/2.0 486 {evil}",
                        f"Reason: {evil}",
                        sender=f'"{evil}" <sip:100@example.com>;tag=1',
                    ),
                    told(EventKind.DIALPLAN_STEP, evil, plan=evil),
                    told(EventKind.CALL_STARTED, evil),
                ]
            )
        )
        self.assert_harmless(picture)
        root = ElementTree.fromstring(picture)
        self.assertIn("<script>", "".join(root.itertext()))

    @given(st.text(max_size=60))
    def test_any_text(self, said: str) -> None:
        """
        Nothing that is said makes it anything but a picture.
        """
        self.assert_harmless(
            svg(
                ladder_of(
                    [
                        told(EventKind.DIALPLAN_STEP, said, time=START + 1),
                        told(EventKind.CALL_STARTED, said),
                    ]
                )
            )
        )

    def assert_harmless(self, picture: str) -> None:
        """
        Check that a picture has only what draws.
        """
        root = ElementTree.fromstring(picture)
        found = {each.tag.removeprefix(_SVG) for each in root.iter()}
        self.assertLessEqual(found, _HARMLESS)
        for each in root.iter():
            for attribute in each.attrib:
                self.assertFalse(attribute.startswith("on") or "href" in attribute)
        self.assertIsNone(re.search(r"url\(|@import", picture))
