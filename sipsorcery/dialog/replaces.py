"""
References to dialogs from outside: Replaces, Join, Target-Dialog.

Each is a :class:`~sipsorcery.sip.parameterised.DialogReference`, whose tags are named
after the messages of whoever reads it (:rfc:`3891`, :rfc:`3911`, :rfc:`4538`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from sipsorcery.dialog.dialog import Dialog, DialogID, State
from sipsorcery.dialog.refusal import Refusal
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import JOIN, REPLACES, TARGET_DIALOG, Field
from sipsorcery.sip.parameterised import DialogReference
from sipsorcery.sip.parameters import Parameters
from sipsorcery.sip.request import Request

#: Finds the dialog of an id: ``dialogs.get`` of a dictionary will do. Dialogs that are
#: over may still be in it.
Lookup: TypeAlias = Callable[[DialogID], Dialog | None]


def reference_to(dialog: Dialog, *, early_only: bool = False) -> DialogReference:
    """
    Make the Replaces or Join that names a dialog to its other end.

    :param early_only: replace it only while nobody has answered.
    """
    tags: list[tuple[str, str | None]] = [
        ("to-tag", dialog.remote_tag or "0"),
        ("from-tag", dialog.local_tag or "0"),
    ]
    if early_only:
        tags.append(("early-only", None))
    return DialogReference(dialog.call_id, Parameters(tags))


def target_dialog(dialog: Dialog) -> DialogReference:
    """
    Make the Target-Dialog that shows the other end of a dialog that we know it.
    """
    tags = [("local-tag", dialog.remote_tag), ("remote-tag", dialog.local_tag)]
    return DialogReference(dialog.call_id, Parameters(tags))


def find_replaced(request: Request, lookup: Lookup) -> Dialog | Refusal | None:
    """
    Find the dialog that an INVITE is to replace (:rfc:`3891#section-3`).

    Whether the sender may do that is for the user to say. If so, the INVITE is answered
    with a 2xx and the dialog ended: a confirmed one by BYE, an early one by CANCEL.

    :returns: ``None`` if the request has no Replaces.
    """
    found = _find(request, REPLACES, lookup)
    if not isinstance(found, tuple):
        return found
    reference, dialog = found
    if JOIN in request:
        return Refusal(400, "Replaces and Join")
    if dialog.state is State.Confirmed and reference.early_only:
        return Refusal(486)
    return dialog


def find_joined(request: Request, lookup: Lookup) -> Dialog | Refusal | None:
    """
    Find the dialog that an INVITE is to join (:rfc:`3911#section-4`).

    :returns: ``None`` if the request has no Join.
    """
    found = _find(request, JOIN, lookup)
    return found[1] if isinstance(found, tuple) else found


def find_target_dialog(request: Request, lookup: Lookup) -> Dialog | None:
    """
    Find the dialog that the sender of a request shows to know (:rfc:`4538#section-4`).

    That both know the tags says who the sender is; so they may be the wrong way round,
    as some have them.

    :returns: ``None`` if there is none, which is no reason to refuse the request.
    """
    try:
        reference = request.get(TARGET_DIALOG)
    except ParseError:
        return None
    if reference is None or not (reference.to_tag and reference.from_tag):
        return None
    tags = (reference.from_tag, reference.to_tag)
    for one, other in (tags, tags[::-1]):
        dialog = lookup(DialogID(reference.call_id, one, other))
        if dialog is not None and dialog.state is not State.Terminated:
            return dialog
    return None


def _find(
    request: Request, field: Field[DialogReference], lookup: Lookup
) -> tuple[DialogReference, Dialog] | Refusal | None:
    try:
        references = request.all(field)
    except ParseError as error:
        return Refusal.of(error)
    if not references:
        return None
    reference = references[0]
    if request.method != "INVITE" or len(references) > 1:
        return Refusal(400, f"{field.name} belongs into an INVITE, and once")
    if not (reference.to_tag and reference.from_tag):
        return Refusal(400, f"{field.name} without both tags")
    dialog = _look_up(reference, lookup)
    if dialog is None or dialog.method != "INVITE":
        return Refusal(481)
    if dialog.state is State.Terminated:
        return Refusal(603)
    if dialog.state is State.Early and not dialog.initiator:
        # Whom it is to replace has not been answered yet (3).
        return Refusal(481)
    return reference, dialog


def _look_up(reference: DialogReference, lookup: Lookup) -> Dialog | None:
    to_tag, from_tag = reference.to_tag or "", reference.from_tag or ""
    dialog = lookup(DialogID(reference.call_id, to_tag, from_tag))
    if dialog is None and from_tag == "0":
        # "a tag of zero [...] matches both tags with a value of zero and null tags"
        dialog = lookup(DialogID(reference.call_id, to_tag, ""))
    return dialog
