"""
Callees whom nobody knows any more: they have answered a process that was killed.
"""

from __future__ import annotations

from sipsorcery.dialog.dialog import Dialog
from sipsorcery.dialog.routing import behind, needed_contact_uri
from sipsorcery.sip.cseq import CSeq
from sipsorcery.sip.fields import CALL_ID, CSEQ, FROM, TO
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI
from sipsorcery.ua.acknowledging import AckSender
from sipsorcery.ua.core import Core
from sipsorcery.ua.goodbye import Goodbye
from sipsorcery.ua.shared import SharedDialog


async def hang_up_stranger(
    core: Core, response: Response, proxy: SIPURI | None = None
) -> None:
    """
    Acknowledge a 2xx to an INVITE that nobody remembers, and hang up at once.

    All that the dialog needs stands in the response (:rfc:`3261#section-13.2.2.4`).

    :param proxy: the one that all calls go by; None: there is none.
    :raises ParseError: if it breaks the grammar, or has no Contact.
    """
    invite = Request(
        "INVITE",
        needed_contact_uri(response),
        [
            (FROM, response[FROM]),
            (TO, response[TO]),
            (CALL_ID, response[CALL_ID]),
            (CSEQ, CSeq(response[CSEQ].number, "INVITE")),
        ],
    )
    dialog = Dialog.of_response(invite, response)
    if proxy is not None:
        dialog.route_set = behind(proxy, dialog.route_set)
    shared = SharedDialog(core, dialog, None, None)
    AckSender(core, shared.hop, None).send(dialog.acknowledge(invite))
    await Goodbye(shared).send()
