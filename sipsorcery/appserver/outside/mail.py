"""
Sending e-mail for dialplans, through a mail server that takes it for us.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from io import BytesIO
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferTimeoutError
from twisted.internet.error import ConnectError, ConnectionClosed
from twisted.mail.smtp import ESMTPSenderFactory, SMTPClientError

from sipsorcery.appserver.errors import AppServerError

#: Addresses of one e-mail, separated by semicolons.
MAX_ADDRESSES = 5
#: Characters; what is longer is cut.
MAX_SUBJECT = 256
MAX_BODY = 4096

# No quoted local parts, no comments: what people have.
_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?"
)
_CONTROL = dict.fromkeys([*range(32), 127], " ")
# Seconds that a mail server has for all of it.
_TIMEOUT = 20.0
# E-mails that are under way at once.
_WAITING = 50


class MailError(AppServerError):
    """
    Says why an e-mail is not sent.
    """


class Mail:
    """
    Sends e-mail.

    :param server: host and port of the mail server.
    :param sender: the address that all of it comes from.
    :param now: gives the time as an aware datetime.
    """

    def __init__(
        self,
        reactor: Any,
        server: tuple[str, int],
        sender: str,
        now: Callable[[], Any],
    ) -> None:
        self._reactor = reactor
        self._server = server
        self._sender = sender
        self._now = now
        self._sending = 0

    async def send(
        self, to: str, subject: str, body: str, *, is_html: bool = False
    ) -> None:
        """
        Send an e-mail.

        :param to: addresses, separated by semicolons.
        :raises MailError: if it cannot be sent.
        """
        addresses = read_addresses(to)
        if self._sending >= _WAITING:
            raise MailError("too many e-mails are under way")
        self._sending += 1
        try:
            message = self._write(addresses, subject, body, is_html)
            await self._send(addresses, message.as_bytes())
        except (ConnectError, ConnectionClosed, SMTPClientError, OSError) as error:
            raise MailError(f"the mail server: {_sentence(error)}") from None
        except DeferTimeoutError:
            raise MailError("the mail server has taken too long") from None
        finally:
            self._sending -= 1

    def _write(
        self, addresses: list[str], subject: str, body: str, is_html: bool
    ) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = ", ".join(addresses)
        message["Subject"] = subject.translate(_CONTROL)[:MAX_SUBJECT]
        message["Date"] = format_datetime(self._now())
        message["Message-ID"] = make_msgid(domain=self._sender.rpartition("@")[2])
        # Nobody's holiday greeting shall answer it (RFC 3834).
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(body[:MAX_BODY], subtype="html" if is_html else "plain")
        return message

    async def _send(self, addresses: list[str], message: bytes) -> None:
        done: Deferred[object] = Deferred()
        factory = ESMTPSenderFactory(
            None,
            None,
            self._sender,
            addresses,
            BytesIO(message),
            done,
            retries=0,
            timeout=int(_TIMEOUT),
            requireAuthentication=False,
            requireTransportSecurity=False,
        )
        factory.noisy = False
        connector = self._reactor.connectTCP(*self._server, factory, timeout=_TIMEOUT)
        done.addTimeout(_TIMEOUT, self._reactor)
        try:
            await done
        finally:
            connector.disconnect()


def read_addresses(text: str) -> list[str]:
    """
    Read addresses that are separated by semicolons.

    :raises MailError: if one is none, or if there are none or too many.
    """
    addresses = [each.strip() for each in text.split(";") if each.strip()]
    if not 1 <= len(addresses) <= MAX_ADDRESSES:
        raise MailError(f"an e-mail goes to 1 to {MAX_ADDRESSES} addresses")
    for each in addresses:
        if not _ADDRESS.fullmatch(each):
            raise MailError("there is something that is no address")
    return addresses


def _sentence(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
