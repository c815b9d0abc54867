"""
Tests for `sipsorcery.proxy.stun`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import ListenAddress
from sipsorcery.proxy.stun import answer_stun
from sipsorcery.sip.framing import Kind, demultiplex
from sipsorcery.stun import MAPPED_ADDRESS, XOR_MAPPED_ADDRESS, Message, MessageClass
from sipsorcery.testing.reactor import MemoryReactor
from sipsorcery.transport.counters import Counters
from sipsorcery.transport.udp import DatagramFlow, UDPChannel

_PHONE = ("198.51.100.7", 33000)
_REQUEST = Message(MessageClass.REQUEST, bytes(range(12)))


class AnswerTests(SynchronousTestCase):
    """
    STUN on the socket that SIP comes by.
    """

    def setUp(self) -> None:
        reactor = MemoryReactor("192.0.2.1")
        listen = ListenAddress.parse("udp:192.0.2.1:5060")
        channel = UDPChannel(listen, lambda data, flow: None, Counters())
        self.port = reactor.listenUDP(5060, channel, "192.0.2.1")
        self.flow = DatagramFlow(channel, _PHONE)

    def ask(self, message: Message) -> list[tuple[bytes, tuple[str, int]]]:
        """
        Hand a message over and give what is sent then.
        """
        data = bytes(message)
        self.assertIs(demultiplex(data), Kind.STUN)
        answer_stun(data, self.flow)
        return self.port.sent

    def test_both_addresses(self) -> None:
        """
        A Binding request gets its source back, in both attributes, and on its flow.
        """
        ((data, to),) = self.ask(_REQUEST)
        self.assertEqual(to, _PHONE)
        response = Message.parse(data)
        self.assertEqual(response.get(XOR_MAPPED_ADDRESS), _PHONE)
        self.assertEqual(response.get(MAPPED_ADDRESS), _PHONE)

    def test_no_answer(self) -> None:
        """
        An indication, or a response that nobody waits for, gets none.
        """
        for kind in (MessageClass.INDICATION, MessageClass.SUCCESS):
            self.assertEqual(self.ask(Message(kind, bytes(12))), [])

    def test_closed_socket(self) -> None:
        """
        An answer that cannot be sent any more is forgotten.
        """
        self.port.stopListening()
        self.assertEqual(self.ask(_REQUEST), [])
