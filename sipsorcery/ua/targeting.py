"""
REFER outside of the dialog that it is about (:rfc:`4538`).

Whoever sends it shows by Target-Dialog that it knows that dialog. So it may come from
another program of the peer, such as a page in a browser that controls the phone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipsorcery.dialog.dialog import Dialog
from sipsorcery.dialog.refer import read_refer
from sipsorcery.dialog.refusal import Refusal
from sipsorcery.dialog.replaces import find_target_dialog
from sipsorcery.sip.uri import SIPURI
from sipsorcery.transport.transactions.server import ServerTransaction
from sipsorcery.ua.referral import Referral
from sipsorcery.ua.session import Session
from sipsorcery.ua.shared import SharedDialog

if TYPE_CHECKING:
    from sipsorcery.ua.core import Core


def receive(core: Core, transaction: ServerTransaction) -> Refusal | None:
    """
    Take a REFER that is in no dialog.

    What comes of it is told in a dialog of its own.

    :returns: how to refuse it: with 481 where it names no session of ours.
    :raises ParseError: if it breaks the grammar, or has no Contact.
    """
    request, flow = transaction.request, transaction.flow
    session = _session(core, transaction)
    if session is None:
        return Refusal(481)
    refer = read_refer(request)
    if core.on_refer is None or isinstance(refer, Refusal):
        return refer if isinstance(refer, Refusal) else Refusal(603)
    user = request.uri.user if isinstance(request.uri, SIPURI) else None
    dialog = Dialog.of_request(
        request,
        transaction.to_tag,
        core.contact(flow, user),
        over_tls=flow.local.transport.is_secure,
    )
    shared = SharedDialog(core, dialog, session.shared.account, flow)
    referral = Referral(session, transaction, refer, is_first=True, shared=shared)
    referral.give(core.on_refer)
    return None


def _session(core: Core, transaction: ServerTransaction) -> Session | None:
    dialog = find_target_dialog(transaction.request, core.find_dialog)
    usages = () if dialog is None else core.dialogs[dialog.id].usages
    return next((one for one in usages if isinstance(one, Session)), None)
