"""
The computations of Digest: HA1, the response, rspauth, the hash of a user name.

Text is hashed as the octets that came: header text is UTF-8 in which surrogates stand
for what is not (:rfc:`7616#section-3.4`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from enum import Enum
from functools import lru_cache, partial
from typing import Any


class Algorithm(Enum):
    """
    A digest algorithm, by the name it has in the header fields.

    :ivar is_session: whether its key is bound to nonce and cnonce.
    :ivar base: the algorithm without ``-sess``, for which HA1 is stored.
    """

    is_session: bool
    base: Algorithm
    _hash: Callable[[bytes], Any]

    # There is one of each, and every request with credentials looks some up.
    __hash__ = object.__hash__

    MD5 = "MD5"
    MD5_SESS = "MD5-sess"
    SHA_256 = "SHA-256"
    SHA_256_SESS = "SHA-256-sess"
    SHA_512_256 = "SHA-512-256"
    SHA_512_256_SESS = "SHA-512-256-sess"

    @classmethod
    def parse(cls, text: str | None) -> Algorithm | None:
        """
        Find an algorithm by its name in any case; ``None`` if we do not know it.

        :param text: the parameter; ``None``, its absence, means MD5.
        """
        return cls.MD5 if text is None else _BY_NAME.get(text.lower())

    def hash(self, data: str | bytes) -> str:
        """
        Return H(data) in lower-case hexadecimal.
        """
        digest: str = self._hash(
            data if isinstance(data, bytes) else encode(data)
        ).hexdigest()
        return digest


# Characters of a method and a URI whose hash is kept: all phones of a domain register
# with the same. With 1024 of them it takes half a megabyte at most.
_USUAL_A2 = 128

_BY_NAME = {algorithm.value.lower(): algorithm for algorithm in Algorithm}
_HASHES = {
    Algorithm.MD5: partial(hashlib.md5, usedforsecurity=False),
    Algorithm.SHA_256: partial(hashlib.sha256, usedforsecurity=False),
    # SHA-512/256 of FIPS 180-4, with initial values of its own: not a SHA-512 cut
    # short, as the example of RFC 7616 has it (erratum 4897).
    Algorithm.SHA_512_256: partial(hashlib.new, "sha512_256", usedforsecurity=False),
}
for algorithm in Algorithm:
    algorithm.base = _BY_NAME[algorithm.value.lower().removesuffix("-sess")]
    algorithm.is_session = algorithm.base is not algorithm
    algorithm._hash = _HASHES[algorithm.base]


def encode(text: str) -> bytes:
    """
    Return the octets that header text stands for.
    """
    return text.encode("utf-8", "surrogateescape")


def compute_ha1(username: str, realm: str, password: str, algorithm: Algorithm) -> str:
    """
    Return the HA1 to store instead of a password (:rfc:`7616#section-3.4.2`).

    Text that people typed should be in Unicode normal form C first, as every client
    does it that follows :rfc:`7616#section-4`.
    """
    return algorithm.hash(f"{username}:{realm}:{password}")


def compute_userhash(username: str, realm: str, algorithm: Algorithm) -> str:
    """
    Return what a client sends instead of a user name (:rfc:`7616#section-3.4.4`).
    """
    return algorithm.hash(f"{username}:{realm}")


def compute_response(
    algorithm: Algorithm,
    ha1: str,
    *,
    method: str,
    uri: str,
    nonce: str,
    qop: str | None = None,
    nc: str = "",
    cnonce: str = "",
    body: bytes = b"",
) -> str:
    """
    Return the response parameter (:rfc:`7616#section-3.4.1`), or rspauth.

    :param ha1: of the algorithm without ``-sess``.
    :param method: the request's method; empty to get rspauth (3.5).
    :param qop: ``None`` for the form of :rfc:`2069`, which knew none.
        Like *nc* as it is spelled in the credentials.
    :param body: matters for ``auth-int`` only.
    """
    if algorithm.is_session:
        ha1 = algorithm.hash(f"{ha1}:{nonce}:{cnonce}")
    a2 = f"{method}:{uri}"
    if qop is not None and qop.lower() == "auth-int":
        ha2 = algorithm.hash(f"{a2}:{algorithm.hash(body)}")
    else:
        ha2 = _hash_a2(algorithm, a2) if len(a2) <= _USUAL_A2 else algorithm.hash(a2)
    middle = nonce if qop is None else f"{nonce}:{nc}:{cnonce}:{qop}"
    return algorithm.hash(f"{ha1}:{middle}:{ha2}")


@lru_cache(maxsize=1024)
def _hash_a2(algorithm: Algorithm, a2: str) -> str:
    return algorithm.hash(a2)
