"""
The Binding method: what a server answers, and what a client learns from that.
"""

from __future__ import annotations

import ipaddress

from sipsorcery.stun.address import Address
from sipsorcery.stun.attributes import (
    ALTERNATE_SERVER,
    ERROR_CODE,
    MAPPED_ADDRESS,
    SOFTWARE,
    UNKNOWN_ATTRIBUTES,
    XOR_MAPPED_ADDRESS,
    ErrorCode,
)
from sipsorcery.stun.errors import ErrorResponse, ParseError
from sipsorcery.stun.integrity import add_fingerprint, check_fingerprint
from sipsorcery.stun.message import BINDING, Attribute, Message, MessageClass

# Unknown attributes that a 420 names. One takes four bytes of a request and two of the
# answer, so no answer is worth an attacker's while; but nobody needs more of them.
_MAX_UNKNOWN = 32
_TRY_ALTERNATE = 300
# CHANGE-REQUEST of RFC 3489 that asks for no change.
_NO_CHANGE = Attribute(0x0003, bytes(4))


def answer(data: bytes, source: tuple[str, int], software: str = "") -> bytes | None:
    """
    Answer a Binding request: without credentials, and without remembering anything.

    :param source: where it came from.
    :param software: names us in the answer.
    :return: None for what is no request to us, or cannot be read: nobody answers that.
    """
    try:
        request = Message.parse(data)
    except ParseError:
        return None
    if request.message_class is not MessageClass.REQUEST or request.method != BINDING:
        return None
    fingerprint = check_fingerprint(data)
    if fingerprint is False:
        return None
    response = _respond(request, source)
    if software:
        response = response.add(SOFTWARE, software)
    # Who shows one looks for one.
    return add_fingerprint(bytes(response)) if fingerprint else bytes(response)


def alternate_server(response: Message) -> Address | None:
    """
    Read from a response which other server to ask instead (:rfc:`8489#section-10`).

    :raises ParseError: if it cannot be read.
    """
    error = response.get(ERROR_CODE)
    if response.message_class is not MessageClass.ERROR or error is None:
        return None
    return response.get(ALTERNATE_SERVER) if error.code == _TRY_ALTERNATE else None


def mapped_address(response: Message) -> Address:
    """
    Read from a response where the server saw the client.

    :raises ErrorResponse: if it is an error.
    :raises ParseError: if it does not say it.
    """
    if response.message_class is MessageClass.ERROR:
        error = response.get(ERROR_CODE)
        if error is None:
            raise ParseError("an error response without ERROR-CODE")
        raise ErrorResponse(*error)
    if unknown := response.not_understood():
        raise ParseError(f"a response with the unknown attribute 0x{unknown[0]:04x}")
    # Some NATs look for their addresses in what passes and translate them: that is
    # what the hidden one is for. Servers of RFC 3489 have but the other.
    found = response.get(XOR_MAPPED_ADDRESS) or response.get(MAPPED_ADDRESS)
    if found is None:
        raise ParseError("a response without an address")
    address = ipaddress.ip_address(found.host)
    if address.is_unspecified or address.is_multicast or not found.port:
        raise ParseError(f"a response with the address {found.host} {found.port}")
    return found


def _respond(request: Message, source: tuple[str, int]) -> Message:
    unknown = request.not_understood()
    if _NO_CHANGE in request.attributes:
        # The client of Vovida's stund, which many phones have, always asks like that.
        unknown = tuple(one for one in unknown if one != _NO_CHANGE.type)
    if unknown:
        return _refuse(request, unknown[:_MAX_UNKNOWN])
    response = request.respond(MessageClass.SUCCESS)
    if not request.is_classic:
        response = response.add(XOR_MAPPED_ADDRESS, Address(*source))
    return response.add(MAPPED_ADDRESS, Address(*source))


def _refuse(request: Message, unknown: tuple[int, ...]) -> Message:
    if request.is_classic and len(unknown) % 2:
        # "if the number of unknown attributes is an odd number, one of the attributes
        # MUST be repeated" (RFC 3489, 11.2.10): there is no padding.
        unknown = (*unknown, unknown[-1])
    response = request.respond(MessageClass.ERROR)
    response = response.add(ERROR_CODE, ErrorCode(420, "Unknown Attribute"))
    return response.add(UNKNOWN_ATTRIBUTES, unknown)
