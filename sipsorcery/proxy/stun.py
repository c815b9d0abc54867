"""
Answers to phones that keep their NAT open (:rfc:`5626#section-8`).

That is over UDP alone: on a connection an empty line does (section 3.5.1).
"""

from __future__ import annotations

from twisted.logger import Logger

from sipsorcery.stun import answer
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.flow import Flow

_log = Logger()


def answer_stun(data: bytes, flow: Flow) -> None:
    """
    Answer a STUN message that came to a SIP socket, if it is one to answer.
    """
    response = answer(data, flow.address)
    if response is None:
        return
    try:
        flow.send(response)
    except TransportError as error:
        _log.debug("No answer to {peer}: {error}", peer=flow.remote, error=error)
