"""
What it costs to keep an established call: its record, and those of its legs.

A call is begun, answered, stored before the answer would leave, and ended. Its two
sessions are there already, for they are no part of this. ``GROUP`` calls share a commit
of the live state and one of the directory, as they do where some are under way.

The figure is processor time, that of the writing threads included.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from twisted.internet.defer import Deferred

from sipsorcery.access.dialogue_names import new_identifier
from sipsorcery.appserver.calls.connection import Connection, Connections, Side
from sipsorcery.appserver.records.cdr_writer import CDRWriter
from sipsorcery.appserver.records.credentials import Vault
from sipsorcery.appserver.records.records import Records
from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.address import Address
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.directory import Direction, Directory
from sipsorcery.store.live import LocalStore
from sipsorcery.store.secrets import Secrets
from sipsorcery.testing.network import MemoryNetwork
from sipsorcery.testing.threads import SteppedThreads
from sipsorcery.ua import ServerCall, Session, UserAgent, audio

GROUP, GROUPS, ROUNDS = 16, 25, 5
SERVER = Endpoint.parse("udp:192.0.2.2:5060")
ALICE, BOB = "192.0.2.1", "192.0.2.2"
CALLER = Address.parse('"Alice" <sip:alice@example.com>;tag=1928301774')
CALLED = SIPURI.parse("sip:bob@example.com")


class Bench:
    """
    The stores, and two sessions that stand for those of every call.
    """

    def __init__(self, folder: Path) -> None:
        self.network = MemoryNetwork()
        alice, bob = self.network.machine(ALICE), self.network.machine(BOB)
        self.clock = bob
        self.threads = SteppedThreads()
        self.live = LocalStore(bob, folder, threads=self.threads)
        self.live.start()
        secrets = Secrets(folder)
        secrets.load()
        inline = SteppedThreads(waits=False)
        self.directory = Directory(bob, folder, secrets, threads=inline)
        self.directory.start()
        self.cdrs = CDRWriter(bob, self.directory.everyone.cdrs, SERVER)
        self.records = Records(bob, self.live, SERVER, "1", vault=Vault(secrets))
        self.connections = Connections(
            self.records.changed, self.records.ended, time.time
        )
        self.caller, self.callee = self._connect(alice, bob)

    def _connect(self, alice: Any, bob: Any) -> tuple[Session, Session]:
        answered: list[Session] = []

        async def answer(call: ServerCall) -> None:
            answered.append(await call.answer(audio(BOB, 5000)))

        one, other = _agent(alice, ALICE), _agent(bob, BOB)
        other.on_invite(answer)
        call = one.invite(f"sip:{BOB}", audio(ALICE, 4000))
        self.network.advance()
        outgoing: list[Session] = []
        call.answered().addCallback(outgoing.append)
        return outgoing[0], answered[0]

    def run(self) -> float:
        """
        Keep `GROUPS` times `GROUP` calls; give the seconds for each.
        """
        start = time.process_time()
        for _ in range(GROUPS):
            self._group()
        return (time.process_time() - start) / (GROUP * GROUPS)

    def _group(self) -> None:
        calls = [self._begin() for _ in range(GROUP)]
        for connection in calls:
            Deferred.fromCoroutine(self.records.store(connection))
        self._settle()
        for connection in calls:
            assert connection.version
            for side in connection.sides:
                assert side.cdr is not None
                side.cdr.ended("remote end hungup")
            self.connections.ended(connection)
        self._settle()
        self.network.advance(0.1)

    def _begin(self) -> Connection:
        id = new_identifier()
        sides = [self._side(id, self.caller), self._side(id, self.callee)]
        connection = Connection(
            id=id,
            owner="joe",
            account="sip:alice@example.com",
            sides=(sides[0], sides[1]),
            started=1.0,
            answered=2.0,
            bridge_id=new_identifier(),
        )
        for side in sides:
            assert side.cdr is not None
            side.cdr.bridged(connection.bridge_id)
        self.connections.add(connection)
        return connection

    def _side(self, id: str, session: Session) -> Side:
        cdr = self.cdrs.begin(
            owner="joe",
            direction=Direction.OUT,
            call_id=session.dialog.call_id,
            destination=CALLED,
            caller=CALLER,
            account="sip:alice@example.com",
        )
        cdr.progress(180, "Ringing")
        cdr.answered()
        return Side(session=session, name=id, cdr=cdr)

    def _settle(self) -> None:
        self.network.advance()
        while self.threads.calls:
            self.threads.step()
        self.network.advance()


def _agent(machine: Any, host: str) -> UserAgent:
    agent = UserAgent(
        machine,
        [f"udp:{host}:5060"],
        local_addresses=lambda: [host],
        source_address=lambda _: host,
    )
    agent.transport.start()
    return agent


def main() -> None:
    """
    Measure, and print the median.
    """
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        bench.run()
        rounds = [bench.run() for _ in range(ROUNDS)]
    print(f"{median(rounds) * 1e6:.0f} us to keep a call, begun to ended")


if __name__ == "__main__":
    main()
