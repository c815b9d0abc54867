"""
Tests for `sipsorcery.config.load`.
"""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.config import SEARCH_PATH, Config, ConfigError, find, load, parse


class FindTests(SynchronousTestCase):
    """
    Which file is in force.
    """

    def setUp(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        self.addCleanup(os.chdir, Path.cwd())
        os.chdir(folder)

    def test_search_path(self) -> None:
        """
        The file of the current folder comes before that of the machine.
        """
        self.assertEqual(
            SEARCH_PATH,
            (Path("sipsorcery.toml"), Path("/etc/sipsorcery/sipsorcery.toml")),
        )

    def test_named(self) -> None:
        """
        A file that is named is taken, whatever else there is.
        """
        Path("sipsorcery.toml").touch()
        self.assertEqual(find("other.toml"), Path("other.toml"))

    def test_current_folder(self) -> None:
        """
        Without a name, the file of the current folder is found.
        """
        Path("sipsorcery.toml").touch()
        self.assertEqual(find(), Path("sipsorcery.toml"))

    def test_broken_link(self) -> None:
        """
        A link to nowhere is found, so that reading it fails, and not passed over.
        """
        Path("sipsorcery.toml").symlink_to("nowhere")
        file = find()
        self.assertEqual(file, Path("sipsorcery.toml"))
        self.assertRaises(ConfigError, load, file)

    def test_none(self) -> None:
        """
        Where there is no file, the built-in defaults hold.
        """
        if os.path.lexists(SEARCH_PATH[1]):
            self.skipTest(f"this machine has {SEARCH_PATH[1]}")
        self.assertIsNone(find())
        self.assertEqual(load(None), Config())


class LoadTests(SynchronousTestCase):
    """
    Reading a file.
    """

    def assert_fault(self, file: Path, expected: str) -> None:
        """
        Check that reading the file tells this and nothing else.
        """
        error = self.assertRaises(ConfigError, load, file)
        self.assertEqual(str(error), expected)

    def write(self, content: bytes) -> Path:
        """
        Make a file of that content.
        """
        file = Path(self.mktemp())
        file.write_bytes(content)
        return file

    def test_good(self) -> None:
        """
        What the file says holds; of the rest, the default.
        """
        config = load(self.write(b"[sip]\nudp_mtu = 0\n"))
        self.assertEqual(config.sip.udp_mtu, 0)
        self.assertEqual(config.proxy, Config().proxy)

    def test_missing(self) -> None:
        """
        A file that is named but missing is a fault.
        """
        file = Path(self.mktemp())
        self.assert_fault(file, f"{file}: cannot be read: No such file or directory")

    def test_unreadable(self) -> None:
        """
        So is one that cannot be read.
        """
        folder = Path(self.mktemp())
        folder.mkdir()
        self.assert_fault(folder, f"{folder}: cannot be read: Is a directory")

    def test_syntax(self) -> None:
        """
        What is not TOML is told with line and column.
        """
        file = self.write(b"[sip]\nudp_mtu = = 3\n")
        self.assert_fault(file, f"{file}: line 2, column 11: Invalid value")

    def test_syntax_at_the_end(self) -> None:
        """
        Also where the parser only says that it was at the end of the file.
        """
        file = self.write(b"[sip]\nudp_mtu = 1\nudp_mtu = 2")
        self.assert_fault(file, f"{file}: line 3, column 12: Cannot overwrite a value")

    def test_not_utf8(self) -> None:
        """
        So is what is not UTF-8, which TOML has to be.
        """
        file = self.write('# ä\n# grüße = "'.encode() + b"\xe4")
        self.assert_fault(file, f"{file}: line 2, column 12: the file is not in UTF-8")

    def test_all_faults(self) -> None:
        """
        Everything that is wrong is told at once, each with its place, in the order of
        the file; what concerns several keys comes after what concerns one.
        """
        file = self.write(
            b"""
            [registrar]
            min_expires = 600
            max_expires = 60
            [sip]
            udp_mtu = "big"
            [proxi]
            [proxy]
            listen = ["udp:0.0.0.0:5060", "sctp:0.0.0.0:5060"]
            """
        )
        error = self.assertRaises(ConfigError, load, file)
        self.assertEqual(
            [fault.path for fault in error.faults],
            ["sip.udp_mtu", "proxi", "proxy.listen[1]", "registrar.min_expires"],
        )
        self.assertEqual(error.file, file)

    @given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
    def test_any_content(self, content: bytes) -> None:
        """
        Whatever a file holds, there is a configuration or a list of faults.
        """
        try:
            parse(content)
        except ConfigError as error:
            self.assertTrue(error.faults)
