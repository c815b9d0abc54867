"""
Tests for `sipsorcery.control.several`.
"""

from __future__ import annotations

import json
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.control.naming import instances, servers
from sipsorcery.control.several import Answers, ask_all


class AskAllTests(SynchronousTestCase):
    """
    Three servers that are asked together.
    """

    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        self.folder = Path(self.mktemp())
        (self.folder / "run").mkdir(parents=True)
        self.names = [f"appserver-{port}" for port in (5071, 5072, 5073)]
        self.asked = Deferred.fromCoroutine(
            ask_all(self.reactor, self.folder, reversed(self.names), "calls")
        )

    def answer(self, number: int, **answer: object) -> None:
        """
        Have one of them answer.
        """
        transport = StringTransport()
        protocol = self.reactor.unixClients[number][1].buildProtocol(None)
        protocol.makeConnection(transport)
        self.assertEqual(
            json.loads(transport.value()), {"verb": "calls", "arguments": {}}
        )
        if answer:
            protocol.dataReceived(json.dumps(answer).encode() + b"\n")

    def refuse(self, number: int) -> None:
        """
        Have nobody behind a socket.
        """
        factory = self.reactor.unixClients[number][1]
        factory.clientConnectionFailed(None, Failure(ConnectionRefusedError()))

    def answers(self) -> Answers:
        """
        Give what came of it.
        """
        return self.successResultOf(self.asked)

    def test_all(self) -> None:
        """
        All are asked at once, and their answers come in the order of their names.
        """
        self.assertEqual(len(self.reactor.unixClients), 3)
        for number in (2, 0, 1):
            self.assertNoResult(self.asked)
            self.answer(number, result=[number])
        answers = self.answers()
        self.assertEqual([*answers.given], self.names)
        self.assertEqual([*answers.given.values()], [[0], [1], [2]])
        self.assertEqual(answers.complaint, "")

    def test_killed(self) -> None:
        """
        One that was killed and has left its socket is none of them any more.
        """
        self.answer(0, result=[])
        self.refuse(1)
        self.answer(2, result=[])
        answers = self.answers()
        self.assertEqual([*answers.given], [self.names[0], self.names[2]])
        self.assertEqual(answers.missing, {})

    def test_hangs(self) -> None:
        """
        One that does not answer in time is named, and one that refuses, too.
        """
        self.answer(0, result=[])
        self.answer(1, error="not today")
        self.answer(2)
        self.reactor.advance(4.9)
        self.assertNoResult(self.asked)
        self.reactor.advance(0.2)
        answers = self.answers()
        self.assertEqual(answers.given, {self.names[0]: []})
        self.assertEqual(
            answers.complaint, "not today; the appserver-5073 does not answer"
        )
        self.assertEqual(self.reactor.getDelayedCalls(), [])


class NamesTests(SynchronousTestCase):
    """
    Which servers there are.
    """

    def test_instances(self) -> None:
        """
        Those of a role have its name, alone or with their port behind it.
        """
        folder = Path(self.mktemp())
        self.assertEqual(servers(folder), [])
        (folder / "run").mkdir(parents=True)
        names = ["appserver", "appserver-5071", "appserverless", "proxy"]
        for name in names:
            (folder / "run" / f"{name}.sock").touch()
        self.assertEqual(servers(folder), names)
        self.assertEqual(instances(folder, "appserver"), names[:2])
