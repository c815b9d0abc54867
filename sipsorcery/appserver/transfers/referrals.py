"""
Who may transfer whom: REFER and INVITE with Replaces, decided. Pure.

A call has two parties, and each is an account of somebody here or is of nobody. What
counts is whose the party is that asks, not what it says of itself: the tags of a call
are no secret from whoever has once been told them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from sipsorcery.appserver.dial.options import TransferMode
from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.dialog.refer import Refer
from sipsorcery.sip.uri import SIPURI


@dataclass(frozen=True, slots=True)
class Party:
    """
    One end of a call of ours.

    :ivar owner: the user whose account is at this end; "": it is nobody's here.
    :ivar call_owner: the user whose call it is.
    """

    owner: str
    call_owner: str

    @property
    def answers_for(self) -> str:
        """
        Give the user who answers for what this party does.
        """
        return self.owner or self.call_owner


@dataclass(frozen=True, slots=True)
class PassOn:
    """
    Send the REFER to the other end, which does as it likes.
    """


@dataclass(frozen=True, slots=True)
class PlaceCall:
    """
    Call the target ourselves, and put it in the place of who asks.

    :ivar proof: whether who asks has to prove first to be an account of ours.
    """

    proof: bool


@dataclass(frozen=True, slots=True)
class Join:
    """
    Connect the other ends of two calls of ours, and end those of who asks.
    """


Decision: TypeAlias = PassOn | PlaceCall | Join


def decide(
    refer: Refer,
    mode: TransferMode,
    sender: Party,
    replaced: Party | None,
    *,
    is_served: bool,
) -> Decision:
    """
    Decide what becomes of a REFER.

    :param mode: what the dialplan allows in this call.
    :param sender: who asks.
    :param replaced: the party that the call named by Replaces is held with; None: there
        is no Replaces, or no such call here.
    :param is_served: whether the From is of a domain that we serve.
    :raises Refused: if it is not to be done.
    """
    if mode is TransferMode.NOT_ALLOWED:
        raise Refused(Code.TRANSFER_DISABLED)
    if mode is TransferMode.PASS_THROUGH:
        return PassOn()
    if refer.method != "INVITE":
        raise Refused(Code.TRANSFER_METHOD)
    if replaced is not None:
        check_join(sender, replaced)
        return Join()
    if not isinstance(refer.target, SIPURI):
        raise Refused(Code.TRANSFER_TARGET)
    if mode is TransferMode.PLACE_CALL:
        return PlaceCall(proof=False)
    # Nobody of ours stands for the costs of a call that a stranger wants.
    return PlaceCall(proof=True) if is_served else PassOn()


def check_join(one: Party, other: Party) -> None:
    """
    See to it that two calls are held by the same user, who may connect their ends.

    :raises Refused: if they are not.
    """
    if one.owner != other.owner or one.answers_for != other.answers_for:
        raise Refused(Code.TRANSFER_OWNER)


def check_replaces(
    mode: TransferMode, replaced: Party, opposite: Party, proven: str
) -> None:
    """
    See to it that an INVITE may take the place of a party (:rfc:`3891#section-8`).

    The user whose call it is may, and so may the users of both ends: that is how one
    of their phones takes over what another one has. Anybody may who has been told of
    the call by a REFER that the dialplan lets pass.

    :param proven: the owner of the account that the caller has proved to be; "": none.
    :raises Refused: if it may not.
    """
    if mode is TransferMode.NOT_ALLOWED:
        raise Refused(Code.TRANSFER_DISABLED)
    users = {replaced.owner, replaced.call_owner, opposite.owner} - {""}
    if proven not in users and mode is not TransferMode.PASS_THROUGH:
        raise Refused(Code.TRANSFER_OWNER)
