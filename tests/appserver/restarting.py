"""
What the tests of calls that ring share: an application server that is killed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from twisted.internet.defer import Deferred

from sipsorcery.access.accounts import Accounts
from sipsorcery.access.authentication import Authenticator
from sipsorcery.access.contacts import Contacts
from sipsorcery.appserver.python.workers import Workers
from sipsorcery.appserver.service import AppServerService
from sipsorcery.config import parse
from sipsorcery.monitor.bus import LocalBus
from sipsorcery.sip.fields import CONTENT_TYPE
from sipsorcery.sip.parameterised import MediaType
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.store.directory import Language
from sipsorcery.store.live import LocalStore, Record
from sipsorcery.store.ringing import RINGING, RingingCall
from sipsorcery.store.secrets import Secrets
from sipsorcery.testing.network import MemoryNetwork
from sipsorcery.testing.reactor import MemoryReactor
from sipsorcery.testing.threads import SteppedThreads
from tests.appserver.test_service import HOST, SDP, Proxy
from tests.store.directory.cases import NOW, DirectoryCase
from tests.transport.location.zones import Zones

T = TypeVar("T")

#: The address of the proxy.
PROXY = "127.0.0.3"
CONFIG = """
server.data_dir = '{folder}'
proxy.inside = "udp:127.0.0.3:5059"
appserver.listen = "udp:{host}:5065"
limits.outside_calls = "100/60s"
"""
#: The address of who calls.
CALLER = "udp:192.0.2.9:5060"


class RestartingCase(DirectoryCase):
    """
    A server with a test in the place of the proxy; the account 100 is called.

    :cvar more: of its configuration.
    """

    more = ""

    def setUp(self) -> None:
        super().setUp()
        self.network = MemoryNetwork()
        self.proxy = Proxy()
        self.network.machine(PROXY).listenUDP(5059, self.proxy, PROXY)
        self.secrets = Secrets(self.folder)
        self.secrets.load()
        self.store = self.network.machine("127.0.0.9")
        self.threads = SteppedThreads(waits=False)
        self.live = LocalStore(
            self.store,
            self.folder,
            threads=self.threads,
            clock=self.now,
        )
        self.live.start()
        self.bus = LocalBus(self.store)
        self.do(self.joe.accounts.add("100", "example.com", "zanzibar"))
        self.service, self.machine, self.workers = self.start(HOST)
        self.addCleanup(self.stop)
        self.number = 0

    def now(self) -> float:
        """
        Give the time, in seconds since the epoch.
        """
        return NOW + self.network.seconds()

    def start(self, host: str) -> tuple[AppServerService, MemoryReactor, Workers]:
        """
        Start a server on a machine of its own, and the processes of its dialplans.
        """
        text = CONFIG.format(folder=self.folder, host=host) + self.more
        config, machine = parse(text.encode()), self.network.machine(host)
        accounts = Accounts(self.directory, config, machine, own=list)
        workers = Workers(None, size=1, threads=SteppedThreads(waits=False))
        service = AppServerService(
            machine,
            config,
            accounts=accounts,
            authenticator=Authenticator(
                machine, config, accounts=accounts, secrets=self.secrets
            ),
            contacts=Contacts(accounts, self.live),
            directory=self.directory,
            live=self.live,
            secrets=self.secrets,
            bus=self.bus,
            clock=self.now,
            resolver=Zones(),
            workers=workers,
        )
        service.startService()
        self.settle()
        return service, machine, workers

    def stop(self) -> None:
        """
        Stop the server.
        """
        self.end(self.service)

    def end(self, service: AppServerService) -> None:
        """
        Stop a server.
        """
        stopped = service.stopService()
        for _ in range(10):
            self.settle(1)
        self.successResultOf(stopped)

    def kill(self) -> None:
        """
        End the server as if its process had been killed.
        """
        self.network.remove(self.machine)
        self.workers.stop()

    def restart(self, after: float = 0.0) -> None:
        """
        Kill the server, and start it again a while later.
        """
        self.kill()
        self.settle(after or 0.02)
        self.proxy.requests.clear()
        self.proxy.responses.clear()
        self.service, self.machine, self.workers = self.start(HOST)
        self.settle()

    def settle(self, seconds: float = 0.02) -> None:
        """
        Let everything come that is on its way, and the directory answer.
        """
        for _ in range(6):
            self.network.advance(seconds / 6)
            self.reactor.advance(0)

    # Calling

    def plan(self, script: str, language: Language = Language.PYTHON) -> None:
        """
        Let a dialplan decide about calls to 100.
        """
        self.do(self.joe.dialplans.put("in", script, language))
        self.do(self.joe.accounts.change("100", "example.com", in_dialplan="in"))
        self.settle(3)

    def ring(self, *, fields: Sequence[tuple[str, str]] = (), told: int = 180) -> None:
        """
        Call 100, and let the phone that is dialled ring.
        """
        self.invite = self.call(fields)
        self.leg = self.last("INVITE")
        self.proxy.send(self.leg.respond(told, to_tag="b"))
        self.settle(0.5)

    def call(self, fields: Sequence[tuple[str, str]] = ()) -> Request:
        """
        Call 100, as somebody behind the proxy does.
        """
        self.number += 1
        invite = Request(
            "INVITE",
            "sip:100@example.com",
            [
                ("Via", f"SIP/2.0/UDP {PROXY}:5059;branch=z9hG4bK{self.number}"),
                ("Record-Route", f"<sip:in@{PROXY}:5059;lr>"),
                ("Record-Route", "<sip:out@203.0.113.1;lr>"),
                ("Max-Forwards", "70"),
                ("From", f"<sip:eve@elsewhere.test>;tag={self.number}"),
                ("To", "<sip:100@example.com>"),
                ("Call-ID", f"call{self.number}"),
                ("CSeq", "1 INVITE"),
                ("Contact", "<sip:eve@192.0.2.9>"),
                ("Proxy-ReceivedFrom", CALLER),
                ("Proxy-ReceivedOn", CALLER),
                (CONTENT_TYPE, MediaType("application", "sdp")),
                *fields,
            ],
            SDP,
        )
        self.proxy.send(invite)
        for _ in range(3):  # a server that has just started asks for much
            self.settle()
        return invite

    def last(self, method: str) -> Request:
        """
        Give the last request of a method that has come to the proxy.
        """
        return [each for each in self.proxy.requests if each.method == method][-1]

    def methods(self) -> list[str]:
        """
        Give the methods of what has come to the proxy, and take it.
        """
        found = [each.method for each in self.proxy.requests]
        self.proxy.requests.clear()
        return found

    def statuses(self) -> list[int]:
        """
        Give the statuses of what has come to the proxy for the caller.
        """
        return [
            each.status
            for each in self.proxy.responses
            if each.get("CSeq") == "1 INVITE" and each.get("Call-ID") == "call1"
        ]

    def final(self) -> Response:
        """
        Give the last response of all.
        """
        return self.proxy.responses[-1]

    # Records

    def records(self) -> list[Record]:
        """
        Give the records of calls that ring.
        """
        found: list[Record] = []

        async def scan() -> None:
            found.extend([each async for each in self.live.scan(RINGING.name)])

        self.do(scan())
        return found

    def record(self) -> Record:
        """
        Give the only one.
        """
        (found,) = self.records()
        return found

    def change(self, record: Record | None = None, **fields: Any) -> None:
        """
        Change a record, as somebody may who has got at the store; None: the only one.
        """
        record = record or self.record()
        changed = msgspec.structs.replace(RINGING.read(record), **fields)
        self.given(self.live.swap(record.replace(data=RINGING.write(changed))))

    def given(self, deferred: Deferred[T]) -> T:
        """
        Give what the live state has said.
        """
        self.store.advance(0)
        return self.successResultOf(deferred)

    def ringing(self) -> RingingCall:
        """
        Give what the one record says.
        """
        return RINGING.read(self.record())
