"""
What the tests of established calls share: a server between two phones, that is killed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, succeed

from sipsorcery.access.dialogue_names import DialogueNames, new_identifier
from sipsorcery.appserver.calls.connection import Connection, Connections, Side
from sipsorcery.appserver.records.cdr_writer import CDRWriter
from sipsorcery.appserver.records.credentials import Vault
from sipsorcery.appserver.records.deadlines import Deadlines
from sipsorcery.appserver.records.records import Records
from sipsorcery.appserver.records.takeover import Takeover
from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.address import Address
from sipsorcery.sip.uri import SIPURI, parse_uri
from sipsorcery.store.dialogues import DIALOGUES, Dialogue
from sipsorcery.store.directory.cdrs import CDR, Direction
from sipsorcery.store.live import LocalStore, Record
from sipsorcery.store.secrets import Secrets
from sipsorcery.testing.threads import SteppedThreads
from sipsorcery.ua import Account, Session, UserAgent
from tests.ua.cases import (
    ALICE,
    ALICE_MEDIA,
    BOB,
    BOB_MEDIA,
    BOB_URI,
    PEER_MEDIA,
    PEER_URI,
    AgentCase,
)

NOW = 1_700_000_000.0
#: The caller is alice's agent, the callee the peer, and the server is where bob was.
SERVER = Endpoint.parse(f"udp:{BOB}:5060")


class KeptCDRs:
    """
    Call detail records as the directory keeps them.
    """

    def __init__(self) -> None:
        self.rows: dict[str, CDR] = {}

    def write_all(self, cdrs: Sequence[CDR]) -> Deferred[None]:
        """
        Keep records.
        """
        self.rows.update({cdr.id: cdr for cdr in cdrs})
        return succeed(None)

    def close_open(self, server: str, reason: str, before: datetime) -> Deferred[int]:
        """
        Close what a server has left open.
        """
        left = [
            cdr
            for cdr in self.rows.values()
            if cdr.server == server and cdr.ended_at is None and cdr.created < before
        ]
        for cdr in left:
            self.rows[cdr.id] = replace(cdr, ended_at=before, ended_reason=reason)
        return succeed(len(left))

    def remove_before(self, time: datetime) -> Deferred[int]:
        """
        Remove old records.
        """
        old = [cdr.id for cdr in self.rows.values() if cdr.created < time]
        for id in old:
            del self.rows[id]
        return succeed(len(old))


class Server:
    """
    The parts of an application server that see to established calls.
    """

    def __init__(
        self,
        agent: UserAgent,
        live: LocalStore,
        secrets: Secrets,
        cdrs: KeptCDRs,
        now: Callable[[], float],
        listens: Endpoint = SERVER,
    ) -> None:
        clock = agent.core.clock
        self.agent = agent
        self.now = now
        self.away: list[str] = []
        self.names = DialogueNames(secrets)
        self.listens = listens
        self.incarnation = new_identifier()
        self.vault = Vault(secrets)
        self.cdrs = CDRWriter(clock, cdrs, listens, now=now)
        self.records = Records(
            clock,
            live,
            listens,
            self.incarnation,
            vault=self.vault,
            away=lambda connection, text: self.away.append(text),
            now=now,
        )
        self.connections = Connections(self.records.changed, self.records.ended, now)
        self.takeover = Takeover(
            agent.core,
            live,
            listens,
            self.incarnation,
            names=self.names,
            vault=self.vault,
            connections=self.connections,
            cdrs=self.cdrs,
            now=now,
        )
        self.deadlines = Deadlines(
            clock,
            live,
            connections=self.connections,
            records=self.records,
            takeover=self.takeover,
            now=now,
        )
        agent.on_unknown_dialog(self.takeover.bring_back)
        agent.on_stray_response(self.takeover.stray_response)

    def stop(self) -> None:
        """
        Leave no timer behind.
        """
        self.records.stop()
        self.takeover.stop()
        self.deadlines.stop()


class EstablishedCase(AgentCase):
    """
    A server between alice's agent, who calls, and a peer, who answers.
    """

    def setUp(self) -> None:
        super().setUp()
        self.machine = self.machines[BOB]
        self.folder = Path(self.mktemp())
        self.threads = SteppedThreads(waits=False)
        self.live = LocalStore(
            self.machine, self.folder, threads=self.threads, clock=self.now
        )
        self.live.start()
        self.addCleanup(lambda: self.run_through(self.live.stop()))
        self.secrets = Secrets(self.folder, self.now)
        self.secrets.load()
        self.kept = KeptCDRs()
        self.alice = self.agent(ALICE, session_expires=0)
        self.phone = self.peer()
        self.server = self.start()

    def now(self) -> float:
        """
        Give the time of the test, in seconds since the epoch.
        """
        return NOW + float(self.machine.seconds())

    def start(self, *, session_expires: int = 0) -> Server:
        """
        Start the server.
        """
        agent = self.agent(BOB, session_expires=session_expires)
        server = Server(agent, self.live, self.secrets, self.kept, self.now)
        self.addCleanup(server.stop)
        return server

    def kill(self) -> None:
        """
        End the server as if its process had been killed.
        """
        agent = self.server.agent
        agent.core.wheel.clear()
        agent.transactions._drive.wheel.clear()
        self.run_through(agent.transport.stop())
        self.agents.remove(agent)
        self.server.stop()

    def restart(self, **settings: Any) -> None:
        """
        Kill the server, and start it again.
        """
        self.kill()
        self.phone.requests.clear()
        self.phone.responses.clear()
        self.server = self.start(**settings)

    # Calls

    def connect(
        self, *, account: Account | None = None, **fields: Any
    ) -> tuple[Connection, Session]:
        """
        Let alice call the peer through the server.

        :return: the call as the server has it, and alice's session.
        """
        server = self.server
        calls: list[Any] = []
        server.agent.on_invite(calls.append)
        outgoing = self.alice.invite(BOB_URI, ALICE_MEDIA)
        self.network.advance()
        (incoming,) = calls
        leg = server.agent.invite(PEER_URI, BOB_MEDIA, account=account)
        self.network.advance()
        self.phone.respond(self.phone.last("INVITE"), 200, body=bytes(PEER_MEDIA))
        callee = self.given(leg.answered())
        id = new_identifier()
        user = server.names.write(server.listens, id)
        for session in (incoming.session, callee):
            contact = Address(SIPURI("sip", user, BOB, 5060))
            session.dialog.contact = contact
        connection = Connection(
            id=id,
            owner="joe",
            account="sip:alice@example.com",
            direction=Direction.OUT,
            sides=(
                Side(session=incoming.session, name=id, cdr=self.begin_cdr("caller")),
                Side(session=callee, name=id, cdr=self.begin_cdr("callee")),
            ),
            started=self.now() - 5,
            answered=self.now(),
            **{"bridge_id": "bridge 1", **fields},
        )
        server.connections.add(connection)
        incoming.answer(BOB_MEDIA)
        self.run_through(server.records.store(connection))
        ours: Session = self.given(outgoing.answered())
        connection.changed()
        self.network.advance(1)
        self.phone.requests.clear()
        return connection, ours

    def begin_cdr(self, side: str) -> Any:
        """
        Begin the record of a leg that is answered.
        """
        leg = self.server.cdrs.begin(
            owner="joe",
            direction=Direction.OUT,
            call_id=side,
            destination=parse_uri(PEER_URI),
            caller=Address.parse("<sip:alice@example.com>"),
        )
        leg.answered()
        return leg

    # What is stored

    def record(self, id: str) -> Record | None:
        """
        Give the record of a call.
        """
        found: Record | None = self.given(self.live.get(DIALOGUES.name, id))
        return found

    def stored(self, id: str) -> Dialogue:
        """
        Give what is stored of a call that is.
        """
        record = self.record(id)
        assert record is not None
        return DIALOGUES.read(record)

    def reasons(self) -> dict[str, str]:
        """
        Give the reasons of the records that are closed, by leg.
        """
        self.network.advance(2)
        return {
            cdr.call_id: cdr.ended_reason
            for cdr in self.kept.rows.values()
            if cdr.ended_at is not None
        }
