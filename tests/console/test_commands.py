"""
What the commands do, and for whom.
"""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.defer import Deferred, succeed

from sipsorcery.config import Config
from sipsorcery.config.tree import Server
from sipsorcery.console import words
from sipsorcery.console.commands import Commands
from sipsorcery.console.errors import ConsoleError, Refused, WrongUsage
from sipsorcery.console.painting import Palette
from sipsorcery.console.screen import Screen, Size
from sipsorcery.console.seats import Seat, Seats
from sipsorcery.console.servers import Listing
from sipsorcery.monitor.bus import LocalBus
from sipsorcery.monitor.event import Event, EventKind
from sipsorcery.monitor.service import MonitorService
from sipsorcery.testing.threads import SteppedThreads
from tests.store.directory.cases import DirectoryCase


class Servers:
    """
    Servers with a call and a phone of joe and of eve each.

    :ivar asked: what they were told to do.
    :ivar complaint: which of them hang.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.complaint = ""

    async def calls(self) -> Listing:
        """
        Give the calls.
        """
        common = {"direction": "out", "state": "established", "answered": None}
        rows = [
            {"id": f"call-{owner}", "owner": owner, "started": 90.0, **common}
            | {"call_ids": [f"1@{owner}"], "account": f"{owner}@x"}
            for owner in ("joe", "eve")
        ]
        return Listing(rows, self.complaint)

    async def hang_up(self, call: str) -> bool:
        """
        Note it.
        """
        self.asked.append(("hangup", call))
        return True

    async def registrations(self, owner: str | None) -> list[dict[str, Any]]:
        """
        Give the phones.
        """
        owners = ("joe", "eve") if owner is None else (owner,)
        return [{"aor": f"sip:{each}@x", "owner": each} for each in owners]

    async def status(self) -> Listing:
        """
        Give one server.
        """
        row = {"role": "proxy", "started": 0.0, "pid": 1}
        return Listing([row], self.complaint)

    async def bans(self) -> list[dict[str, Any]]:
        """
        Give nobody.
        """
        return []

    async def ban(self, address: str, seconds: float | None) -> str:
        """
        Note it.
        """
        self.asked.append(("ban", address, seconds))
        return address

    async def unban(self, address: str) -> bool:
        """
        Know of nobody.
        """
        return False

    async def dispatch(self) -> list[dict[str, Any]]:
        """
        Give one server.
        """
        ages = dict.fromkeys(("for", "last_probe", "round_trip", "next_probe"), 0.25)
        names = ("set", "priority", "why", "calls", "answer")
        row = {"server": "udp:127.0.0.1:5070", "state": "up", **ages}
        return [{**row, **dict.fromkeys(names, 1)}]

    async def workers(self) -> list[dict[str, Any]]:
        """
        Give one server.
        """
        return [{"server": "udp:127.0.0.1:5070", "phase": "up", "memory": 7}]


class ConsoleCase(DirectoryCase):
    """
    A console with joe, eve and the administrator root.
    """

    def setUp(self) -> None:
        super().setUp()
        self.bus = LocalBus(self.reactor)
        config = Config(server=Server(data_dir=self.folder))
        self.monitor = MonitorService(
            self.reactor,
            config,
            self.bus,
            threads=SteppedThreads(waits=False),
            clock=lambda: 100.0,
        )
        self.monitor.startService()
        self.addCleanup(self.stop)
        self.servers, self.seats = Servers(), Seats()
        self.ended: list[str] = []
        self.told: list[Event] = []
        self.bus.subscribe(self.told.append, {EventKind.ADMIN_ACTION})
        self.commands = Commands(
            self.reactor,
            view=self.monitor.view,
            directory=self.directory,
            servers=self.servers,
            seats=self.seats,
            bus=self.bus,
            clock=lambda: 100.0,
        )
        self.joe_seat, self.eve_seat = self.take("joe"), self.take("eve")
        self.root = self.take("root", is_admin=True)
        self.written = ""
        self.reading: Deferred[None] = succeed(None)  # they keep up

    def stop(self) -> None:
        """
        Stop the monitor.
        """
        stopped = self.monitor.stopService()
        self.reactor.pump([0] * 300)
        self.successResultOf(stopped)

    def take(self, user: str, *, is_admin: bool = False) -> Seat:
        """
        Let somebody in.
        """
        return self.seats.take(
            user,
            "192.0.2.1",
            0.0,
            lambda text: self.ended.append(user),
            is_admin=is_admin,
        )

    def screen(self, size: Size | None = None) -> Screen:
        """
        Make a screen that writes here.
        """

        def write(text: str) -> None:
            self.written += text

        return Screen(write, lambda: self.reading, Palette(is_on=False), size)

    def start(self, seat: Seat, line: str, size: Size | None = None) -> Deferred[None]:
        """
        Type a line, and let what it says begin.
        """
        typed = words.read(line, is_admin=seat.is_admin)
        running = self.begin(self.commands.run(seat, typed, self.screen(size)))
        self.reactor.pump([0] * 5)
        return running

    def run_line(self, seat: Seat, line: str) -> str:
        """
        Type a line of a command that ends; give what it shows.
        """
        self.written = ""
        self.successResultOf(self.start(seat, line))
        return self.written

    def refused(self, seat: Seat, line: str) -> ConsoleError:
        """
        Type a line that is refused; give how.
        """
        failed = self.failureResultOf(self.start(seat, line), ConsoleError)
        assert isinstance(failed.value, ConsoleError)
        return failed.value

    def emit(self, owner: str, message: str) -> None:
        """
        Emit an event.
        """
        event = Event(
            time=99.0,
            server="appserver",
            kind=EventKind.DIALPLAN_STEP,
            owner=owner,
            message=message,
            dialogue=f"call-{owner}",
        )
        self.bus.emit(event)
        self.reactor.pump([0] * 5)

    def rows(self, seat: Seat, line: str) -> Any:
        """
        Give what a command answers in JSON.
        """
        return json.loads(self.run_line(seat, f"{line} --json"))


class CommandsTests(ConsoleCase):
    """
    The commands one after the other.
    """

    # Whose it is

    def test_lists(self) -> None:
        """
        Users list what is theirs, administrators what is anybody's.
        """
        for line in ("calls", "registrations"):
            for seat, owners in ((self.joe_seat, {"joe"}), (self.root, {"joe", "eve"})):
                found = {row["owner"] for row in self.rows(seat, line)}
                self.assertEqual(found, owners, line)
        self.assertEqual(
            {row["user"] for row in self.rows(self.joe_seat, "who")}, {"joe"}
        )
        self.assertEqual(len(self.rows(self.root, "who")), 3)

    def test_tail(self) -> None:
        """
        One sees one's own events as they come.
        """
        running = self.start(self.joe_seat, "event dialplan")
        self.emit("eve", "dials a secret")
        self.emit("joe", "dials 101")
        self.assertIn("dials 101", self.written)
        self.assertNotIn("secret", self.written)
        self.assertEqual(self.joe_seat.doing, "tail event dialplan")
        running.addErrback(lambda failure: None).cancel()
        self.assertEqual(self.joe_seat.doing, "")

    def test_tail_looks_back(self) -> None:
        """
        With since it begins with what has been, and shows nothing twice.
        """
        self.emit("joe", "dials 101")
        self.reactor.advance(5)
        running = self.start(self.joe_seat, "since 10m")
        self.reactor.pump([0] * 5)
        self.emit("joe", "dials 102")
        self.assertEqual(self.written.count("dials 101"), 1)
        self.assertEqual(self.written.count("dials 102"), 1)
        running.addErrback(lambda failure: None).cancel()

    def test_missed(self) -> None:
        """
        Who does not keep up misses events, and is told how many.
        """
        self.reading = Deferred()
        running = self.start(self.joe_seat, "")
        for number in range(1200):
            self.emit("joe", f"step {number}.")
        self.assertNotIn("step", self.written)
        self.reading.callback(None)
        self.reactor.pump([0] * 20)
        self.assertIn("-- 200 events missed, 200 in all --", self.written)
        self.assertIn("step 1199.", self.written)
        running.addErrback(lambda failure: None).cancel()

    def test_fault(self) -> None:
        """
        A filter that is none is refused with the place of its fault.
        """
        error = self.refused(self.joe_seat, "tail event nonsense")
        assert isinstance(error, WrongUsage)
        self.assertEqual((error.position, error.status), (11, 2))

    def test_call(self) -> None:
        """
        A call is shown to its owner and to administrators, as if there were none to
        others.
        """
        self.emit("joe", "dials 101")
        self.reactor.advance(5)
        self.assertIn("dials 101", self.run_line(self.joe_seat, "call call-joe"))
        for line in ("call call-joe", "ladder call-joe"):
            self.assertIn("there is no call", str(self.refused(self.eve_seat, line)))
        self.assertEqual(self.told, [])
        self.assertIn("dials 101", self.run_line(self.root, "call call-joe"))
        self.assert_told("joe", "looked at call call-joe")

    # Administrators

    def assert_told(self, owner: str, action: str) -> None:
        """
        Check that the owner can see what an administrator has done.
        """
        self.reactor.pump([0] * 3)
        last = self.told.pop()
        self.assertEqual((last.owner, last.detail["action"]), (owner, action))
        self.assertEqual(last.detail["user"], "root")

    def test_as(self) -> None:
        """
        An administrator who looks as a user sees as little, and that user knows.
        """
        self.run_line(self.root, "as joe")
        self.assert_told("joe", "sees what you see")
        found = {row["owner"] for row in self.rows(self.root, "calls")}
        self.assertEqual(found, {"joe"})
        self.run_line(self.root, "as")
        self.assertEqual(len(self.rows(self.root, "calls")), 2)
        self.assertIsInstance(self.refused(self.root, "as nobody"), Refused)

    def test_hangup(self) -> None:
        """
        A call is ended by its identifier or the Call-ID of a leg, and its owner told.
        """
        self.run_line(self.root, "hangup 1@joe")
        self.assertEqual(self.servers.asked, [("hangup", "call-joe")])
        self.assert_told("joe", "hung up call call-joe")
        self.assertIn("no call", str(self.refused(self.root, "hangup x")))

    def test_server_that_hangs(self) -> None:
        """
        The calls of the others are shown, and which server is missing; a command of
        ``ssh`` fails then.
        """
        self.servers.complaint = "the appserver-5071 does not answer"
        running = self.start(self.root, "calls", Size(80, 24))
        self.assertIn("call-joe", self.written)
        self.assertIn("-- the appserver-5071 does not answer --", self.written)
        running.addErrback(lambda failure: None).cancel()
        self.assertIn("appserver-5071", str(self.refused(self.root, "calls --json")))
        self.assertIn("appserver-5071", self.run_line(self.root, "stats"))
        self.assertEqual(
            str(self.refused(self.root, "hangup x")),
            "there is no call 'x'; the appserver-5071 does not answer",
        )

    def test_kick(self) -> None:
        """
        Sessions are ended by user or number, and the user told.
        """
        self.run_line(self.root, "kick joe")
        self.assertEqual(self.ended, ["joe"])
        self.assert_told("joe", "ended your session from 192.0.2.1")
        self.run_line(self.root, f"kick {self.eve_seat.number}")
        self.assertEqual(self.ended, ["joe", "eve"])
        self.assertIn("nobody", str(self.refused(self.root, "kick ann")))

    def test_ban(self) -> None:
        """
        An address is banned for a while; what is no address is shown where it stands.
        """
        self.run_line(self.root, "ban 192.0.2.7 60")
        self.run_line(self.root, "ban 2001:db8::1")
        self.assertEqual(
            self.servers.asked,
            [("ban", "192.0.2.7", 60.0), ("ban", "2001:db8::1", None)],
        )
        error = self.refused(self.root, "ban 192.0.2.7 never")
        assert isinstance(error, WrongUsage)
        self.assertEqual(error.position, 14)
        self.assertIsInstance(self.refused(self.root, "ban joe"), WrongUsage)
        self.assertIn("is not banned", str(self.refused(self.root, "unban 192.0.2.7")))

    def test_users(self) -> None:
        """
        Administrators list the users, and where calls go and who answers them.
        """
        names = [row["name"] for row in self.rows(self.root, "users")]
        self.assertEqual(names, ["eve", "joe"])
        self.assertEqual(len(self.rows(self.root, "dispatch")), 1)
        self.assertEqual(self.rows(self.root, "workers")[0]["phase"], "up")
        self.assertIn("servers", self.rows(self.root, "stats"))
        self.assertNotIn("servers", self.rows(self.joe_seat, "stats"))

    # For everybody

    def test_trace(self) -> None:
        """
        Messages of an account are shown to those who may see it.
        """
        self.do(self.directory.of("joe").accounts.add("100", "example.com", "12345678"))
        self.run_line(self.joe_seat, "trace on 100@example.com")
        self.assertEqual(self.joe_seat.traced, "100@example.com")
        self.assertIn(
            "no account", str(self.refused(self.eve_seat, "trace on 100@example.com"))
        )
        self.run_line(self.root, "trace on 100@example.com")
        self.assert_told("joe", "watched the messages of 100@example.com")
        self.run_line(self.joe_seat, "trace off")
        self.assertIsNone(self.joe_seat.traced)
        self.assertIsInstance(self.refused(self.joe_seat, "trace maybe"), WrongUsage)

    def test_calls_again_and_again(self) -> None:
        """
        On a terminal the calls are shown anew every two seconds, until somebody stops.
        """
        running = self.start(self.joe_seat, "calls", Size(80, 24))
        self.assertEqual(self.written.count("call-joe"), 1)
        self.reactor.advance(2)
        self.assertEqual(self.written.count("call-joe"), 2)
        running.addErrback(lambda failure: None).cancel()
        self.reactor.advance(2)
        self.assertEqual(self.written.count("call-joe"), 2)

    def test_help(self) -> None:
        """
        The help lists what one may do.
        """
        self.assertNotIn("hangup", self.run_line(self.joe_seat, "help"))
        self.assertIn("hangup ID", self.run_line(self.root, "help"))
        self.assertIn("ladder ID", self.run_line(self.joe_seat, "help ladder"))

    def test_quit(self) -> None:
        """
        One can leave.
        """
        self.run_line(self.joe_seat, "quit")
        self.assertEqual(self.ended, ["joe"])
