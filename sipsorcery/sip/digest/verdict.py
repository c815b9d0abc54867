"""
What the server makes of credentials. The role decides which status that is.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Accepted:
    """
    Says that the sender is the user; the nonce is counted as used.
    """

    username: str


@dataclass(frozen=True, slots=True)
class Stale:
    """
    Says that the response is right, but for a nonce that is too old, not ours, or used.

    The answer is a challenge with ``stale=true``. No failed attempt: do not count it
    against the sender.
    """


@dataclass(frozen=True, slots=True)
class Wrong:
    """
    Says that the user is unknown or the response wrong; nobody can tell which.
    """


@dataclass(frozen=True, slots=True)
class NoCredentials:
    """
    Says that no credentials are for this realm in a scheme and algorithm on offer.
    """


@dataclass(frozen=True, slots=True)
class Malformed:
    """
    Says that the credentials lack what they need; 400 is the usual answer.

    :ivar reason: a sentence without anything secret.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Misdirected:
    """
    Says that the credentials were made for another Request-URI than the request's.

    Usually answered with 400 (:rfc:`7616#section-3.4.6`): it may be an attack.
    """

    uri: str


Verdict = Accepted | Stale | Wrong | NoCredentials | Malformed | Misdirected
