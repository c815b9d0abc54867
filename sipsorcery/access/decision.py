"""
What may become of a request that asks for something.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from sipsorcery.dialog.refusal import FieldValue, Refusal
from sipsorcery.sip.auth import AuthenticationInfo
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.store.directory import Account

__all__ = ["Allowed", "Challenge", "Decision", "Disabled", "Proof", "Refusal"]


class Proof(StrEnum):
    """
    Name how somebody has shown who they are.
    """

    DIGEST = "digest"  # they know the password
    NETWORK = "network"  # the account trusts their address


@dataclass(frozen=True, slots=True)
class Allowed:
    """
    Says whose request it is, and that it may go on.

    :ivar info: what shows that we know the password as well, for the 2xx; None: nobody
        has asked for that.
    """

    account: Account
    proof: Proof
    info: AuthenticationInfo | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """
    Asks who somebody is, once more if need be.

    :ivar status: 401 or 407.
    :ivar fields: of the response, a challenge for each algorithm.
    """

    status: int
    fields: tuple[FieldValue, ...]

    def response(self, request: Request, to_tag: str | None = None) -> Response:
        """
        Make the response to *request*.
        """
        return request.respond(self.status, fields=self.fields, to_tag=to_tag)


@dataclass(frozen=True, slots=True)
class Disabled(Refusal):
    """
    Refuses somebody who has shown who they are, and whose account is disabled.

    :ivar owner: whose account it is.
    """

    owner: str = ""


Decision: TypeAlias = Allowed | Challenge | Refusal
