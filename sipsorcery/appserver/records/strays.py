"""
What belongs to a call that another server has claimed, and came to us.
"""

from __future__ import annotations

from twisted.logger import Logger

from sipsorcery.appserver.records.claiming import Claims
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.request import Request
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.flow import Flow
from sipsorcery.ua.core import Core


class Strays:
    """
    Passes CANCELs and ACKs on to the server that has their call.

    They go as they came, without a Via of ours, because they match the INVITE by the
    Via that is on top of it there.

    :ivar count: how many were passed on.
    """

    _log = Logger()

    def __init__(self, core: Core, claims: Claims) -> None:
        self.count = 0
        self._core = core
        self._claims = claims

    def cancel(self, request: Request, flow: Flow) -> None:
        """
        Take a CANCEL whose INVITE is not here.
        """
        self._core.spawn(self.pass_on(request))

    async def pass_on(self, request: Request) -> None:
        """
        Send a request to the server that has claimed its call, if one has.
        """
        try:
            owner = await self._claims.owner(request)
            if owner is None:
                return
            flow = self._core.transactions.transport.datagram_flow(owner)
            flow.send(request.to_bytes())
        except (ParseError, TransportError) as error:
            self._log.info(
                "A stray {method} is lost: {error}",
                method=request.method,
                error=error,
            )
        else:
            self.count += 1
