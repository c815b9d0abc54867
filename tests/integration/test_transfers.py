"""
Holds and transfers with baresip, a phone: three of them at a whole server.
"""

from __future__ import annotations

from pathlib import Path

from twisted.internet.defer import Deferred

from sipsorcery.appserver.service import AppServerService
from sipsorcery.endpoint import Transport
from sipsorcery.sdp import Direction
from sipsorcery.ua import Account, Session, audio
from tests.integration.agents import AgentCase
from tests.integration.baresip import Baresip, Registration, connect
from tests.integration.server import DOMAIN, PASSWORD, Server


class PhonesCase(AgentCase):
    """
    Three phones, each with an account.
    """

    def setUp(self) -> Deferred[None]:  # type: ignore[override]  # trial waits
        super().setUp()
        return Deferred.fromCoroutine(self.start())

    async def start(self) -> None:
        """
        Start the server and the phones.
        """
        self.server = Server(Path(self.mktemp()), appserver=True)
        self.addCleanup(lambda: Deferred.fromCoroutine(self.server.stop()))
        await self.server.start()
        joe = self.server.directory.of("joe")
        await joe.accounts.add("102", DOMAIN, PASSWORD)
        self.alice, self.carol = [await self.phone(name) for name in ("100", "102")]

    async def phone(self, user: str) -> Baresip:
        """
        Start a phone, and wait until it is registered.
        """
        folder = Path(self.mktemp())
        folder.mkdir()
        where = Registration(DOMAIN, self.server.end(Transport.UDP), PASSWORD)
        phone = Baresip(folder, self.authority, user=user, registration=where)
        self.addCleanup(lambda: Deferred.fromCoroutine(phone.stop()))
        await phone.ready()
        await phone.registered()
        return phone

    @property
    def service(self) -> AppServerService:
        """
        The application server.
        """
        (service,) = (
            each for each in self.server.services if isinstance(each, AppServerService)
        )
        return service

    async def call(self, caller: Baresip, callee: Baresip, user: str) -> None:
        """
        Let a phone call another one, which answers.
        """
        await connect(caller, callee, f"sip:{user}@{DOMAIN}")

    async def transfer(self, phone: Baresip, user: str) -> None:
        """
        Let a phone transfer whom it talks with.
        """
        await phone.control.command("transfer", f"sip:{user}@{DOMAIN}")


class HoldTests(PhonesCase):
    """
    100 calls 102, and either holds the other.
    """

    async def test_hold(self) -> None:
        """
        Who is held is told so by the direction of the media, and who holds is answered;
        then both send again.
        """
        await self.call(self.alice, self.carol, "102")
        (connection,) = self.service.connections
        caller, callee = connection.caller, connection.callee
        await self._hold(self.alice, caller, self.carol, callee)
        await self._hold(self.carol, callee, self.alice, caller)
        await self.carol.hang_up()
        await self.alice.event("CALL_CLOSED")
        await self.wait_for(lambda: not len(self.service.connections))

    async def _hold(
        self, one: Baresip, ours: Session, other: Baresip, theirs: Session
    ) -> None:
        """
        Let a phone, whose session with us is *ours*, hold the other one, and resume.
        """
        await one.hold()
        await other.event("CALL_REMOTE_SDP")
        await self.wait_for(lambda: _direction(theirs) is Direction.RECVONLY)
        self.assertIs(_direction(ours), Direction.SENDONLY)
        await one.resume()
        await other.event("CALL_REMOTE_SDP")
        await self.wait_for(lambda: _direction(theirs) is Direction.SENDRECV)
        self.assertIs(_direction(ours), Direction.SENDRECV)


def _direction(session: Session) -> Direction:
    """
    Give the direction of what a phone has said to us.
    """
    assert session.remote is not None
    return session.remote.media[0].direction


class BlindTests(PhonesCase):
    """
    100 calls 101, and one of them transfers the other one to 102.
    """

    async def start(self) -> None:
        """
        Start 101, too.
        """
        await super().start()
        self.bob = await self.phone("101")

    async def test_by_callee(self) -> None:
        """
        101 transfers 100, proves who it is, and is told when 102 has answered.
        """
        await self.call(self.alice, self.bob, "101")
        await self.transfer(self.bob, "102")
        await self._ends(self.bob, self.alice)

    async def test_by_caller(self) -> None:
        """
        100 holds 101 and transfers it.
        """
        await self.call(self.alice, self.bob, "101")
        await self.alice.hold()
        await self.bob.event("CALL_REMOTE_SDP")
        await self.transfer(self.alice, "102")
        await self._ends(self.alice, self.bob)

    async def test_refused(self) -> None:
        """
        102 refuses: 101 is told so, and still talks with 100.
        """
        await self.call(self.alice, self.bob, "101")
        await self.transfer(self.bob, "102")
        await self.carol.event("CALL_INCOMING")
        await self.carol.hang_up()
        await self.bob.event("TRANSFER_FAILED")
        await self.bob.hang_up()
        await self.alice.event("CALL_CLOSED")

    async def _ends(self, leaves: Baresip, stays: Baresip) -> None:
        """
        Let 102 answer; it has the call then with who stays, until that hangs up.
        """
        await self.carol.event("CALL_INCOMING")
        await self.carol.accept()
        await self.carol.event("CALL_ESTABLISHED")
        await leaves.event("CALL_CLOSED")
        self.assertEqual(len(self.service.connections), 1)
        await stays.hang_up()
        await self.carol.event("CALL_CLOSED")
        await self.wait_for(lambda: not len(self.service.connections))


class AttendedTests(PhonesCase):
    """
    101, an agent of ours as this baresip cannot do that, connects 100 and 102.
    """

    async def test_connected(self) -> None:
        """
        101 calls both, holds both, and connects them.
        """
        where = self.server.end(Transport.UDP)
        account = Account(
            f"sip:101@{DOMAIN}",
            PASSWORD,
            realms=[DOMAIN],
            proxy=f"sip:{where.host}:{where.port}",
        )
        bob = await self.agent("udp:127.0.0.1:0", account=account)
        sessions = []
        for phone, user in ((self.alice, "100"), (self.carol, "102")):
            call = bob.invite(f"sip:{user}@{DOMAIN}", audio("127.0.0.1", 4000))
            await self.unless_refused(call, phone.event("CALL_INCOMING"))
            await phone.accept()
            sessions.append(await call.answered())
            await sessions[-1].hold()
        first, second = sessions
        transfer = await first.refer(f"sip:102@{DOMAIN}", replaced=second)
        told = await transfer.done()
        assert told is not None
        self.assertEqual(told.status, 200)
        await self.wait_for(lambda: first.is_over and second.is_over)
        self.assertEqual(len(self.service.connections), 1)
        (connection,) = self.service.connections
        for session in (connection.caller, connection.callee):
            self.assertFalse(session.is_held)
        await self.alice.hang_up()
        await self.carol.event("CALL_CLOSED")
        await self.wait_for(lambda: not len(self.service.connections))
