"""
The programs of others that tests talk to, and what a test does without one.
"""

from __future__ import annotations

import os
import shutil

from twisted.trial.unittest import SkipTest

from tests import ROOT

#: Where ``tools/install-peers`` puts packages that must not be installed.
UNPACKED = ROOT / ".venv/unpacked"


def require(program: str, package: str) -> str:
    """
    Find a program that the calling test cannot do without.

    :param package: the Debian package that has it, as in ``tests/system-packages.txt``
        or ``tests/unpacked-packages.txt``.
    :return: the path of the program.
    :raises SkipTest: if it is missing.
    :raises AssertionError: if it is missing and ``SIPSORCERY_REQUIRE_PEERS`` is set, as
        it is where every test has to run.
    """
    # /usr/sbin is where Debian puts servers; it is not on everybody's path.
    folders = (
        os.environ.get("PATH", ""),
        "/usr/sbin",
        str(UNPACKED / package / "usr/bin"),
    )
    path = shutil.which(program, path=os.pathsep.join(folders))
    if path is not None:
        return path
    reason = f"{program} is missing: sudo apt-get install {package}"
    if os.environ.get("SIPSORCERY_REQUIRE_PEERS"):
        raise AssertionError(reason)
    raise SkipTest(reason)
