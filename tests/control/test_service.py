"""
Tests for `sipsorcery.control.service`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.control import ControlError, ControlService


class ControlServiceTests(SynchronousTestCase):
    """
    What a server answers on its socket.
    """

    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        self.folder = Path(self.mktemp())
        self.later: Deferred[int] = Deferred()
        self.service = ControlService(
            self.reactor,
            self.folder,
            "proxy",
            {
                "add": lambda left, right: left + right,
                "refuse": self.refuse,
                "fail": lambda: 1 / 0,
                "wait": lambda: self.later,
            },
        )
        self.service.startService()
        self.address, self.factory, _, self.mode, _ = self.reactor.unixServers[0]

    def refuse(self) -> None:
        """
        Do not do it.
        """
        raise ControlError("not today")

    def connect(self) -> tuple[Any, StringTransport]:
        """
        Connect as a command does.
        """
        protocol = self.factory.buildProtocol(None)
        self.assertIsNotNone(protocol)
        transport = StringTransport()
        protocol.makeConnection(transport)
        return protocol, transport

    def ask(self, line: str) -> Any:
        """
        Send one line; give the answer.
        """
        protocol, transport = self.connect()
        protocol.dataReceived(line.encode() + b"\n")
        return json.loads(transport.value())

    def test_socket(self) -> None:
        """
        The socket lies below the data, for the user of the service alone.
        """
        self.assertEqual(self.address, str(self.folder / "run/proxy.sock"))
        self.assertEqual(self.mode, 0o600)
        for folder in (self.folder, self.folder / "run"):
            self.assertEqual(folder.stat().st_mode & 0o777, 0o700)

    def test_result(self) -> None:
        """
        A question is answered with the result of its verb, several in a row too.
        """
        protocol, transport = self.connect()
        for right in (2, 3):
            question = {"verb": "add", "arguments": {"left": 1, "right": right}}
            protocol.dataReceived(json.dumps(question).encode() + b"\n")
            self.assertEqual(json.loads(transport.value()), {"result": 1 + right})
            transport.clear()

    def test_result_that_takes_time(self) -> None:
        """
        The answer comes when the verb has it.
        """
        protocol, transport = self.connect()
        protocol.dataReceived(b'{"verb": "wait", "arguments": {}}\n')
        self.assertEqual(transport.value(), b"")
        self.later.callback(7)
        self.assertEqual(json.loads(transport.value()), {"result": 7})

    def test_refusal(self) -> None:
        """
        What a verb refuses is told in its words.
        """
        answer = self.ask('{"verb": "refuse", "arguments": {}}')
        self.assertEqual(answer, {"error": "not today"})

    def test_fault_of_ours(self) -> None:
        """
        An error of the server goes to its log, and the command learns that.
        """
        answer = self.ask('{"verb": "fail", "arguments": {}}')
        self.assertEqual(answer, {"error": "the server fails; its log says why"})
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_unknown_verb(self) -> None:
        """
        An older server is asked for what it does not know.
        """
        answer = self.ask('{"verb": "dance", "arguments": {}}')
        self.assertEqual(answer, {"error": "this server does not know 'dance'"})

    def test_no_question(self) -> None:
        """
        Whatever comes as a line is answered.
        """
        for line in (
            *(
                "",
                "x",
                "1",
                "[]",
                "{}",
                '{"verb": "add"}',
                "[" * 20_000,
                "\N{DEGREE SIGN}",
            ),
            '{"verb": "add", "arguments": 1}',
        ):
            self.assertEqual(self.ask(line), {"error": "this is no question"}, line[:9])

    def test_long_line(self) -> None:
        """
        A line without end ends the connection.
        """
        protocol, transport = self.connect()
        protocol.dataReceived(b"x" * 70_000)
        self.assertIn("at most 65536 octets", json.loads(transport.value())["error"])
        self.assertTrue(transport.disconnecting)

    def test_two_at_once(self) -> None:
        """
        A question while another is being answered ends the connection.
        """
        protocol, transport = self.connect()
        protocol.dataReceived(b'{"verb": "wait", "arguments": {}}\n' * 2)
        self.assertIn("one question", json.loads(transport.value())["error"])
        self.assertTrue(transport.disconnecting)

    def test_command_that_leaves(self) -> None:
        """
        Nobody goes on with what nobody waits for.
        """
        protocol, transport = self.connect()
        protocol.dataReceived(b'{"verb": "wait", "arguments": {}}\n')
        protocol.connectionLost()
        self.assertTrue(self.later.called)
        self.assertEqual(transport.value(), b"")

    def test_last_question(self) -> None:
        """
        Who says that this was all still gets the answer, also one that takes time.
        """
        for verb, answer in (("add", 3), ("wait", 7)):
            protocol, transport = self.connect()
            arguments = {"left": 1, "right": 2} if verb == "add" else {}
            question = json.dumps({"verb": verb, "arguments": arguments})
            protocol.dataReceived(question.encode() + b"\n")
            protocol.readConnectionLost()
            if verb == "wait":
                self.assertFalse(transport.disconnecting)
                self.later.callback(7)
            self.assertEqual(json.loads(transport.value()), {"result": answer})
            self.assertTrue(transport.disconnecting)

    def test_silence(self) -> None:
        """
        Who asks nothing for a minute is sent away; who waits for an answer is not.
        """
        _, silent = self.connect()
        protocol, waiting = self.connect()
        protocol.dataReceived(b'{"verb": "wait", "arguments": {}}\n')
        self.reactor.advance(61)
        self.assertTrue(silent.disconnecting)
        self.assertFalse(waiting.disconnecting)

    def test_crowd(self) -> None:
        """
        32 commands at a time are served; when one leaves there is room again.
        """
        connected = [self.connect() for _ in range(32)]
        self.assertIsNone(self.factory.buildProtocol(None))
        connected[0][0].connectionLost()
        self.connect()

    def test_long_name(self) -> None:
        """
        A folder whose name is too long for a socket is no hindrance.
        """
        folder = self.folder / ("x" * 120)
        service = ControlService(self.reactor, folder, "proxy", {})
        service.startService()
        address = Path(self.reactor.unixServers[1][0])
        self.assertTrue(len(str(address)) < 104)
        self.assertEqual(address.parent.resolve(), (folder / "run").resolve())
        self.addCleanup(service.stopService)
