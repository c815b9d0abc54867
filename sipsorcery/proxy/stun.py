"""
Answers to phones that keep their NAT open (:rfc:`5626#section-8`).

That is over UDP alone: on a connection an empty line does (section 3.5.1).
"""

from __future__ import annotations

from contextlib import suppress

from sipsorcery.stun import answer
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.flow import Flow


def answer_stun(data: bytes, flow: Flow) -> None:
    """
    Answer a STUN message that came to a SIP socket, if it is one to answer.
    """
    response = answer(data, flow.address)
    if response is None:
        return
    with suppress(TransportError):  # who is gone needs no answer
        flow.send(response)
