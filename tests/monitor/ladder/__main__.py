"""
Draw all captures anew, after a change of how ladders look, also in the documentation.

Usage: ``python -m tests.monitor.ladder``. Look at the difference before it is kept.
"""

from tests.monitor.ladder.captures import DRAWINGS, FOLDER, drawn, names, shown

for name in names():
    for ending in DRAWINGS:
        FOLDER.joinpath(f"{name}.{ending}").write_text(drawn(name, ending), "utf-8")
        print(f"{name}.{ending}")
for file, whole in shown().items():
    file.write_text(whole, "utf-8")
    print(file.name)
