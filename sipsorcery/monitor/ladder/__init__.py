"""
A call as a ladder: its messages on all legs, and what was done in between. Pure.

`ladder_of` makes one of the events of a call; `text` and `svg` draw it.
"""

from sipsorcery.monitor.ladder.building import ladder_of
from sipsorcery.monitor.ladder.drawing_svg import svg
from sipsorcery.monitor.ladder.drawing_text import text
from sipsorcery.monitor.ladder.ladder import Ladder

__all__ = ["Ladder", "ladder_of", "svg", "text"]
