"""
Session descriptions: the bodies that say where media goes and in which formats.

Reading and writing them (:rfc:`8866`), offers and answers (:rfc:`3264`), and putting
another address into them. No sockets, no clock, nothing of SIP.
"""

from sipsorcery.sdp.address import is_private, replace_addresses
from sipsorcery.sdp.codec import G722, PCMA, PCMU, TELEPHONE_EVENT, Codec
from sipsorcery.sdp.connection import RTCP, Connection
from sipsorcery.sdp.direction import Direction
from sipsorcery.sdp.errors import (
    LocalProtocolError,
    NotAcceptable,
    ParseError,
    RemoteProtocolError,
    SDPError,
)
from sipsorcery.sdp.line import Attribute, Line
from sipsorcery.sdp.media import Media
from sipsorcery.sdp.modification import check_offer, hold, reissue, resume
from sipsorcery.sdp.offer_answer import check_answer, create_answer
from sipsorcery.sdp.origin import Origin
from sipsorcery.sdp.session import SessionDescription

__all__ = [
    "G722",
    "PCMA",
    "PCMU",
    "RTCP",
    "TELEPHONE_EVENT",
    "Attribute",
    "Codec",
    "Connection",
    "Direction",
    "Line",
    "LocalProtocolError",
    "Media",
    "NotAcceptable",
    "Origin",
    "ParseError",
    "RemoteProtocolError",
    "SDPError",
    "SessionDescription",
    "check_answer",
    "check_offer",
    "create_answer",
    "hold",
    "is_private",
    "reissue",
    "replace_addresses",
    "resume",
]
