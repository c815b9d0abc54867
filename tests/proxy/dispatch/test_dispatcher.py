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
from sipsorcery.dispatch.health import State
from sipsorcery.dispatch.load import CALLS_FIELD
from sipsorcery.dispatch.table import COLUMNS
from sipsorcery.endpoint import Endpoint
from sipsorcery.proxy.dispatch.dispatcher import Dispatcher
from sipsorcery.proxy.dispatch.policy import Policy
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
    :ivar fields: what else it says.
    :ivar calls: how many it tells to have; None: it does not.
    """

    transport: Any

    def __init__(self, status: int | None) -> None:
        self.status = status
        self.fields: list[tuple[str, str]] = []
        self.calls: int | None = None
        self.requests: list[Request] = []

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """
        Answer a probe.
        """
        request = parse(datagram)
        assert isinstance(request, Request)
        self.requests.append(request)
        if self.status is not None and request.method != "ACK":
            fields = list(self.fields)
            if self.calls is not None:
                fields.append((CALLS_FIELD, str(self.calls)))
            response = request.respond(self.status, to_tag="x", fields=fields)
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
        self.changes: list[tuple[Endpoint, State]] = []
        self.dispatcher = Dispatcher(
            self.reactor,
            self.file,
            self.policy,
            lambda: self.reactor.seconds() + 1000,
            lambda server, state, why: self.changes.append((server, state)),
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

    def test_all_silent(self) -> None:
        """
        Where all are silent, a busy machine may stand still: they get calls for ten
        seconds more, as nobody else is there to get them; not after that.
        """
        self.start()
        for server in self.servers:
            server.status = None
        self.wait(3)
        self.assertEqual({self.row(n)["state"] for n in range(3)}, {"down"})
        self.assertEqual(self.first(), set(ENDS))
        self.wait(10)
        self.assertEqual(self.first(), set())

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

    def test_busy(self) -> None:
        """
        One that has too much to do, and says for how long, gets calls only when nobody
        else is up, and keeps its dialogues.
        """
        self.start()
        self.servers[2].status, self.servers[2].fields = 503, [("Retry-After", "7")]
        self.wait()
        self.assertEqual(self.row(2)["state"], "busy")
        self.assertEqual(self.first(), set(ENDS[:2]))
        self.assertEqual(self.dispatcher.stands_for(ENDS[2], "d"), ENDS[2])
        for port in self.ports[:2]:
            port.stopListening()
        self.wait()
        self.assertEqual(self.first(), {ENDS[2]})

    def test_calls_without_an_answer(self) -> None:
        """
        Calls that it has not answered count, too; answers to probes do not make up for
        them, and the next time it has to give twice as many of these.
        """
        self.start()
        for answers in (2, 4, 8):
            self.dispatcher.silent(ENDS[0])
            self.wait(1.2)
            self.assertIn(ENDS[0], self.first())
            self.dispatcher.silent(ENDS[0])
            self.assertNotIn(ENDS[0], self.first())
            self.wait(0.4 * (answers - 1))
            self.assertNotIn(ENDS[0], self.first())
            self.wait(0.2 * answers + 0.5)
            self.assertIn(ENDS[0], self.first())
        self.assertEqual(self.row(0)["unanswered"], 6)

    def test_calls_with_an_answer(self) -> None:
        """
        A call that it answers ends that.
        """
        self.start()
        for _ in range(3):
            self.dispatcher.silent(ENDS[0])
            self.dispatcher.heard(ENDS[0])
        self.assertIn(ENDS[0], self.first())

    def test_unreachable(self) -> None:
        """
        One to which a call could not be brought is out at once.
        """
        self.start()
        self.dispatcher.unreachable(ENDS[0], "refused")
        self.assertNotIn(ENDS[0], self.first())
        self.assertEqual(self.row(0)["why"], "refused")

    def test_told_of_changes(self) -> None:
        """
        Each change of a state is told, once.
        """
        self.start()
        self.assertEqual(self.changes, [(end, State.UP) for end in ENDS])
        self.ports[1].stopListening()
        self.wait()
        self.assertEqual(self.changes[3:], [(ENDS[1], State.DOWN)])

    def test_stays(self) -> None:
        """
        A call that comes again goes where it went before, also to one that drains; not
        to one that is down, or that the operator has taken out.
        """
        self.start()
        first, second, _ = self.dispatcher.choose("a", "joe")
        self.dispatcher.offered(second, "a")
        self.assertEqual(self.dispatcher.choose("a", "joe")[:2], [second, first])
        self.write(f"0,{second}\n100,{first}\n")
        self.wait()
        self.assertEqual(self.dispatcher.choose("a", "joe"), [second, first])
        self.write(f"-1,{second}\n100,{first}\n")
        self.wait()
        self.assertEqual(self.dispatcher.choose("a", "joe"), [first])
        self.write(f"100,{second}\n100,{first}\n")
        self.wait(300)
        self.assertEqual(self.dispatcher.choose("a", "joe"), [first, second])

    def test_sets(self) -> None:
        """
        A set has its own servers; without a choice it is the lowest.
        """
        self.write(
            f"7 sip:{HOST}:{PORTS[1]}\n"
            f"2 sip:{HOST}:{PORTS[0]}\n"
            f"7 sip:{HOST}:{PORTS[2]} 0 0 weight=50\n"
        )
        self.start()
        self.assertEqual(self.first(), {ENDS[0]})
        choose = self.dispatcher.choose
        self.assertEqual(set(choose("a", "joe", set=7)), set(ENDS[1:]))
        self.assertEqual(choose("a", "joe", set=3), [])
        users = {choose(f"{n}", "joe", set=7, by=DispatchBy.USER)[0] for n in range(60)}
        self.assertEqual(len(users), 1)
        sets = [(row["set"], row["server"]) for row in self.dispatcher.table()]
        self.assertEqual(sets, [(2, str(ENDS[0])), *((7, str(e)) for e in ENDS[1:])])
        self.ports[1].stopListening()
        self.wait()
        self.assertEqual(self.dispatcher.stands_for(ENDS[1], "d"), ENDS[2])

    def test_only_draining_left(self) -> None:
        """
        A dialogue goes rather to a server that drains than to nobody.
        """
        self.start()
        self.write(f"100,{ENDS[0]}\n0,{ENDS[1]}\n")
        self.wait()
        self.ports[0].stopListening()
        self.wait(0.6)
        self.assertEqual(self.dispatcher.choose("a", "joe"), [])
        self.assertEqual(self.dispatcher.stands_for(ENDS[0], "d"), ENDS[1])

    def test_half_written(self) -> None:
        """
        A file that somebody is writing into is read when they have finished.
        """
        self.start()
        with self.file.open("w") as file:
            for line in (f"100,{ENDS[0]}\n100,udp:127.0.0.1:5", "0", "71\n"):
                file.write(line)
                file.flush()
                self.wait(0.3)
                self.assertLessEqual(self.first(), set(ENDS))
        self.wait()
        self.assertEqual(self.first(), set(ENDS[:2]))

    def test_another_probe(self) -> None:
        """
        What is asked may change meanwhile.
        """
        self.start()
        self.dispatcher.change(Policy(probe=DispatchProbe.INVITE))
        for server in self.servers:
            server.status = 420
        self.wait()
        self.assertEqual(self.servers[0].requests[-1].method, "ACK")
        self.assertEqual(self.first(), set(ENDS))

    def test_figures(self) -> None:
        """
        Each server has its figures.
        """
        self.start()
        self.dispatcher.offered(ENDS[1], "a")
        self.ports[2].stopListening()
        self.wait()
        found = {
            (each.name, each.labels["server"]): each.value
            for each in self.dispatcher.figures()
        }
        self.assertEqual(found["dispatch_up", str(ENDS[0])], 1)
        self.assertEqual(found["dispatch_up", str(ENDS[2])], 0)
        self.assertEqual(found["dispatched", str(ENDS[1])], 1)
        self.assertEqual(found["dispatch_calls", str(ENDS[1])], 1)
        self.assertEqual(found["dispatch_round_trip", str(ENDS[0])], 0)

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

    def test_answers_for_a_slow_one(self) -> None:
        """
        One that is silent for a moment hears itself what it has waited for; another one
        does when it is silent for longer.
        """
        self.start()
        self.servers[0].status = None
        self.wait(1.8)
        self.assertEqual(self.row(0)["state"], "down")
        self.assertIsNone(self.dispatcher.instead_of(ENDS[0], "call"))
        self.wait(10)
        self.assertIn(self.dispatcher.instead_of(ENDS[0], "call"), ENDS[1:])

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
            ("100,tls:127.0.0.1:5070", "the way inside is UDP or TCP"),
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
        self.assertLess(row["last_probe"], 0.6)
        self.assertEqual((row["set"], row["calls"], row["why"]), (1, 0, "200 OK"))
        self.assertEqual(row["for"], 2.0)
        for column in COLUMNS:
            self.assertIn(column, row)


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
        for number in range(3):
            self.dispatcher.offered(ENDS[0], f"a{number}")
            self.dispatcher.offered(ENDS[1], f"b{number}")
        self.assertEqual(self.first(), {ENDS[2]})
        for _ in range(3):
            self.dispatcher.settled(ENDS[0])
        self.dispatcher.offered(ENDS[2], "c")
        self.assertEqual(self.first(), {ENDS[0]})

    def test_told(self) -> None:
        """
        Calls that are established count, as far as a server tells how many it has.
        """
        for server, calls in zip(self.servers, (20, 5, 30), strict=True):
            server.calls = calls
        self.start()
        self.assertEqual(
            [self.row(number)["calls"] for number in range(3)], [20, 5, 30]
        )
        self.assertEqual(self.first(), {ENDS[1]})
        for number in range(20):
            self.dispatcher.offered(ENDS[1], f"{number}")
        self.assertEqual(self.first(), {ENDS[0]})

    def test_dialogues_stay(self) -> None:
        """
        Whoever stands in for a server does so whatever the others have to do.
        """
        self.start()
        self.ports[0].stopListening()
        self.wait(0.6)
        other = self.dispatcher.stands_for(ENDS[0], "dialogue")
        assert other is not None
        for number in range(9):
            self.dispatcher.offered(other, f"{number}")
        self.assertEqual(self.dispatcher.stands_for(ENDS[0], "dialogue"), other)
