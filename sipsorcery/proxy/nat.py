"""
Addresses behind a NAT, put right where Record-Route and Path do not do it.

These bring every request and response back on the flow that its receiver came by,
whatever its Contact says. There is left the Contact in what is shown to others, who may
ignore a Record-Route, and the address for media in SDP.
"""

from __future__ import annotations

import ipaddress
import re

from sipsorcery.proxy.arrival import Arrival
from sipsorcery.proxy.networks import LocalNetworks
from sipsorcery.sip.address import Address
from sipsorcery.sip.fields import CONTACT, CONTENT_TYPE
from sipsorcery.sip.message import Message
from sipsorcery.sip.uri import SIPURI

# Where media, and what RTCP says of them, are to be sent (RFC 4566, 5.7; RFC 3605).
_CONNECTION = re.compile(
    rb"^(c=|a=rtcp:[0-9]{1,5} )IN (IP4|IP6) ([^\s/]+)", re.MULTILINE
)
_CANDIDATE = re.compile(rb"^a=candidate:", re.MULTILINE)
# Some hundred streams; longer ones are no description of a session.
_MAX_BODY = 65_536


class Nat:
    """
    Puts the address that a message came from in the place of one that nobody reaches.

    :param local: who needs no help.
    """

    def __init__(self, local: LocalNetworks) -> None:
        self._local = local

    def fix_contact(self, message: Message, arrival: Arrival) -> bool:
        """
        Change the host and port of the one Contact that there is; the rest of it stays.

        :return: whether there was something to change. There is not where a message has
            several Contacts, or none, for then they are no address of its sender.
        :raises ParseError: if a Contact cannot be read.
        """
        contacts = message.all(CONTACT)
        if len(contacts) != 1 or not isinstance(contacts[0], Address):
            return False
        uri = contacts[0].uri
        remote = arrival.remote
        if not isinstance(uri, SIPURI) or not self._local.hide(uri.host, remote.host):
            return False
        host = f"[{remote.host}]" if remote.is_ipv6 else remote.host
        seen = uri._replace(host=host, port=remote.port)
        message.set(CONTACT, contacts[0]._replace(uri=seen))
        return True

    def fix_sdp(self, message: Message, arrival: Arrival) -> bool:
        """
        Change every ``c=`` and ``a=rtcp`` of an SDP body whose address a NAT hides.

        Ports stay as they are: a NAT that changes them needs a media relay. Whoever has
        ICE finds a way alone, and would give that up as an ``ice-mismatch`` where the
        address is that of no candidate (:rfc:`8839`).

        :return: whether there was something to change.
        :raises ParseError: if the Content-Type cannot be read.
        """
        body, kind = message.body, message.get(CONTENT_TYPE)
        if not body or kind is None or len(body) > _MAX_BODY:
            return False
        if (kind.type, kind.subtype) != ("application", "sdp"):
            return False
        if _CANDIDATE.search(body):
            return False
        host = arrival.remote.host
        version = b"IP6" if ":" in host else b"IP4"

        def seen(match: re.Match[bytes]) -> bytes:
            address = match[3].decode("ascii", "replace")
            if not _is_address(address) or not self._local.hide(address, host):
                return match[0]
            return b"%bIN %b %b" % (match[1], version, host.encode())

        fixed = _CONNECTION.sub(seen, body)
        if fixed == body:
            return False
        message.body = fixed
        return True


def _is_address(text: str) -> bool:
    # 0.0.0.0 says that nothing is to be sent (RFC 2543), wherever it comes from.
    try:
        return not ipaddress.ip_address(text).is_unspecified
    except ValueError:
        return False
