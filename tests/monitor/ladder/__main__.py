"""
Draw all captures anew, after a change of how ladders look.

Usage: ``python -m tests.monitor.ladder``. Look at the difference before it is kept.
"""

from tests.monitor.ladder.captures import DRAWINGS, FOLDER, drawn, names

for name in names():
    for ending in DRAWINGS:
        FOLDER.joinpath(f"{name}.{ending}").write_text(drawn(name, ending), "utf-8")
        print(f"{name}.{ending}")
