"""
Addresses in session descriptions of phones behind a NAT. Pure.

A phone writes down the address that it has, which may mean nothing to others. What the
proxy has seen of it is where media comes from, and goes to.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import lru_cache

from sipsorcery.endpoint import Endpoint
from sipsorcery.sdp import (
    ParseError,
    SessionDescription,
    is_private,
    replace_addresses,
)


@dataclass(frozen=True, slots=True)
class Rewriting:
    """
    What is known of where one party is.

    :ivar seen: the address that its messages come from, IPv4 or IPv6; "": nobody knows.
    :ivar public: ours, which a party shares that is in our own network; "": none.
    """

    seen: str = ""
    public: str = ""

    @property
    def address(self) -> str:
        """
        Give the address where the party can be reached from outside; "": unknown.
        """
        return _reachable(self.seen, self.public)

    def __call__(self, description: SessionDescription) -> SessionDescription:
        """
        Put an address that can be reached in the place of private ones.

        The ``o=`` line stays, and so do holds and host names. A description with the
        candidates of ICE stays as it is: the ends find the way themselves, and a
        ``c=`` line that is none of the candidates would make them give ICE up
        (:rfc:`8839#section-4.2.5`).
        """
        address = self.address
        if not address or any(media.uses_ice for media in description.media):
            return description
        try:
            return replace_addresses(description, address)
        except ParseError:  # of a line that nobody has had to read before
            return description


#: Leaves every description as it is.
NO_REWRITING = Rewriting()


def between(caller: str, callee: str, public: str) -> tuple[Rewriting, Rewriting]:
    """
    Make what is done between two parties: with what the caller says, and the callee.

    Two who are both in our own network reach each other there, and not by the address
    that others see.

    :param caller: where the caller was seen; "": nobody knows.
    :param callee: likewise.
    :param public: ours as others see it; "": they see none.
    """
    return (
        Rewriting(caller, "" if is_private(callee) else public),
        Rewriting(callee, "" if is_private(caller) else public),
    )


def host_of(source: str | None) -> str:
    """
    Give the address in what a proxy says of a source: the text of an `Endpoint`.

    :return: "" if it says nothing.
    """
    try:
        return Endpoint.parse((source or "").strip()).host
    except ValueError:
        return ""


# It is asked for every description: as many as there are parties that talk at a time.
@lru_cache(maxsize=1024)
def _reachable(seen: str, public: str) -> str:
    if _is_address(seen) and not is_private(seen):
        return seen
    return public if _is_address(public) else ""


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
