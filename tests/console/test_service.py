"""
The service of the console.
"""

from __future__ import annotations

from twisted.internet.testing import MemoryReactorClock

from sipsorcery.access.guard import Guard
from sipsorcery.access.notices import Notices
from sipsorcery.access.throttle import Throttle
from sipsorcery.config import Config
from sipsorcery.config.tree import Server
from sipsorcery.console.host_key import host_key
from sipsorcery.console.login import Login
from sipsorcery.console.service import ConsoleService
from sipsorcery.store.errors import StoreDamaged
from tests.console.test_commands import ConsoleCase


class ServiceTests(ConsoleCase):
    """
    Those who are logged in while the directory changes.
    """

    def setUp(self) -> None:
        super().setUp()
        self.listening = MemoryReactorClock()
        config = Config(server=Server(data_dir=self.folder))
        login = Login(
            self.reactor,
            directory=self.directory,
            throttle=Throttle(),
            guard=Guard(),
            notices=Notices("ssh"),
        )
        self.service = ConsoleService(
            self.listening,
            config,
            login=login,
            seats=self.seats,
            commands=self.commands,
            directory=self.directory,
            bus=self.bus,
            clock=lambda: 100.0,
        )
        self.seats.leave(self.root)  # the directory does not know that one
        self.service.startService()

    def look(self) -> None:
        """
        Let some time go by.
        """
        self.listening.advance(10)
        self.reactor.pump([0] * 3)

    def test_listens(self) -> None:
        """
        It listens where the configuration says.
        """
        ((port, _, _, host),) = self.listening.tcpServers
        self.assertEqual((host, port), ("127.0.0.1", 2222))

    def test_disabled(self) -> None:
        """
        Who is disabled is sent away, and nobody else.
        """
        self.look()
        self.assertEqual(self.ended, [])
        self.do(self.directory.everyone.users.disable("joe", "has not paid"))
        self.look()
        self.assertEqual(self.ended, ["joe"])

    def test_other_rights(self) -> None:
        """
        Who has become an administrator, or is none any more, logs in anew.
        """
        self.do(self.directory.everyone.users.set_admin("eve", True))
        self.look()
        self.assertEqual(self.ended, ["eve"])

    def test_idle(self) -> None:
        """
        Who leaves the prompt alone for an hour is sent away; who watches is not.
        """
        self.joe_seat.doing = "tail"
        for _ in range(360):
            self.look()
        self.assertEqual(set(self.ended), {"eve"})

    def test_host_key(self) -> None:
        """
        The key is the same at every start, and for its owner alone.
        """
        folder = self.folder / "ssh"
        self.assertEqual(host_key(folder), host_key(folder))
        file = folder / "ssh_host_ed25519_key"
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        file.write_text("rubbish")
        self.assertRaises(StoreDamaged, host_key, folder)
