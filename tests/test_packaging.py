"""
What a release holds, and what twistd finds in it once it is installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from functools import cache
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests import ROOT

COMMANDS = (
    "sipappserver",
    "sipmonitor",
    "sipnotifier",
    "sipproxy",
    "sipregagent",
    "sipregistrar",
    "sipsorcery",
    "sipssh",
    "sipwatchtower",
    "sipweb",
)

# Names the commands that twistd offers, without the ones of other packages.
_LIST_COMMANDS = """
from twisted.application.service import IServiceMaker
from twisted.plugin import getPlugins
for maker in getPlugins(IServiceMaker):
    if maker.module.startswith("sipsorcery."):
        print(maker.tapname)
"""

_NOT_PROJECT = shutil.ignore_patterns(
    *(".git", ".venv", "var", "build", "dist", "_build", "node_modules"),
    *("_trial_temp*", "*.egg-info", "__pycache__", ".*_cache", ".hypothesis"),
)


def run(*command: str, cwd: Path, **environment: str) -> str:
    """
    Run a program to its end.

    :return: its standard output.
    :raises AssertionError: with what it printed, if it failed.
    """
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise AssertionError(f"{command}\n{done.stdout}\n{done.stderr}")
    return done.stdout


@cache
def build_release() -> tuple[Path, Path]:
    """
    Build the source distribution, and the wheel from it, as a release is built.

    A copy of the project is built, so that nothing is left in the project itself.

    :return: both files.
    """
    project, dist = Path("project").resolve(), Path("dist").resolve()
    shutil.copytree(ROOT, project, ignore=_NOT_PROJECT)
    # No isolation, no network: setuptools is among the extras of the tests.
    build = (sys.executable, "-m", "build", "--no-isolation")
    run(*build, "--outdir", str(dist), str(project), cwd=project)
    (sdist,), (wheel,) = dist.glob("*.tar.gz"), dist.glob("*.whl")
    return sdist, wheel


class ReleaseTests(SynchronousTestCase):
    """
    The source distribution, the wheel built from it, and that wheel installed.
    """

    def setUp(self) -> None:
        self.sdist, self.wheel = build_release()

    def test_wheel_holds_package(self) -> None:
        """
        The wheel holds every module of ours and the mark for type checkers.
        """
        expected = {
            str(file.relative_to(ROOT))
            for file in (ROOT / "sipsorcery").rglob("*")
            if file.suffix in (".py", ".pyi", ".typed")
        }
        self.assertIn("sipsorcery/py.typed", expected)
        with zipfile.ZipFile(self.wheel) as wheel:
            self.assertEqual(expected - set(wheel.namelist()), set())

    def test_wheel_holds_nothing_else(self) -> None:
        """
        Of Twisted's package it holds our plugin file only, and it brings no tests.
        """
        with zipfile.ZipFile(self.wheel) as wheel:
            others = {
                name
                for name in wheel.namelist()
                if not name.startswith(("sipsorcery/", "sipsorcery-"))
            }
        self.assertEqual(others, {"twisted/plugins/sipsorcery_plugins.py"})

    def test_sdist_holds_project(self) -> None:
        """
        With the source distribution one can do what one can do in a clone.
        """
        with tarfile.open(self.sdist) as sdist:
            names = {name.partition("/")[2] for name in sdist.getnames()}
        for name in (
            ".ci/run",
            "LICENSE",
            "Makefile",
            "docs/conf.py",
            "etc/sipsorcery.toml",
            "tests/__main__.py",
            "tests/system-packages.txt",
            "tools/make-venv",
        ):
            self.assertIn(name, names)

    def test_installed_wheel_shows_commands(self) -> None:
        """
        In an installed wheel, twistd finds all ten commands.
        """
        installed = Path("installed").resolve()
        with zipfile.ZipFile(self.wheel) as wheel:
            wheel.extractall(installed)
        # -S leaves out the .pth files, and with them this very project.
        path = os.pathsep.join([str(installed), sysconfig.get_path("purelib")])
        python = (sys.executable, "-S", "-c")
        found = run(*python, _LIST_COMMANDS, cwd=installed, PYTHONPATH=path)
        self.assertEqual(sorted(found.split()), list(COMMANDS))
        where = "import sipsorcery; print(sipsorcery.__file__)"
        found = run(*python, where, cwd=installed, PYTHONPATH=path)
        self.assertEqual(found.strip(), str(installed / "sipsorcery" / "__init__.py"))


class EditableInstallTests(SynchronousTestCase):
    """
    The project as ``pip install --editable`` leaves it, which is how the tests run.
    """

    def test_commands(self) -> None:
        """
        In any folder, twistd --help lists all ten commands and what they do.
        """
        twistd = Path(sysconfig.get_path("scripts"), "twistd")
        listed = run(str(twistd), "--help", cwd=Path.cwd()).partition("Commands:")[2]
        described = {
            name: description
            for name, _, description in (
                line.strip().partition(" ") for line in listed.splitlines()
            )
        }
        for command in COMMANDS:
            self.assertIn(command, described)
            self.assertNotEqual(described[command].strip(), "")
