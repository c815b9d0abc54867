"""
NAPTR records: the SIP services that a domain offers, in its own order. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import groupby
from typing import NamedTuple

from sipsorcery.endpoint import Transport
from sipsorcery.transport.location.records import NAPTR

# IANA's registry "SIP Table of Mappings From Service Field Values to Transport
# Protocols", without SCTP, and TLS apart from TCP.
_TRANSPORTS = {
    "SIP+D2U": Transport.UDP,
    "SIP+D2T": Transport.TCP,
    "SIPS+D2T": Transport.TLS,
    "SIP+D2W": Transport.WS,
    "SIPS+D2W": Transport.WSS,
}


class Service(NamedTuple):
    """
    One way to reach a domain: a transport, and the name of its SRV records.
    """

    transport: Transport
    name: str


def services(
    records: Iterable[NAPTR],
    transports: Collection[Transport],
    *,
    secure: bool,
    reliable: bool,
    limit: int,
) -> list[list[Service]]:
    """
    Choose the services that we can use.

    :param transports: those that we can send by.
    :param secure: for a sips URI, which takes ``SIPS`` services only.
    :param reliable: put those in front that a long request can go by.
    :param limit: how many to choose at most.
    :return: the best ones together, each in its place; then those to look at only if
        none of the better can be found. A client "MUST NOT consider" another order
        once it has found a match (:rfc:`3403#section-4.1`), but may go on to the next
        preference.
    """
    ranked = []
    for record in records:
        transport = _transport(record)
        if transport is None or transport not in transports:
            continue
        if transport.is_secure or not secure:
            last = reliable and not transport.is_reliable
            service = Service(transport, record.replacement)
            ranked.append(((last, record.order), record.preference, service))
    ranked.sort()
    return [
        list(dict.fromkeys(service for _, _, service in group))
        for _, group in groupby(ranked[:limit], key=lambda one: one[0])
    ]


def _transport(record: NAPTR) -> Transport | None:
    """
    Tell the transport of a record; None if it is none of SIP's, or none as it must be.

    "The resource record will contain an empty regular expression and a replacement
    value" (:rfc:`3263#section-4.1`), and its flag says that SRV records come next.
    """
    if record.flags.lower() != "s" or record.regexp or not record.replacement:
        return None
    return _TRANSPORTS.get(record.service.upper())
