"""
The branch of our Via: the same for a request that is sent again, and signed. Pure.

Whoever forwards without state has to find everything in the message. The branch is
computed from the Via below and from where the request goes, so that CANCEL, ACK and
retransmissions follow their INVITE (:rfc:`3261#section-16.11`); a response shows by it
that it answers a request of ours; and it says what the request looked like when it was
here, so that a loop is told from a spiral (:rfc:`5393#section-4.2`). It is::

    z9hG4bK | kind (1) | loop (14) | target (12) | MAC (20)
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from hashlib import blake2s

from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CALL_ID, CSEQ, FROM, ROUTE, VIA
from sipsorcery.sip.message import Message
from sipsorcery.sip.request import Request
from sipsorcery.sip.via import MAGIC_COOKIE, Via

# Octets, two digits each. Two different requests must not look like a loop by chance:
# one in 2**56. A target is told from the few others of the same request.
_LOOP, _TARGET, _MAC = 7, 6, 10
# Targets whose hash is remembered.
_REMEMBERED = 4096
_LENGTH = len(MAGIC_COOKIE) + 1 + 2 * (_LOOP + _TARGET + _MAC)
# What is signed of a branch, and where the signature is.
_STEM = slice(len(MAGIC_COOKIE), -2 * _MAC)
_SIGNATURE = slice(-2 * _MAC, None)


class Kind(StrEnum):
    """
    Name how a request was sent on.
    """

    FORWARDED = "f"  # without state: its responses are to be passed on as they come
    RELAYED = "r"  # in a transaction: what comes after its end is dropped


class Branches:
    """
    Makes branches and knows them again.

    :param secret: at most 32 octets, the same in every process.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        # The same few targets come again and again, which one hash each.
        self._target = lru_cache(maxsize=_REMEMBERED)(self._hash_target)
        self._empty: dict[bytes, blake2s] = {}  # as many as there are purposes
        # One for each request and each response, ready to be copied.
        self._signing = blake2s(key=secret, digest_size=_MAC, person=b"branch")

    def loop_hash(self, request: Request, side: str) -> str:
        """
        Sum up all of a request, as it came, that decides where it goes.

        The method, and what an ACK or CANCEL has other than its INVITE, is no part of
        it ("MUST NOT include the request method").

        :param side: which rules apply to the sender.
        """
        routes = () if request.get(ROUTE) is None else request.all("Route")
        return self.loop_of(side, request.request_uri, *routes)

    def loop_of(self, side: str, request_uri: str, *routes: str) -> str:
        """
        Sum up the same, from the texts of its Routes.
        """
        return self._hash(_LOOP, b"loop", side, request_uri, *routes)

    def has_looped(self, request: Request, loop: str) -> bool:
        """
        Tell whether a request has been here just as it is now.

        It may have been here otherwise: that is a spiral, which is no fault.
        """
        # The look at all of it spares the search for the Vias, nearly always.
        return loop in request.head and any(
            part.startswith(loop)
            for via in request.all("Via")
            for kind in Kind
            for part in via.split(MAGIC_COOKIE + kind)[1:]
        )

    def make_for(self, kind: Kind, loop: str, target: str, *origin: str) -> str:
        """
        Make the branch as `make` does, from what a client of RFC 3261 has in its Via.

        :param origin: branch, sent-by and where it was seen, or "".
        """
        stem = f"{kind}{loop}{self._target(target)}"
        return f"{MAGIC_COOKIE}{stem}{self._sign(stem, *origin)}"

    def made_for(self, kind: Kind, branch: str, *origin: str) -> bool:
        """
        Tell the same as `made`, likewise.
        """
        return (
            len(branch) == _LENGTH
            and branch.startswith(MAGIC_COOKIE + kind)
            and branch[_SIGNATURE] == self._sign(branch[_STEM], *origin)
        )

    def make(self, kind: Kind, loop: str, target: str, request: Request) -> str:
        """
        Make the branch for a request.

        :param request: with the Via of whom it came from on top.
        :param loop: its `loop_hash`.
        :param target: whatever tells where it goes, the new Request-URI included.
        """
        stem = f"{kind}{loop}{self._target(target)}"
        return f"{MAGIC_COOKIE}{stem}{self._mac(stem, request, request[VIA])}"

    def made(self, kind: Kind, branch: str | None, response: Message, via: Via) -> bool:
        """
        Tell whether a branch of a response is one that we made for it.

        :param via: the Via below ours: the way that the response goes on.
        """
        if branch is None or len(branch) != _LENGTH:
            return False
        stem = branch[_STEM]
        if stem[0] != kind or not branch.startswith(MAGIC_COOKIE):
            return False
        try:
            return branch[_SIGNATURE] == self._mac(stem, response, via)
        except ParseError:
            return False

    def _mac(self, stem: str, message: Message, via: Via) -> str:
        # Where the sender was seen decides, too, where a response may have to go.
        origin: tuple[str, ...] = (
            *(via.branch or "", via.sent_by),
            via.received or "",
        )
        if not via.is_rfc3261:
            # A client of RFC 2543 gives its requests no identifier; the To tag, which
            # an ACK to a failure has and its INVITE has not, is no part of one.
            tag, number = message[FROM].tag or "", message[CSEQ].number
            origin = (*origin, message[CALL_ID], tag, str(number))
        return self._sign(stem, *origin)

    def _sign(self, *parts: str) -> str:
        # To copy one that has the key already takes half the time of making one.
        one = self._signing.copy()
        one.update("\n".join(parts).encode("utf-8", "surrogateescape"))
        return one.hexdigest()

    def _hash_target(self, target: str) -> str:
        return self._hash(_TARGET, b"target", target)

    def _hash(self, size: int, purpose: bytes, *parts: str) -> str:
        empty = self._empty.get(purpose)
        if empty is None:
            empty = blake2s(key=self._secret, digest_size=size, person=purpose)
            self._empty[purpose] = empty
        one = empty.copy()
        one.update("\n".join(parts).encode("utf-8", "surrogateescape"))
        return one.hexdigest()
