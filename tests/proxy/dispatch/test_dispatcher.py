"""
Tests for `sipsorcery.proxy.dispatch.dispatcher` and its probes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.protocol import DatagramProtocol
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.config import DispatchBy, DispatchProbe
from sipsorcery.endpoint import Endpoint
from sipsorcery.proxy.dispatch.dispatcher import Dispatcher, Policy
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request
from sipsorcery.testing.network import MemoryNetwork

PORTS = (5070, 5071, 5072)
HOST = "127.0.0.1"
ENDS = [Endpoint.parse(f"udp:{HOST}:{port}") for port in PORTS]


class Server(DatagramProtocol):
    """
    An application server.

    :ivar status: what it answers; None: nothing.
    """

    transport: Any

    def __init__(self, status: int | None) -> None:
        self.status = status
        self.requests: list[Request] = []

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """
        Answer a probe.
        """
        request = parse(datagram)
        assert isinstance(request, Request)
        self.requests.append(request)
        if self.status is not None and request.method != "ACK":
            response = request.respond(self.status, to_tag="x")
            self.transport.write(response.to_bytes(), addr)


class DispatcherCase(SynchronousTestCase):
    """
    Three servers.
    """

    policy = Policy()
    status = 200

    def setUp(self) -> None:
        self.network = MemoryNetwork()
        self.reactor = self.network.machine(HOST)
        self.file = Path(self.mktemp())
        self.dispatcher = Dispatcher(
            self.reactor,
            self.file,
            self.policy,
            lambda: self.reactor.seconds() + 1000,
        )
        self.addCleanup(self.dispatcher.stop)
        self.servers = [Server(self.status) for _ in PORTS]
        self.ports = [
            self.reactor.listenUDP(port, server, HOST)
            for port, server in zip(PORTS, self.servers, strict=True)
        ]
        self.write("".join(f"100,udp:{HOST}:{port}\n" for port in PORTS))

    def write(self, text: str) -> None:
        """
        Put another file in the place of the one before.
        """
        new = self.file.with_suffix(".new")
        new.write_text(text)
        new.replace(self.file)

    def wait(self, seconds: float = 2.0) -> None:
        """
        Let time pass.
        """
        self.network.advance(seconds)

    def start(self) -> None:
        """
        Start, and let the first probes be answered.
        """
        self.dispatcher.start()
        self.wait()

    def first(self, count: int = 60) -> set[Endpoint]:
        """
        Give the servers that come first for some calls.
        """
        chosen = (self.dispatcher.choose(f"{n}@x", "joe") for n in range(count))
        return {each[0] for each in chosen if each}

    def row(self, number: int) -> dict[str, Any]:
        """
        Give what is told of one server.
        """
        return self.dispatcher.table()[number]


class DispatcherTests(DispatcherCase):
    """
    Servers that come and go, and lines of the file.
    """

    def test_all(self) -> None:
        """
        All that answer get calls, and each call has a second choice.
        """
        self.start()
        self.assertEqual(self.first(), set(ENDS))
        self.assertEqual(len(self.dispatcher.choose("a", "joe")), 3)
        for end in ENDS:
            self.assertIn(end, self.dispatcher)

    def test_before_the_first_answer(self) -> None:
        """
        Until anybody has answered, all are tried.
        """
        for server in self.servers:
            server.status = None
        self.dispatcher.start()
        self.assertEqual(self.first(), set(ENDS))

    def test_silence(self) -> None:
        """
        One that does not answer is out after two probes, and back after two answers.
        """
        self.start()
        self.servers[0].status = None
        self.wait(1.8)
        self.assertEqual(self.first(), set(ENDS[1:]))
        self.assertEqual(self.row(0)["state"], "down")
        self.assertEqual(self.row(0)["why"], "a probe: no answer")
        self.servers[0].status = 200
        self.wait(1.8)
        self.assertEqual(self.first(), set(ENDS))

    def test_refusal(self) -> None:
        """
        One whose machine says that nobody is there is out at the next probe.
        """
        self.start()
        self.ports[1].stopListening()
        self.wait(0.6)
        self.assertNotIn(ENDS[1], self.first())
        self.assertEqual(self.row(1)["why"], "nobody listens there")

    def test_unwell(self) -> None:
        """
        One that answers that it cannot is out as well.
        """
        self.start()
        self.servers[2].status = 503
        self.wait(1.8)
        self.assertNotIn(ENDS[2], self.first())
        self.assertEqual(self.row(2)["why"], "503 Service Unavailable")

    def test_calls_without_an_answer(self) -> None:
        """
        Calls that it has not answered count, too.
        """
        self.start()
        for _ in range(2):
            self.dispatcher.silent(ENDS[0])
        self.assertNotIn(ENDS[0], self.first())

    def test_nobody(self) -> None:
        """
        If nobody is well, nobody gets a call.
        """
        self.start()
        for port in self.ports:
            port.stopListening()
        self.wait(1)
        self.assertEqual(self.dispatcher.choose("a", "joe"), [])
        self.assertIsNone(self.dispatcher.stands_for(ENDS[0], "dialogue"))

    def test_draining(self) -> None:
        """
        One with 0 gets no new calls, keeps its own, and is trusted; so is one with -1.
        """
        self.start()
        self.write(f"0,{ENDS[0]}\n-1,{ENDS[1]}\n100,{ENDS[2]}\n")
        self.wait()
        self.assertEqual(self.first(), {ENDS[2]})
        self.assertEqual(self.dispatcher.stands_for(ENDS[0], "d"), ENDS[0])
        for end in ENDS:
            self.assertIn(end, self.dispatcher)

    def test_taken_over(self) -> None:
        """
        A dialogue of one that is down or unknown goes to another, always the same.
        """
        self.start()
        self.ports[0].stopListening()
        self.wait(0.6)
        stranger = Endpoint.parse("udp:127.0.0.1:9")
        for server in (ENDS[0], stranger):
            other = self.dispatcher.stands_for(server, "dialogue")
            self.assertIn(other, ENDS[1:])
            self.assertEqual(self.dispatcher.stands_for(server, "dialogue"), other)

    def test_answers(self) -> None:
        """
        What one that is down has waited for another hears; nobody hears it in the place
        of who is well, or is none of them.
        """
        self.start()
        self.ports[0].stopListening()
        self.wait(0.6)
        self.assertIn(self.dispatcher.instead_of(ENDS[0], "call"), ENDS[1:])
        for other in (ENDS[1], Endpoint.parse("udp:127.0.0.1:9")):
            self.assertIsNone(self.dispatcher.instead_of(other, "call"))
        for port in self.ports[1:]:
            port.stopListening()
        self.wait(1)
        self.assertIsNone(self.dispatcher.instead_of(ENDS[0], "call"))

    def test_file_changes(self) -> None:
        """
        A server that is no longer in the file is forgotten, and trusted no more.
        """
        self.start()
        self.write(f"100,{ENDS[0]}\n")
        self.wait()
        self.assertEqual(self.first(), {ENDS[0]})
        self.assertIn(ENDS[0], self.dispatcher)
        self.assertNotIn(ENDS[1], self.dispatcher)
        asked = len(self.servers[1].requests)
        self.wait(5)
        self.assertEqual(len(self.servers[1].requests), asked)

    def test_bad_files(self) -> None:
        """
        A file that is gone, empty, or of no use does not replace what was known, and
        the log says what is wrong with it, by its line.
        """
        self.start()
        for text, told in (
            ("", "names no server"),
            ("100,tcp:127.0.0.1:5070", "the way inside is UDP"),
            ("what", "line 1: expected PRIORITY,ENDPOINT"),
        ):
            with capturedLogs() as logged:
                self.write(text)
                self.wait()
            self.assertIn(told, "\n".join(map(formatEvent, logged)))
            self.assertEqual(self.first(), set(ENDS))
        self.file.unlink()
        self.wait()
        self.assertEqual(self.first(), set(ENDS))

    def test_bad_line(self) -> None:
        """
        One bad line harms no other.
        """
        self.write(f"100,{ENDS[0]}\nwhat\n100,{ENDS[1]}\n")
        self.start()
        self.assertEqual(self.first(), set(ENDS[:2]))

    def test_created_later(self) -> None:
        """
        The file may come after the start.
        """
        self.file.unlink()
        self.start()
        self.assertEqual(self.first(), set())
        self.write(f"100,{ENDS[0]}\n")
        self.wait()
        self.assertEqual(self.first(), {ENDS[0]})

    def test_stop(self) -> None:
        """
        Nothing goes on after a stop.
        """
        self.start()
        self.dispatcher.stop()
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertEqual(len(self.reactor.udp_ports), len(PORTS))

    def test_table(self) -> None:
        """
        People see how each is, and why.
        """
        self.start()
        row = self.row(0)
        self.assertEqual((row["server"], row["priority"]), (str(ENDS[0]), 100))
        self.assertEqual((row["state"], row["answer"]), ("up", "200 OK"))
        self.assertEqual(row["round_trip"], 0.0)
        self.assertLess(row["next_probe"], 0.6)


class InviteProbeTests(DispatcherCase):
    """
    The probe of the original.
    """

    policy = Policy(probe=DispatchProbe.INVITE)
    status = 420

    def test_healthy(self) -> None:
        """
        420 says that all is well, and is acknowledged.
        """
        self.start()
        self.assertEqual(self.first(), set(ENDS))
        invite, ack, *_ = self.servers[0].requests
        self.assertEqual((invite.method, ack.method), ("INVITE", "ACK"))
        self.assertEqual(invite.request_uri, f"sip:dispatcher@{HOST}:{PORTS[0]}")

    def test_unwell(self) -> None:
        """
        Any other answer says that it is not.
        """
        self.start()
        self.servers[0].status = 500
        self.wait()
        self.assertNotIn(ENDS[0], self.first())


class ByUserTests(DispatcherCase):
    """
    All calls of one user at one server.
    """

    policy = Policy(by=DispatchBy.USER)

    def test_user(self) -> None:
        """
        The user decides, not the call.
        """
        self.start()
        self.assertEqual(len(self.first()), 1)
        users = (self.dispatcher.choose("x", f"u{n}")[0] for n in range(60))
        self.assertEqual(set(users), set(ENDS))


class ByCallsTests(DispatcherCase):
    """
    The server with the fewest calls.
    """

    policy = Policy(by=DispatchBy.CALLS)

    def test_calls(self) -> None:
        """
        Those that are being set up count.
        """
        self.start()
        for _ in range(3):
            self.dispatcher.offered(ENDS[0])
            self.dispatcher.offered(ENDS[1])
        self.assertEqual(self.first(), {ENDS[2]})
        for _ in range(3):
            self.dispatcher.settled(ENDS[0])
        self.dispatcher.offered(ENDS[2])
        self.assertEqual(self.first(), {ENDS[0]})
