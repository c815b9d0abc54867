"""
Calls for several application servers, through a whole proxy.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import DatagramProtocol, Factory, Protocol

from sipsorcery.access.dialogue_names import DialogueNames
from sipsorcery.config import Config
from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.event import EventKind
from sipsorcery.sip.fields import VIA
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request
from sipsorcery.store.secrets import Secrets
from tests.proxy.house import PHONE_A, PROXY
from tests.proxy.test_accounts import BOB, AccountsCase

HOST = "127.0.0.1"
ENDS = [Endpoint.parse(f"udp:{HOST}:{port}") for port in (5070, 5071, 5072)]
NOBODY = Endpoint.parse("udp:127.0.0.1:5999")


class Server(DatagramProtocol):
    """
    An application server, which answers probes by itself.

    :ivar inbox: what else has come, repetitions of an INVITE left out.
    """

    transport: Any

    def __init__(self) -> None:
        self.inbox: list[Request] = []
        self._seen: set[tuple[str, str]] = set()

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """
        Take what comes.
        """
        request = parse(datagram)
        if not isinstance(request, Request):
            return
        if request.method == "OPTIONS":
            self.transport.write(request.respond(200, to_tag="p").to_bytes(), addr)
            return
        name = (request.method, str(request[VIA]))
        if name not in self._seen:
            self._seen.add(name)
            self.inbox.append(request)

    def methods(self) -> list[str]:
        """
        Name what has come.
        """
        return [request.method for request in self.inbox]


class DispatchingCase(AccountsCase):
    """
    Three application servers, all of them well.
    """

    def setUp(self) -> None:
        self.file = Path(self.mktemp())
        self.file.write_text("".join(f"100,{end}\n" for end in ENDS))
        super().setUp()
        self.place(BOB, f"sip:bob@{PHONE_A}:33000")
        self.servers = {end: Server() for end in ENDS}
        self.ports = {
            end: self.machine.listenUDP(end.port, server, HOST)
            for end, server in self.servers.items()
        }
        self.network.advance(2)
        self.a.consumer.responses.clear()

    def parsed(self) -> Config:
        config = super().parsed()
        return replace(config, proxy=replace(config.proxy, dispatch_file=self.file))

    def call(self, call_id: str = "one") -> tuple[Request, list[Endpoint]]:
        """
        Let C call bob.

        :return: the request, and the servers in the order in which they are asked.
        """
        dispatcher = self.service.dispatcher
        assert dispatcher is not None
        order = dispatcher.choose(call_id, "bob")
        return self.c.send(self.c.make("INVITE", BOB, call_id=call_id)), order

    def answer(self, end: Endpoint, status: int, **options: Any) -> None:
        """
        Let a server answer the first request that it has.
        """
        response = self.servers[end].inbox[0].respond(status, **options)
        to = (HOST, 5059)
        self.servers[end].transport.write(response.to_bytes(), to)
        self.settle()

    def counted(self) -> int:
        """
        Give how many calls the proxy takes to be under way.
        """
        dispatcher = self.service.dispatcher
        assert dispatcher is not None
        return sum(row["calls"] for row in dispatcher.table())

    def statuses(self) -> list[int]:
        """
        Give what C has heard.
        """
        found = [each.status for each, _ in self.c.consumer.responses]
        self.c.consumer.responses.clear()
        return found


class DispatchingTests(DispatchingCase):
    """
    Where a new call goes.
    """

    def test_spread(self) -> None:
        """
        Calls are spread, each goes to one, and the monitor hears which.
        """
        for number in range(12):
            self.call(f"call{number}")
        counts = [len(server.inbox) for server in self.servers.values()]
        self.assertEqual(sum(counts), 12)
        self.assertNotIn(0, counts)
        kinds = [each.kind for each in self.events]
        self.assertEqual(kinds.count(EventKind.DISPATCHED), 12)

    def test_answered(self) -> None:
        """
        A server that answers anything within the time has the call; who is silent from
        then on is asked no further, and nobody else is.
        """
        _, (first, *others) = self.call()
        self.answer(first, 100)
        self.network.advance(5)
        self.answer(first, 200, to_tag="x")
        self.assertEqual(self.statuses()[-1], 200)
        for other in others:
            self.assertEqual(self.servers[other].inbox, [])

    def test_silence(self) -> None:
        """
        A server that does not answer at all within a second is followed by the next.
        """
        _, (first, second, third) = self.call()
        self.network.advance(0.9)
        self.assertEqual(self.servers[second].inbox, [])
        self.network.advance(0.2)
        self.assertEqual(self.servers[second].methods(), ["INVITE"])
        self.answer(second, 180, to_tag="x")
        self.network.advance(5)
        self.answer(second, 200, to_tag="x")
        self.assertEqual(self.statuses()[-2:], [180, 200])
        self.assertEqual(self.servers[third].inbox, [])
        self.assertEqual(self.servers[first].methods(), ["INVITE"])

    def test_late_answer(self) -> None:
        """
        One that wakes up too late is told that nobody waits for it any more.
        """
        _, (first, second, _) = self.call()
        self.network.advance(1.1)
        self.answer(second, 180, to_tag="x")
        self.answer(first, 100)
        self.answer(first, 180, to_tag="y")
        self.assertEqual(self.servers[first].methods(), ["INVITE", "CANCEL"])
        self.answer(first, 487, to_tag="y")
        self.answer(second, 200, to_tag="x")
        self.assertEqual(self.statuses()[-2:], [180, 200])

    def test_slow_answer(self) -> None:
        """
        One that was only slow has claimed the call, so that the next one is silent
        after its 100: what it says counts, from ringing to the answer.
        """
        _, (first, second, third) = self.call()
        self.network.advance(1.1)
        self.answer(second, 100)
        self.answer(first, 100)
        self.answer(first, 180, to_tag="x")
        self.network.advance(5)
        self.answer(first, 200, to_tag="x")
        self.assertEqual(self.statuses()[-2:], [180, 200])
        self.assertEqual(self.servers[first].methods(), ["INVITE"])
        self.assertEqual(self.servers[second].methods(), ["INVITE", "CANCEL"])
        self.assertEqual(self.servers[third].inbox, [])
        self.assertEqual(self.counted(), 0)

    def test_slow_refusal(self) -> None:
        """
        So does its refusal, at once; but a 503 says that it has not taken the call.
        """
        for call_id, status, heard in (("one", 486, [486]), ("two", 503, [])):
            _, (first, second, _) = self.call(call_id)
            self.network.advance(1.1)
            self.answer(second, 100)
            self.statuses()
            self.answer(first, status, to_tag="x")
            self.assertEqual(self.statuses(), heard)
            for server in self.servers.values():
                server.inbox.clear()
        self.assertEqual(self.counted(), 1)

    def test_slow_and_cancelled(self) -> None:
        """
        A CANCEL reaches it as well, when it says anything: it may have the call.
        """
        invite, (first, second, _) = self.call()
        self.network.advance(1.1)
        self.answer(second, 100)
        cancel = self.c.make("CANCEL", BOB, branch=invite[VIA].branch or "")
        cancel.set("Call-ID", "one")
        self.c.send(cancel)
        self.assertEqual(self.servers[first].methods(), ["INVITE"])
        self.answer(first, 180, to_tag="x")
        self.assertEqual(self.servers[first].methods(), ["INVITE", "CANCEL"])

    def test_answer_in_the_socket(self) -> None:
        """
        When it is the proxy that was late, what has come meanwhile counts first.
        """
        _, (first, second, _) = self.call()
        self.network.latency = 1.5
        response = self.servers[first].inbox[0].respond(100)
        self.servers[first].transport.write(response.to_bytes(), (HOST, 5059))
        self.network.latency = 0.0
        self.machine.advance(2)  # in one step, as a process that stood still
        self.settle()
        self.assertEqual(self.servers[second].inbox, [])

    def test_all_silent(self) -> None:
        """
        After the last one there is nobody: the caller hears so in the end.
        """
        self.call()
        self.network.advance(40)
        self.assertEqual(self.statuses()[-1], 408)
        for server in self.servers.values():
            self.assertEqual(server.methods(), ["INVITE"])

    def test_overloaded(self) -> None:
        """
        One that answers 503 is followed by the next at once; if all do, so do we.
        """
        _, order = self.call()
        for end in order:
            self.assertEqual(self.servers[end].methods(), ["INVITE"])
            self.answer(end, 503, to_tag="x", fields=[("Retry-After", "7")])
        (response, _), *_ = reversed(self.c.consumer.responses)
        self.assertEqual((response.status, response.get("Retry-After")), (503, "7"))

    def test_cancel(self) -> None:
        """
        A CANCEL reaches the server that has the call by now.
        """
        invite, (_, second, _) = self.call()
        self.network.advance(1.1)
        self.answer(second, 180, to_tag="x")
        cancel = self.c.make("CANCEL", BOB, branch=invite[VIA].branch or "")
        cancel.set("Call-ID", "one")
        self.c.send(cancel)
        self.assertEqual(self.servers[second].methods(), ["INVITE", "CANCEL"])

    def test_nobody(self) -> None:
        """
        If nobody is well the caller is told when to come again, and no phone rings.
        """
        for port in self.ports.values():
            port.stopListening()
        self.network.advance(1)
        self.call()
        (response, _) = self.c.consumer.responses[-1]
        self.assertEqual(response.status, 503)
        self.assertIsNotNone(response.get("Retry-After"))
        self.assertTrue(self.a.is_quiet)

    def test_counts(self) -> None:
        """
        What is being set up is counted, and counted no more when it has come to an end.
        """
        _, (first, *_) = self.call("one")
        self.answer(first, 180, to_tag="x")
        self.call("two")
        self.assertEqual(self.counted(), 2)
        self.answer(first, 486, to_tag="x")
        self.network.advance(60)
        self.assertEqual(self.counted(), 0)


class DialogueTests(DispatchingCase):
    """
    Where what belongs to a call goes.
    """

    def request(self, server: Endpoint) -> None:
        """
        Let C send a BYE to the Contact of a server.
        """
        secrets = Secrets(self.data_dir)
        secrets.load()
        user = DialogueNames(secrets).write(server, "0" * 16)
        uri = f"sip:{user}@{PROXY}:5060"
        self.c.send(self.c.make("BYE", uri, to_tag="x"))

    def takers(self) -> list[Endpoint]:
        """
        Name the servers that have got something.
        """
        return [end for end, server in self.servers.items() if server.inbox]

    def test_own(self) -> None:
        """
        The server of the dialogue gets it, also when it gets no new calls.
        """
        self.file.write_text(f"0,{ENDS[0]}\n100,{ENDS[1]}\n100,{ENDS[2]}\n")
        self.network.advance(2)
        self.request(ENDS[0])
        self.assertEqual(self.takers(), [ENDS[0]])

    def test_gone(self) -> None:
        """
        When that is down, or is not there any more, another one does.
        """
        self.ports[ENDS[0]].stopListening()
        self.network.advance(1)
        for server in (ENDS[0], NOBODY):
            self.request(server)
        (taker,) = self.takers()
        self.assertIn(taker, ENDS[1:])
        self.assertEqual(self.servers[taker].methods(), ["BYE", "BYE"])

    def test_trusted(self) -> None:
        """
        What a server of the file sends is believed; what others send is not.
        """
        for end in (ENDS[0], NOBODY):
            sender = self.servers.get(end)
            if sender is None:
                sender = Server()
                self.machine.listenUDP(end.port, sender, HOST)
            request = self.c.make("INVITE", BOB, call_id=str(end))
            via = f"SIP/2.0/UDP {HOST}:{end.port};branch=z9hG4bK{end.port}"
            request.set("Via", via)
            sender.transport.write(request.to_bytes(), (HOST, 5059))
            self.settle()
        self.assertEqual(self.a.request().get("Call-ID"), str(ENDS[0]))
        self.assertTrue(self.a.is_quiet)


class Line(Protocol):
    """
    A connection to a server that is reached over TCP; it answers probes.
    """

    def __init__(self, server: StreamServer) -> None:
        self._server = server

    def dataReceived(self, data: bytes) -> None:
        """
        Take one message; no more come at a time.
        """
        request = parse(data)
        assert isinstance(request, Request) and self.transport is not None
        if request.method == "OPTIONS":
            self.transport.write(request.respond(200, to_tag="p").to_bytes())
        else:
            self._server.inbox.append((request, self))


class StreamServer(Factory):
    """
    An application server that is reached over TCP.

    :ivar inbox: what has come, and on which connection.
    """

    noisy = False

    def __init__(self) -> None:
        self.inbox: list[tuple[Request, Line]] = []

    def buildProtocol(self, addr: IAddress | None) -> Line:
        """
        Take a connection.
        """
        return Line(self)

    def answer(self, status: int) -> None:
        """
        Answer the last request.
        """
        request, line = self.inbox[-1]
        assert line.transport is not None
        line.transport.write(request.respond(status, to_tag="x").to_bytes())


class StreamTests(AccountsCase):
    """
    Two servers that are reached over TCP.
    """

    def setUp(self) -> None:
        self.file = Path(self.mktemp())
        self.ends = [Endpoint.parse(f"tcp:{HOST}:{port}") for port in (5070, 5071)]
        self.file.write_text("".join(f"100,{end}\n" for end in self.ends))
        super().setUp()
        self.servers = {end: StreamServer() for end in self.ends}
        self.ports = {
            end: self.machine.listenTCP(end.port, server, interface=HOST)
            for end, server in self.servers.items()
        }
        self.network.advance(2)

    def parsed(self) -> Config:
        config = super().parsed()
        return replace(config, proxy=replace(config.proxy, dispatch_file=self.file))

    def call(self) -> list[StreamServer]:
        """
        Let C call bob.

        :return: the servers, in the order in which they are asked.
        """
        assert self.service.dispatcher is not None
        order = self.service.dispatcher.choose("one", "bob")
        self.c.send(self.c.make("INVITE", BOB, call_id="one"))
        self.network.advance(0.1)
        return [self.servers[end] for end in order]

    def statuses(self) -> list[int]:
        """
        Give what C has heard.
        """
        self.network.advance(0.1)
        return [each.status for each, _ in self.c.consumer.responses]

    def test_call(self) -> None:
        """
        A call goes over a connection, and its answers come back on it; the server is
        told where the call came from, and to come to the inside socket.
        """
        first, second = self.call()
        ((invite, _),) = first.inbox
        self.assertTrue((invite.get("Via") or "").startswith("SIP/2.0/TCP"))
        self.assertIsNotNone(invite.get("Proxy-ReceivedFrom"))
        upper = invite.all("Record-Route")[0]
        self.assertIn("@127.0.0.1:5059", str(upper))
        self.assertNotIn("transport=tcp", str(upper))
        first.answer(180)
        first.answer(200)
        self.assertEqual(self.statuses()[-2:], [180, 200])
        self.assertEqual(second.inbox, [])

    def test_overloaded(self) -> None:
        """
        A 503 of one is no word for the caller: the next is asked at once.
        """
        first, second = self.call()
        first.answer(503)
        self.network.advance(0.1)
        second.answer(200)
        self.assertEqual(self.statuses()[-1], 200)

    def test_silence(self) -> None:
        """
        Over TCP, too, a second without an answer is enough.
        """
        _, second = self.call()
        self.network.advance(1.1)
        self.assertEqual(len(second.inbox), 1)
        second.answer(200)
        self.assertEqual(self.statuses()[-1], 200)

    def test_refused(self) -> None:
        """
        One whose machine refuses the connection is out at once, and the next is asked
        without any waiting.
        """
        dispatcher = self.service.dispatcher
        assert dispatcher is not None
        first, second = dispatcher.choose("one", "bob")
        self.ports[first].stopListening()
        self.call()
        self.servers[second].answer(200)
        self.assertEqual(self.statuses()[-1], 200)
        rows = {row["server"]: row for row in dispatcher.table()}
        self.assertEqual(rows[str(first)]["state"], "down")
        *_, change = (e for e in self.events if e.kind is EventKind.SERVER_STATE)
        self.assertEqual(change.detail["server"], str(first))
        self.assertEqual(change.detail["state"], "down")
