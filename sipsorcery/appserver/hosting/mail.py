"""
Sending e-mail to who wants to hear of a call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Protocol

from sipsorcery.access.limits import CallRate
from sipsorcery.appserver.hosting.arguments import text
from sipsorcery.appserver.hosting.guest import Arguments, Guest, HostFunction
from sipsorcery.appserver.outside.mail import MailError
from sipsorcery.appserver.plans.engine import Value
from sipsorcery.config.values import Rate

#: E-mails of a run, and those of a user: whoever has stolen a password sends no more.
MAX_MAILS = 3
RATE = Rate(20, 3600)


class Post(Protocol):
    """
    Sends e-mail: `sipsorcery.appserver.outside.mail.Mail`.
    """

    def send(
        self, to: str, subject: str, body: str, *, is_html: bool = False
    ) -> Awaitable[None]:
        """
        Send an e-mail.
        """


class MailFunctions:
    """
    Sends e-mail for dialplans.

    :param post: None: no mail server is configured.
    :param clock: gives seconds that do not go back.
    """

    def __init__(self, post: Post | None, clock: Callable[[], float]) -> None:
        self._post = post
        self._clock = clock
        self._rate = CallRate(RATE)

    def of(self, guest: Guest) -> Mapping[str, HostFunction]:
        """
        Give the functions of a run.
        """
        return {"email": partial(self._send, guest)}

    async def _send(self, guest: Guest, arguments: Arguments) -> Value:
        if self._post is None:
            guest.note("sends no e-mail: this service has no mail server")
            return False
        if not guest.may_use("email", MAX_MAILS):
            guest.note(f"sends no e-mail: a run sends {MAX_MAILS} at most")
            return False
        if not self._rate.take(guest.owner, self._clock()):
            guest.note("sends no e-mail: there were too many within the hour")
            return False
        try:
            await self._post.send(
                text(arguments, "to"),
                text(arguments, "subject"),
                text(arguments, "body"),
                is_html=arguments.get("is_html") is True,
            )
        except MailError as error:
            guest.note(f"sends no e-mail: {error}")
            return False
        return True
