"""
Sending requests outside of any call, such as MESSAGE.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from functools import partial
from typing import Protocol

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.defer import TimeoutError as DeferTimeoutError
from twisted.internet.interfaces import IReactorTime

from sipsorcery.appserver.dial.dial_string import parse_dial_string
from sipsorcery.appserver.dial.resolution import Kind, Target, resolve
from sipsorcery.appserver.hosting.arguments import number, part, text
from sipsorcery.appserver.hosting.dress import read_content
from sipsorcery.appserver.hosting.guest import Arguments, Guest, HostFunction
from sipsorcery.appserver.plans.engine import HostError, Value
from sipsorcery.dialog.refusal import FieldValue
from sipsorcery.sip.address import Address
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI
from sipsorcery.ua import Account, RequestFailed, UserAgentError

#: Requests of a run.
MAX_REQUESTS = 10
# Whom one request goes to: the phones of an account.
_MAX_TARGETS = 5
_MAX_WAIT = 8.0
# Those that begin no call, change none, and move nobody's phone.
_METHODS = frozenset({"MESSAGE", "OPTIONS", "NOTIFY", "INFO", "PUBLISH"})


class Agent(Protocol):
    """
    Sends requests: `sipsorcery.ua.UserAgent`.
    """

    def request(
        self,
        method: str,
        uri: str | SIPURI,
        *,
        account: Account | None = None,
        fields: Sequence[FieldValue] = (),
        body: bytes = b"",
    ) -> Awaitable[Response]:
        """
        Send a request outside of any dialog, and give the 2xx.
        """


class RequestFunctions:
    """
    Sends what dialplans want sent.

    :param proxy: where all of it goes first.
    """

    def __init__(self, clock: IReactorTime, agent: Agent, proxy: SIPURI) -> None:
        self._clock = clock
        self._agent = agent
        self._proxy = proxy

    def of(self, guest: Guest) -> Mapping[str, HostFunction]:
        """
        Give the functions of a run.
        """
        return {"send_request": partial(self._send, guest)}

    async def _send(self, guest: Guest, arguments: Arguments) -> Value | HostError:
        method = text(arguments, "method").upper()
        if method not in _METHODS:
            return HostError(f"only {', '.join(sorted(_METHODS))} can be sent")
        if not guest.may_use("send_request", MAX_REQUESTS):
            return HostError(f"a run sends {MAX_REQUESTS} requests at most")
        wait = min(max(number(arguments, "wait", _MAX_WAIT), 0.1), _MAX_WAIT)
        dial_string = parse_dial_string(text(arguments, "to"))
        resolved = await resolve(dial_string, guest.situation, guest.lookup)
        for omission in resolved.omissions:
            guest.note(f"leaves {omission.leg} out: {omission.reason}")
        if not resolved.stages:
            return None
        targets = [
            guest.dress.put_on(each)
            for each in resolved.stages[0][:_MAX_TARGETS]
            if each.kind is not Kind.PLAN
        ]
        sending = [
            Deferred.fromCoroutine(self._to(each, method, arguments)).addTimeout(
                wait, self._clock
            )
            for each in targets
        ]
        for each in sending:
            each.addErrback(lambda failure: failure.trap(DeferTimeoutError) and None)
        answers: list[Response | None] = await gatherResults(sending)
        best = min(
            (each for each in answers if each is not None),
            key=lambda each: (not each.is_success, each.status),
            default=None,
        )
        if best is None:
            guest.note(f"sends {method}, and nobody answers")
            return None
        guest.note(f"sends {method}: {best.status} {best.reason}")
        return {"status": best.status, "reason": best.reason}

    async def _to(
        self, target: Target, method: str, arguments: Arguments
    ) -> Response | None:
        fields: list[FieldValue] = [_field(each) for each in target.headers]
        body = b""
        if text(arguments, "body"):
            type = text(arguments, "content_type", "text/plain") or "text/plain"
            _, body = read_content(type, text(arguments, "body"))
            fields.append(("Content-Type", type))
        try:
            return await self._agent.request(
                method,
                target.uri,
                account=self._account(target, arguments),
                fields=fields,
                body=body,
            )
        except RequestFailed as error:
            return error.response
        except UserAgentError:
            return None

    def _account(self, target: Target, arguments: Arguments) -> Account:
        """
        Say who sends it, with the credentials of the provider, or those given.
        """
        known = target.credentials
        username = None if known is None else known.username
        password = None if known is None else known.password
        realms: Sequence[str] = target.realms
        if part(arguments, "password") is not None:
            username = text(arguments, "username") or None
            password = text(arguments, "password")
            realms = target.realms or (target.uri.host,)
        return Account(
            Address(target.sender, target.sender_name or None),
            password,
            username=username,
            realms=realms,
            proxy=target.route[0] if target.route else self._proxy,
        )


def _field(line: str) -> FieldValue:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()
