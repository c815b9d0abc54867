"""
The call that is simulated. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from sipsorcery.appserver.simulation.errors import SimulationError
from sipsorcery.sip import grammar
from sipsorcery.sip.address import Address
from sipsorcery.sip.errors import ParseError, excerpt
from sipsorcery.sip.uri import URI, parse_uri
from sipsorcery.store.directory import Account, Dialplan
from sipsorcery.store.directory.cdrs import Direction

# Where a caller is who has a number and nothing else (RFC 3323, 4.1.1.3).
_NOWHERE = "anonymous.invalid"
_SCHEMES = ("sip:", "sips:", "tel:")
# What needs no escape in a user part (RFC 3261, 25.1).
_USER_SAFE = "-_.!~*'()&=+$,;?/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """
    A call that is simulated.

    :ivar account: the one that calls or is called.
    :ivar plan: the name of the dialplan that decides; "": that of an account that has
        none.
    :ivar tried: the dialplan of that name; None: the one that there is.
    :ivar to: the Request-URI.
    :ivar sender: the From.
    """

    account: Account
    direction: Direction
    plan: str
    to: URI
    sender: Address
    tried: Dialplan | None = None

    @classmethod
    def of(
        cls,
        account: Account,
        direction: Direction,
        plan: str,
        *,
        to: str,
        sender: str = "",
        tried: Dialplan | None = None,
    ) -> Attempt:
        """
        Make an attempt of what people write.

        :param to: a number or name, ``user@host``, or a URI.
        :param sender: likewise, or a whole From; "": the account where it calls, and
            nobody where it is called.
        :raises SimulationError: if there is no calling that.
        """
        is_out = direction is Direction.OUT
        if is_out:
            sender = sender or f"{account.username}@{account.domain}"
        return cls(
            account=account,
            direction=direction,
            plan=plan,
            to=_uri(to, account.domain),
            sender=_address(sender, account.domain if is_out else _NOWHERE),
            tried=tried,
        )


def _address(text: str, host: str) -> Address:
    if "<" not in text:
        return Address(_uri(text or "anonymous", host))
    try:
        return Address.parse(text)
    except ParseError as error:
        raise SimulationError(
            f"nobody calls as {excerpt(text)}: {error.text}"
        ) from None


def _uri(text: str, host: str) -> URI:
    text = text.strip()
    if not text.lower().startswith(_SCHEMES):
        user, at, its_host = text.rpartition("@")
        if not at:
            user, its_host = text, host
        text = f"sip:{grammar.escape(user, _USER_SAFE)}@{its_host}"
    try:
        return parse_uri(text)
    except ParseError as error:
        raise SimulationError(f"{excerpt(text)} is no address: {error.text}") from None
