"""
Where the published conformance data lies that the tests check themselves against.
"""

from __future__ import annotations

import os
from pathlib import Path
from unittest import SkipTest

from tests import ROOT


def vectors() -> Path:
    """
    Find the folder of conformance data.

    It is ``$SIPSORCERY_VECTORS``, by default ``../shared/vectors`` from the project.
    Call it inside a test or its ``setUp``, where trial understands the exception.

    :raises SkipTest: if the folder is absent.
    """
    named = os.environ.get("SIPSORCERY_VECTORS") or "../shared/vectors"
    folder = (ROOT / named).resolve()
    if not folder.is_dir():
        raise SkipTest(f"no conformance data in {folder}: set SIPSORCERY_VECTORS")
    return folder
