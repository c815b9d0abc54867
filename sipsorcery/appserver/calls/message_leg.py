"""
A leg of a MESSAGE: one request of our user agent (:rfc:`3428`).
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from sipsorcery.appserver.calls import transparency
from sipsorcery.appserver.calls.inquiry import Inquiry
from sipsorcery.appserver.calls.leg import contacts_of, field_of, identity_of, replaced
from sipsorcery.appserver.calls.legs import Delivered, Listener
from sipsorcery.appserver.dial.resolution import Target
from sipsorcery.sip.address import Address
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI
from sipsorcery.ua import RequestFailed, UserAgent, UserAgentError


class MessageLeg:
    """
    One leg. There is no way to take a MESSAGE back: giving up is to wait no more.

    :param proxy: where it goes first, unless the target has a way of its own.
    :param begun: is given its Call-ID and our tag before it is sent.
    """

    def __init__(
        self,
        agent: UserAgent,
        target: Target,
        listener: Listener,
        inquiry: Inquiry,
        *,
        proxy: SIPURI,
        begun: Callable[[str, str], object] | None = None,
    ) -> None:
        self._agent = agent
        self._target = target
        self._listener = listener
        self._inquiry = inquiry
        self._proxy = target.route[0] if target.route else proxy
        self._begun = begun
        self._waiting: Deferred[Response] | None = None

    def start(self) -> None:
        """
        Send it.
        """
        target, inquiry = self._target, self._inquiry
        body, fields = inquiry.body, inquiry.fields(target)
        if target.content is not None:
            description, body, fields = replaced(target.content, fields)
            if description is not None:
                body = bytes(description)
                fields.append(("Content-Type", target.content[0]))
        headers = (*inquiry.headers, *target.headers)
        self._waiting = Deferred.fromCoroutine(
            self._agent.request(
                "MESSAGE",
                target.uri,
                account=identity_of(target, inquiry.name, self._proxy),
                fields=[*fields, *map(field_of, headers)],
                body=body,
                to=Address(target.to),
                hops=inquiry.hops,
                begun=self._begun,
            )
        )
        self._waiting.addCallbacks(self._taken, self._failed)
        self._waiting.addErrback(self._agent.core.log_failure)

    def cancel(self) -> None:
        """
        Wait no more.
        """
        if self._waiting is not None:
            self._waiting.cancel()

    def abandon(self) -> None:
        """
        Likewise.
        """
        self.cancel()

    # Inside

    def _taken(self, response: Response) -> None:
        fields = tuple(transparency.of_answer(response))
        self._listener.delivered(Delivered(response.status, response.reason, fields))

    def _failed(self, failure: Failure) -> None:
        if failure.check(CancelledError):
            self._listener.failed(487, Response.phrase(487))
            return
        failure.trap(UserAgentError)
        error = failure.value
        response = error.response if isinstance(error, RequestFailed) else None
        if response is not None:
            self._listener.failed(
                response.status,
                response.reason,
                contacts_of(response),
                transparency.of_failure(response),
            )
        else:
            status = error.status if isinstance(error, RequestFailed) else 480
            self._listener.failed(status, Response.phrase(status))
