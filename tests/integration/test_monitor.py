"""
Calls as the monitor shows them: on the command line, to tshark and to sngrep.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from twisted.internet import reactor
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from sipsorcery.endpoint import Transport
from sipsorcery.monitor import pcap
from sipsorcery.monitor.event import Event, EventKind
from sipsorcery.monitor.filter.filter import Filter, Viewer
from sipsorcery.monitor.service import MonitorService
from tests import ROOT
from tests.integration.ports import free_port
from tests.integration.program import Program
from tests.integration.screen import Screen
from tests.integration.server import PASSWORD
from tests.integration.test_calls import CallCase
from tests.peers import require

# What a busy machine may take.
_PATIENCE, _STEP = 30.0, 0.1
_JOE = Filter.parse("event * or event full", Viewer("joe"), now=0)
_EVE = Filter.parse("event * or event full", Viewer("eve"), now=0)


class MonitorTests(CallCase):
    """
    One call from 100, over TCP, to 101, over UDP, with credentials.
    """

    timeout = 300  # each step has its own patience

    def text(self) -> str:
        """
        Send traces on.
        """
        self.hep = free_port()
        return super().text() + f'\n[hep]\ntarget = "udp:127.0.0.1:{self.hep}"'

    async def test_command(self) -> None:
        """
        The ladder has both legs, which are the caller's and nobody else's, and no proof
        of a password; tshark reads the capture, what went over TCP, too.
        """
        tshark = require("tshark", "tshark")
        call = await self.call_once()
        ladder = await self.trace(call)
        for text in ("INVITE", "180 Ringing", "200 OK", "ACK", "BYE"):
            self.assertIn(text, ladder)
        events = [
            json.loads(line) for line in (await self.trace(call, "--json")).splitlines()
        ]
        # Of the request without credentials nobody knows whose it is.
        nobodys = [each for each in events if "owner" not in each]
        methods = {_method(each) for each in nobodys if "trace" in each}
        self.assertLessEqual(methods, {"INVITE", "ACK"})
        own = [each for each in events if each.get("owner") == "joe"]
        self.assertEqual(len(nobodys) + len(own), len(events))
        for method in ("INVITE", "ACK", "BYE"):
            legs = {each["call_id"] for each in own if _method(each) == method}
            self.assertEqual(len(legs), 2, (method, ladder))
        traces = [each["trace"]["text"] for each in events if "trace" in each]
        self.assertEqual(len({_field(each, "Call-ID") for each in traces}), 2)
        proofs = [each for each in traces if "Proxy-Authorization: Digest" in each]
        self.assertTrue(proofs)
        for each in proofs:
            self.assertRegex(each, r'response="\*{32}"')
        self.assertNotIn(PASSWORD, json.dumps(events))
        capture = self.folder.absolute() / "call.pcap"
        await self.trace(call, "--pcap", str(capture))
        reading = Program(
            *(self.folder, tshark, "-r", str(capture)),
            *("-d", f"udp.port=={self.server.port},sip", "-Y", "sip"),
            *("-T", "fields", "-e", "sip.Call-ID", "-e", "sip.Method"),
        )
        self.assertEqual(await reading.ended(), 0, reading.output)
        lines = [line.split("\t") for line in reading.output.splitlines()]
        invited = {line[0] for line in lines if line[1:] == ["INVITE"]}
        self.assertEqual(len(invited), 2, reading.output)
        self.assertEqual(await self.seen(_EVE), ())
        told = await self.run_command("events", "event", "call_ended", "--user", "joe")
        self.assertIn(" call_ended joe hung up by the peer", told)

    async def test_sngrep(self) -> None:
        """
        sngrep receives the call by HEP and draws it.
        """
        sngrep = require("sngrep", "sngrep")
        nothing = self.folder.absolute() / "nothing.pcap"
        nothing.write_bytes(b"".join(pcap.write(())))
        # From a file, for it may not look at the network itself.
        screen = Screen(
            *(self.folder, sngrep, "-F", "-c", "-I", str(nothing)),
            *("-L", f"udp:127.0.0.1:{self.hep}"),
        )
        try:
            await screen.listens(Transport.UDP, self.hep)
            await screen.says("Calls:")
            await self.call_once()
            await screen.says("INVITE")
            screen.press("\r")
            await screen.says("Call flow for")
            for text in ("180 Ringing", "200 OK", "ACK", "BYE"):
                await screen.says(text)
        finally:
            # It does not always hear a friendly word.
            screen.signal(9)
            await screen.stop()

    # What they do

    async def call_once(self) -> str:
        """
        Make the call; give its identifier when all of it is there.
        """
        port = await self.register()
        called = self.run_sipp("callee", port=port, calls=1)
        await called.ready()
        target = self.server.end(Transport.TCP)
        calling = self.run_sipp("caller", Transport.TCP, target=target, calls=1)
        await self.assert_done(calling, 1)
        await self.assert_done(called, 1)
        for _ in range(int(_PATIENCE / _STEP)):
            for event in await self.seen(_JOE):
                if event.kind is EventKind.CALL_ENDED:
                    return event.dialogue
            await deferLater(IReactorTime(reactor), _STEP)
        raise AssertionError(f"no call has ended: {await self.seen(_JOE)}")

    async def seen(self, wanted: Filter) -> tuple[Event, ...]:
        """
        Give what somebody finds.
        """
        (monitor,) = (
            each for each in self.server.services if isinstance(each, MonitorService)
        )
        return (await monitor.view.read(wanted, limit=1000)).events

    async def trace(self, call: str, *arguments: str) -> str:
        """
        Show a call; give what is printed.
        """
        return await self.run_command("trace", call, *arguments)

    async def run_command(self, *arguments: str) -> str:
        """
        Run the command; give what it prints.
        """
        file = (self.folder / "sipsorcery.toml").absolute()
        data_dir = self.server.config.server.data_dir
        file.write_text(f"server.data_dir = '{data_dir}'", "utf-8")
        run = Program(
            *(ROOT, sys.executable, "-m", "sipsorcery", "--config", str(file)),
            *arguments,
        )
        self.assertEqual(await run.ended(), 0, run.output)
        return run.output


def _method(event: dict[str, Any]) -> str:
    """
    Give the method that a trace is of; "": it is something else.
    """
    trace = event.get("trace")
    return "" if trace is None else _field(trace["text"], "CSeq").split()[1]


def _field(text: Any, name: str) -> str:
    """
    Give a field of a message.
    """
    (value,) = (
        line.partition(":")[2].strip()
        for line in str(text).splitlines()
        if line.startswith(f"{name}:")
    )
    return value
