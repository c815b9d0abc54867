"""
A registrar that is killed while phones register, again and again.
"""

from __future__ import annotations

import random
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IReactorTime, IReactorUDP
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from sipsorcery.config import parse
from sipsorcery.endpoint import Endpoint
from sipsorcery.tap.stores import WritableStores
from tests import LONG
from tests.integration.phones import Phone, Phones
from tests.integration.ports import free_port
from tests.integration.registrar import DOMAIN, PASSWORD, configure, fill
from tests.integration.twistd import Twistd

ROUNDS = 50 if LONG else 3
PHONES = 40


class KilledTests(TestCase):
    """
    ``kill -9`` at any moment.
    """

    timeout = 60 + 20 * ROUNDS

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.end = Endpoint.parse(f"udp:127.0.0.1:{free_port()}")
        self.chance = random.Random(ROUNDS)
        self.phones = {
            f"sip:{user}@{DOMAIN}": Phone(user, DOMAIN, PASSWORD, self.chance)
            for user in map(str, range(PHONES))
        }

    async def prepare(self) -> None:
        """
        Write the configuration and make the accounts.
        """
        text = configure(self.folder / "data", self.end.port)
        (self.folder / "sipsorcery.toml").write_text(text, "utf-8")
        stores = WritableStores(reactor, parse(text.encode()))
        stores.startService()
        await fill(stores, list(map(str, range(PHONES))))
        await stores.stopService()

    async def live(self, seconds: float) -> None:
        """
        Start the registrar, let the phones register, and kill it.
        """
        process = Twistd(self.folder, "-n", "sipregistrar")
        try:
            await process.wait_for("Listening on udp")
            phones = Phones(self.end, self.phones)
            port = IReactorUDP(reactor).listenUDP(0, phones, "127.0.0.1", 65535)
            await deferLater(IReactorTime(reactor), seconds)
        finally:
            await process.kill()
        await maybeDeferred(port.stopListening)

    async def test_nothing_acknowledged_is_lost(self) -> None:
        """
        After each restart every phone is told of exactly the contacts that it had been
        told of, or of what its last request, which was not answered, has made of them.
        """
        await self.prepare()
        answers = 0
        for _ in range(ROUNDS):
            await self.live(self.chance.uniform(0.5, 2.0))
            before, answers = answers, sum(p.answers for p in self.phones.values())
            self.assertGreater(answers, before + PHONES)
        await self.live(2.0)
        self.assertEqual([p.lost for p in self.phones.values() if p.lost], [])
        self.assertGreater(sum(len(p.acknowledged) for p in self.phones.values()), 0)
