"""
Claims: which server has taken a call that is being set up.

A request may reach two servers, when a proxy has given up the first one too early. The
one whose claim is stored rings the phones, and the other stays silent. What belongs to
the call and reaches the other, a CANCEL or an ACK, finds in the claim where it should
have gone.
"""

from __future__ import annotations

from hashlib import blake2s

import msgspec

from sipsorcery.store.live.kind import Kind

# 128 bits: nobody finds two calls with the same key, and who does so hurts himself.
_KEY_SIZE = 16


class Claim(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """
    Who has a call.

    :ivar server: where it listens, as text of an `Endpoint`.
    :ivar incarnation: what its process drew at its start.
    :ivar dialogue: the identifier that the call has there.
    :ivar begun: when, in seconds since the epoch.
    :ivar invite: the INVITE, for whoever has to answer it in the place of its server.
    :ivar source: where that came from, as text of an `Endpoint`.
    :ivar status: of the refusal that was the last word about the call; 0: it goes on.
    :ivar reason: the reason phrase of that.
    """

    server: str
    incarnation: str
    dialogue: str
    begun: float = 0.0
    invite: bytes = b""
    source: str = ""
    status: int = 0
    reason: str = ""


#: What the live state calls them.
CLAIMS = Kind("claim", Claim)


def claim_key(call_id: str, from_tag: str, cseq: int) -> str:
    """
    Give the key for one attempt at a call: an INVITE, wherever it was sent.

    The first two are the caller's choice and as long as he likes, and a key is not.
    """
    text = f"{cseq} {len(call_id)} {call_id} {from_tag}"
    octets = text.encode("utf-8", "surrogateescape")
    return blake2s(octets, digest_size=_KEY_SIZE, person=b"claim").hexdigest()
