"""
The ``o=`` line: who made the description, and which version of it this is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from sipsorcery.sdp.connection import address_type
from sipsorcery.sdp.errors import LocalProtocolError, ParseError, excerpt
from sipsorcery.sdp.line import fields, number

_MAX_VERSION = 2**64 - 1
# "The numeric value of the session id and version in the o line MUST be representable
# with a 64 bit signed integer" (RFC 3264, 5). Some fill 64 bits without sign, and some
# session ids are longer still.
_VERSIONS = 2**63
_MAX_ID_DIGITS = 40
# What is read without a fault, whatever the parts of it say.
USUAL = r"[!-~]++ [0-9]{1,40} (?:0|[1-9][0-9]{0,18}) IN IP[46] [!-~]++"
_USUAL = re.compile(USUAL).fullmatch


@dataclass(frozen=True, slots=True)
class Origin:
    """
    One ``o=`` value (:rfc:`8866#section-5.2`).

    All of it but the version stays the same as long as the session lasts
    (:rfc:`3264#section-8`).

    :ivar username: ``-`` where there is none.
    :ivar session_id: decimal digits; text, since its spelling must not change.
    :ivar version: grows by one with each change of the description.
    :ivar address: an IP address or host name of the maker; media does not go there.
    :ivar addrtype: ``IP4`` or ``IP6``; by default that of the address.
    """

    username: str
    session_id: str
    version: int
    address: str
    addrtype: str = ""
    nettype: str = "IN"

    def __post_init__(self) -> None:
        if not self.addrtype:
            object.__setattr__(self, "addrtype", address_type(self.address))

    @classmethod
    def parse(cls, text: str) -> Origin:
        """
        Read the value of an ``o=`` line. A user name with blanks in it is tolerated.

        :raises ParseError: if *text* breaks the grammar.
        """
        parts = fields(text)
        if len(parts) < 6:
            raise ParseError(f"the origin {excerpt(text)} is too short")
        *names, session_id, version, nettype, addrtype, address = parts
        if not (
            session_id.isascii()
            and session_id.isdecimal()
            and len(session_id) <= _MAX_ID_DIGITS
        ):
            raise ParseError(f"{excerpt(session_id)} is no session id")
        return cls(
            " ".join(names),
            session_id,
            number(version, _MAX_VERSION, "version of a session"),
            address,
            addrtype,
            nettype,
        )

    def with_next_version(self) -> Origin:
        """
        Return the origin of the next description of the same session.

        After the largest number that others can hold comes 0.
        """
        return replace(self, version=(self.version + 1) % _VERSIONS)

    def with_address(self, address: str) -> Origin:
        """
        Return the origin with another address, and the address type that goes with it.
        """
        return replace(self, address=address, addrtype=address_type(address))

    def __str__(self) -> str:
        return (
            f"{self.username} {self.session_id} {self.version}"
            f" {self.nettype} {self.addrtype} {self.address}"
        )

    def check(self) -> None:
        """
        Make sure that what is about to be written can be read again.

        :raises LocalProtocolError: if a part is empty, too long or broken by a blank.
        """
        text = str(self)
        if _USUAL(text):
            return  # six words can be read in one way only
        try:
            if Origin.parse(text) == self:
                return
        except ParseError:
            pass
        raise LocalProtocolError(f"{excerpt(text)} is no origin")
