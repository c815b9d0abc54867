"""
E-mail of dialplans, to a real mail server.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, succeed
from twisted.mail import smtp
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from sipsorcery.appserver.outside.mail import Mail, MailError, read_addresses

_HOST = "127.0.0.1"
_NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@implementer(smtp.IMessage)
class Letter:
    """
    An e-mail that comes in.
    """

    def __init__(self, box: list[bytes]) -> None:
        self._box = box
        self._lines: list[bytes] = []

    def lineReceived(self, line: bytes) -> None:
        """
        Take a line.
        """
        self._lines.append(line)

    def eomReceived(self) -> Deferred[None]:
        """
        Put it into the box.
        """
        self._box.append(b"\r\n".join(self._lines))
        return succeed(None)

    def connectionLost(self) -> None:
        """
        Forget it.
        """


@implementer(smtp.IMessageDelivery)
class Delivery:
    """
    Takes every e-mail but those for nobody.
    """

    def __init__(self) -> None:
        self.box: list[bytes] = []

    def receivedHeader(self, helo: Any, origin: Any, recipients: Any) -> bytes:
        """
        Say how it came.
        """
        return b"Received: here"

    def validateFrom(self, helo: Any, origin: Any) -> Any:
        """
        Take everybody's.
        """
        return origin

    def validateTo(self, user: Any) -> Any:
        """
        Have a box for everybody but nobody.
        """
        if user.dest.local == b"nobody":
            raise smtp.SMTPBadRcpt(user)
        return lambda: Letter(self.box)


class Factory(smtp.SMTPFactory):
    """
    A mail server.
    """

    protocol = smtp.ESMTP
    noisy = False

    def __init__(self, delivery: Delivery) -> None:
        super().__init__()
        self._delivery = delivery

    def buildProtocol(self, address: Any) -> Any:
        """
        Serve a client.
        """
        protocol = super().buildProtocol(address)
        protocol.delivery = self._delivery
        return protocol


class MailTests(TestCase):
    def setUp(self) -> None:
        self.delivery = Delivery()
        factory = Factory(self.delivery)
        loop: Any = reactor
        port = loop.listenTCP(0, factory, interface=_HOST)
        self.addCleanup(port.stopListening)
        server = (_HOST, port.getHost().port)
        self.mail = Mail(reactor, server, "pbx@example.org", lambda: _NOW)

    def letters(self) -> list[EmailMessage]:
        """
        List what has come in.
        """
        return [
            message_from_bytes(each, _class=EmailMessage, policy=policy.default)
            for each in self.delivery.box
        ]

    async def test_send(self) -> None:
        """
        An e-mail arrives as it was written, once for each address.
        """
        await self.mail.send("a@example.org; b@example.org", "Überfall", "Ring ring")
        letters = self.letters()
        self.assertEqual(len(letters), 2)
        self.assertEqual(letters[0]["Subject"], "Überfall")
        self.assertEqual(letters[0]["To"], "a@example.org, b@example.org")
        self.assertEqual(letters[0]["From"], "pbx@example.org")
        self.assertEqual(letters[0].get_content().strip(), "Ring ring")

    async def test_html(self) -> None:
        """
        It may be HTML.
        """
        await self.mail.send("a@example.org", "s", "<b>x</b>", is_html=True)
        self.assertEqual(self.letters()[0].get_content_type(), "text/html")

    async def test_cut(self) -> None:
        """
        What is too long is cut, and a line end in the subject adds no field.
        """
        await self.mail.send("a@example.org", "x\r\nBcc: b@example.org", "y" * 9000)
        letter = self.letters()[0]
        self.assertEqual(letter["Subject"], "x  Bcc: b@example.org")
        self.assertIsNone(letter["Bcc"])
        self.assertEqual(letter.get_content().count("y"), 4096)

    async def test_refused(self) -> None:
        """
        That the server refuses it, or is not there, is told.
        """
        try:
            await self.mail.send("nobody@example.org", "s", "b")
        except MailError as error:
            self.assertIn("mail server", str(error))
        else:
            self.fail("it was sent")
        away = Mail(reactor, (_HOST, 1), "pbx@example.org", lambda: _NOW)
        try:
            await away.send("a@example.org", "s", "b")
        except MailError as error:
            self.assertIn("mail server", str(error))
        else:
            self.fail("it was sent")

    def test_addresses(self) -> None:
        """
        What is no address, none at all, or too many are refused.
        """
        for text in (
            "",
            ";",
            "a",
            "a@b\r\nRCPT TO:<c@d>",
            "<a@b>",
            "a b@c",
            ";".join(["a@b"] * 6),
        ):
            self.assertRaises(MailError, read_addresses, text)
        self.assertEqual(read_addresses(" a@b ;c@d;"), ["a@b", "c@d"])
