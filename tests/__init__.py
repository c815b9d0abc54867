"""
The tests of sipsorcery. ``python -m tests`` runs them all, as ``make test`` does.
"""

import os
from pathlib import Path

from hypothesis import configuration, settings

#: The folder of the project. Tests run in a folder of trial's own.
ROOT = Path(__file__).resolve().parent.parent

#: Whether long runs (fuzz, soaks) take their full length.
LONG = bool(os.environ.get("SIPSORCERY_LONG"))

# A slow machine is no fault of ours, so no deadline. The short run draws the same
# examples every time: what fails in it fails again; the long one looks for new ones.
settings.register_profile("short", deadline=None, derandomize=True)
settings.register_profile("long", deadline=None, max_examples=20_000)
settings.load_profile("long" if LONG else "short")
configuration.set_hypothesis_home_dir(ROOT / ".hypothesis")
