"""
What a server is asked about how it is, and which answers say that it is well. Pure.

OPTIONS asks the SIP stack alone; the INVITE of the original, for ``sip:dispatcher@``,
asks the dialplans and the directory, too: 420 says that all are well.
"""

from __future__ import annotations

import secrets

from sipsorcery.config import DispatchProbe
from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CSEQ
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response

_REQUEST = (
    "{method} {uri} SIP/2.0\r\n"
    "Via: SIP/2.0/{transport} {local};branch=z9hG4bK{branch};rport\r\n"
    "Max-Forwards: 1\r\n"
    "From: <sip:dispatcher@sipcalldispatcher>;tag={tag}\r\n"
    "To: <{uri}>\r\n"
    "Call-ID: {call_id}\r\n"
    "CSeq: {number} {method}\r\n"
    "Contact: <sip:dispatcher@{local}>\r\n"
    "User-Agent: sipsorcery\r\n"
    "Content-Length: 0\r\n\r\n"
)
# 200 to OPTIONS; a dialplan that works answers the INVITE with this.
_HEALTHY = {"OPTIONS": 200, "INVITE": 420}


class Question:
    """
    One question to one server, put to it over and over.

    :ivar last: the request that has no answer yet; None: there is none.
    """

    def __init__(self, endpoint: Endpoint, kind: DispatchProbe) -> None:
        self._there = str(endpoint).partition(":")[2]
        self._transport = endpoint.transport.value.upper()
        self._method = kind.value.upper()
        self._call_id = secrets.token_hex(16)
        self._number = 0
        self.last: Request | None = None

    @property
    def is_invite(self) -> bool:
        """
        Whether its answers want an ACK.
        """
        return self._method == "INVITE"

    def put(self, host: str, port: int) -> Request:
        """
        Make the next request; an answer to the one before counts no more.

        :param host: ours, without brackets.
        """
        self._number += 1
        there = self._there
        text = _REQUEST.format(
            method=self._method,
            uri=f"sip:dispatcher@{there}" if self.is_invite else f"sip:{there}",
            transport=self._transport,
            local=f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            branch=secrets.token_hex(10),
            tag=secrets.token_hex(6),
            call_id=self._call_id,
            number=self._number,
        )
        request = parse(text.encode())
        assert isinstance(request, Request)
        self.last = request
        return request

    def is_answered_by(self, response: Response) -> bool:
        """
        Tell whether a response is the final answer to the last request.

        :raises ParseError: if it cannot be read.
        """
        if self.last is None or response.is_provisional:
            return False
        return response[CSEQ] == self.last[CSEQ]

    def read(self, datagram: bytes) -> Response | None:
        """
        Read the final answer to the last request; None: it is something else.
        """
        try:
            response = parse(datagram)
            if isinstance(response, Response) and self.is_answered_by(response):
                return response
        except ParseError:
            pass
        return None

    def is_healthy(self, response: Response) -> bool:
        """
        Tell whether an answer says that all is well.
        """
        return response.status == _HEALTHY[self._method]
