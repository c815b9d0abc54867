"""
Tests for `sipsorcery.proxy.loading`, and for scripts of operators at work.
"""

from __future__ import annotations

from pathlib import Path

from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.monitor.event import EventKind
from sipsorcery.proxy import script
from sipsorcery.proxy.errors import ScriptError
from sipsorcery.proxy.events import Events
from sipsorcery.proxy.loading import Script
from sipsorcery.store.errors import StoreUnavailable
from sipsorcery.testing.bus import RecordingBus
from tests import ROOT
from tests.proxy.world import PHONE_B, PROXY, ProxyWorld

TEAPOT = """
def request(sys, req):
    sys.respond(418, "Teapot")
"""


class ScriptTests(SynchronousTestCase):
    """
    A file that changes.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.file = Path(self.mktemp())

    def load(self, text: str) -> Script:
        """
        Load a script, and look after it as long as the test runs.
        """
        self.file.write_text(text)
        loaded = Script(self.file, self.clock)
        loaded.start()
        self.addCleanup(loaded.stop)
        return loaded

    def test_packaged(self) -> None:
        """
        Without a file the packaged script counts, and nothing is looked after.
        """
        loaded = Script(None, self.clock)
        loaded.start()
        self.assertIs(loaded._request, script.request)
        self.assertFalse(loaded.changes_responses)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_one_function(self) -> None:
        """
        What a script does not define is taken from the packaged one.
        """
        loaded = self.load("def response(sys, resp): pass")
        self.assertIs(loaded._request, script.request)
        self.assertTrue(loaded.changes_responses)

    def test_faults(self) -> None:
        """
        A first version that cannot be used is a fault that names the file.
        """
        for text in (
            *("def request(", "1/0", "x = 1", "request = 1\ndef response(): 0"),
            "raise SystemExit",
        ):
            with self.assertRaises(ScriptError) as caught:
                self.load(text)
            self.assertIn(str(self.file), str(caught.exception))
        self.file.unlink()
        with self.assertRaises(ScriptError):
            Script(self.file, self.clock).start()

    def test_events(self) -> None:
        """
        The monitor hears of each further version, and of those that cannot be used.
        """
        bus = RecordingBus()
        self.file.write_text(TEAPOT)
        loaded = Script(self.file, self.clock, Events(bus, lambda: 1000.0))
        loaded.start()
        self.addCleanup(loaded.stop)
        for text in (TEAPOT + "\n", "def request(", TEAPOT):
            self.file.write_text(text)
            self.clock.pump([1, 1])
        good, bad = EventKind.SCRIPT_LOADED, EventKind.SCRIPT_FAILED
        self.assertEqual(bus.kinds(), [good, bad, good])
        self.assertEqual(bus.events[1].detail, {"file": str(self.file)})

    def test_reload(self) -> None:
        """
        A changed file is loaded; one that cannot be used, or is gone, is reported once
        and the version before stays.
        """
        loaded = self.load(TEAPOT)
        first = loaded._request
        self.file.write_text(TEAPOT + "\n")
        self.clock.advance(1)
        second = loaded._request
        self.assertIsNot(second, first)
        with capturedLogs() as events:
            self.file.write_text("def request(")
            self.clock.pump([1, 1, 1])
            self.file.unlink()
            self.clock.pump([1, 1, 1])
        errors = [each for each in events if each["log_level"] is LogLevel.error]
        self.assertEqual(len(errors), 2)
        self.assertIn("the version before stays", formatEvent(errors[0]) or "")
        self.assertIs(loaded._request, second)
        self.file.write_text(TEAPOT)
        self.clock.advance(1)
        self.assertIsNot(loaded._request, second)

    def test_other_file(self) -> None:
        """
        The script of another file takes the place of the one before, if it can be used;
        none is the packaged one. The one in use is looked after.
        """
        loaded = self.load(TEAPOT)
        first = loaded._request
        other = self.file.with_suffix(".other")
        other.write_text("def request(")
        self.assertRaises(ScriptError, loaded.change, other)
        self.assertIs(loaded._request, first)
        loaded.change(self.file)
        self.assertIs(loaded._request, first)
        other.write_text(TEAPOT)
        loaded.change(other)
        second = loaded._request
        self.assertIsNot(second, first)
        other.write_text(TEAPOT + "\n")
        self.clock.advance(1)
        self.assertIsNot(loaded._request, second)
        loaded.change(None)
        self.assertIs(loaded._request, script.request)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        loaded.change(self.file)
        self.assertIsNot(loaded._request, script.request)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)


class OperatorTests(ProxyWorld):
    """
    Scripts at work.
    """

    def use(self, text: str) -> None:
        """
        Start the proxy anew, with this script.
        """
        self.script = Path(self.mktemp())
        self.script.write_text(text)
        self.loaded._file = self.script
        self.loaded.start()

    def test_reload_under_load(self) -> None:
        """
        While the script changes a hundred times, every third time for the worse, each
        request is answered: at no time is there no script.
        """
        self.use(TEAPOT)
        assert self.script is not None
        for number in range(100):
            broken = "def request(" if number % 3 == 0 else ""
            self.script.write_text(f"{TEAPOT}\n# {number}\n{broken}")
            for part in range(4):
                branch = f"{number}x{part}"
                self.a.send(self.a.make("MESSAGE", "sip:example.com", branch=branch))
                self.assertEqual(self.a.response().status, 418)
                self.network.advance(0.3)
        self.loaded.stop()

    def test_plain_function(self) -> None:
        """
        A function that is no coroutine will do.
        """
        self.use(TEAPOT)
        self.a.send(self.a.make("MESSAGE", "sip:example.com"))
        response = self.a.response()
        self.assertEqual((response.status, response.reason), (418, "Teapot"))

    def test_extends_the_packaged_one(self) -> None:
        """
        A script can do a little itself and leave the rest to the packaged one.
        """
        self.use(
            "from sipsorcery.proxy import script\n"
            "async def request(sys, req):\n"
            "    if req.method == 'PUBLISH':\n"
            "        sys.respond(489)\n"
            "    else:\n"
            "        await script.request(sys, req)\n"
        )
        self.a.send(self.a.make("PUBLISH", "sip:example.com"))
        self.a.send(self.a.make("OPTIONS", f"sip:{PROXY}", branch="2"))
        self.assertEqual(self.a.statuses(), [489, 200])

    def test_example(self) -> None:
        """
        The example that is shipped refuses what it says, and leaves the rest.
        """
        self.use((ROOT / "etc" / "proxy.py").read_text())
        self.places.names["far.example"] = [f"udp:{PHONE_B}:5060"]
        self.trunk.send(self.trunk.make("INVITE", "sip:+8816123@far.example"))
        self.assertEqual(self.trunk.statuses(), [403])
        self.trunk.send(self.trunk.make("MESSAGE", "sip:x@far.example", branch="2"))
        message = self.b.request()
        self.b.send(message.respond(200, fields=[("Server", "secret 1.0")]))
        response = self.trunk.response()
        self.assertEqual(response.status, 200)
        self.assertNotIn("Server", response)

    def test_store_away(self) -> None:
        """
        A script that cannot look anybody up need not say so itself: 503.
        """

        async def away(uri: object) -> None:
            raise StoreUnavailable("the store is away")

        self.of = away  # type: ignore[method-assign]
        self.a.send(self.a.make("MESSAGE", "sip:bob@example.com"))
        response = self.a.response()
        self.assertEqual((response.status, response.get("Retry-After")), (503, "5"))
        self.assertEqual(self.bus.events, [])

    def test_exception(self) -> None:
        """
        What a script raises, at once or in a coroutine, is a 500 and in the log, and
        the monitor hears of it.
        """
        for text in ("def request(sys, req): 1/0", "async def request(sys, req): 1/0"):
            self.use(text)
            with capturedLogs() as events:
                self.a.send(self.a.make("MESSAGE", "sip:example.com", branch=text[:1]))
            self.assertEqual(self.a.statuses(), [500])
            (event,) = self.bus.events
            self.assertIs(event.kind, EventKind.SCRIPT_FAILED)
            self.bus.events.clear()
            self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
            # It names the request, but has no lines of a stranger, nor credentials.
            (line,) = map(formatEvent, events)
            self.assertIn("MESSAGE", line)
            self.assertNotIn("Via", line)
            self.loaded.stop()
