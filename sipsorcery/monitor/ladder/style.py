"""
How a picture of a ladder looks, on light and dark pages.
"""

from __future__ import annotations

from string import Template
from typing import Final

# Every viewer reads these: no variables, which some do not know.
_SHAPES = """
.ladder { font: 12px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
.ladder .title { font-size: 16px; font-weight: bold; }
.ladder .name, .ladder .success, .ladder .failure { font-weight: bold; }
.ladder .name, .ladder .middle { text-anchor: middle; }
.ladder .rail { stroke-dasharray: 3 3; }
.ladder .line { stroke-width: 1.5; }
.ladder .head { stroke: none; }
.ladder .again { stroke-dasharray: 7 3; }
.ladder .left-out { font-style: italic; }
"""
_COLOURS = Template("""
.ladder .paper { fill: $paper; }
.ladder text { fill: $ink; }
.ladder .dim { fill: $dim; }
.ladder .rail { stroke: $rail; }
.ladder .box { fill: $box; stroke: $rail; }
.ladder .ours { fill: $ours; stroke: $leg0; }
.ladder .success { fill: $good; }
.ladder .failure, .ladder .trouble { fill: $bad; }
.ladder .leg0 { stroke: $leg0; fill: $leg0; }
.ladder .leg1 { stroke: $leg1; fill: $leg1; }
.ladder .leg2 { stroke: $leg2; fill: $leg2; }
.ladder .leg3 { stroke: $leg3; fill: $leg3; }
.ladder .leg4 { stroke: $leg4; fill: $leg4; }
.ladder .leg5 { stroke: $leg5; fill: $leg5; }
""")
# All texts have a contrast of at least 4.5 (WCAG 2.2, 1.4.3).
_LIGHT = _COLOURS.substitute(
    paper="#ffffff",
    ink="#1f2328",
    dim="#59636e",
    rail="#c4ccd4",
    box="#f6f8fa",
    ours="#e8f0fe",
    good="#1a7f37",
    bad="#c21d29",
    leg0="#0b5cad",
    leg1="#8a3ab9",
    leg2="#8a5a00",
    leg3="#0b7285",
    leg4="#a8326f",
    leg5="#4b6b00",
)
_DARK = _COLOURS.substitute(
    paper="#0d1117",
    ink="#e6edf3",
    dim="#9aa4af",
    rail="#3d444d",
    box="#161b22",
    ours="#14284a",
    good="#4ac26b",
    bad="#ff7b72",
    leg0="#58a6ff",
    leg1="#c297ff",
    leg2="#e3b341",
    leg3="#4cc9e0",
    leg4="#ff8cc6",
    leg5="#a5c84a",
)
#: For the one element ``style`` of a picture.
STYLE: Final = f"{_SHAPES}{_LIGHT}@media (prefers-color-scheme: dark) {{{_DARK}}}\n"
