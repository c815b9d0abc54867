"""
The default script: which request goes where.

A script of an operator has the same two functions, or one of them; what it does not
define is taken from here. It can import this module and extend what it does.
"""

from __future__ import annotations

from sipsorcery.proxy.facade import Sys
from sipsorcery.proxy.response_facade import ResponseSys
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI

# These belong to a request that was judged, and nothing can be asked of them.
_JUDGED = ("ACK", "CANCEL")
# Dialplans decide about these, where they come from outside of any dialog.
_DECIDED = ("INVITE", "MESSAGE")


async def request(sys: Sys, req: Request) -> None:
    """
    Send a request on, or answer it.
    """
    if sys.has_flow:
        await sys.forward()  # in a dialog, or from inside to a phone
        return
    if sys.is_ours and req.to_tag() is not None:
        server = sys.dispatcher_lookup()
        if server is not None:
            # Of a phone that ignores Record-Route. It was told the name of its dialogue
            # as others are told the token of a Route.
            await sys.forward(server)
            return
    if await is_for_dialplan(sys, req):
        await sys.dispatch()
        return
    if await is_left_over(sys, req):
        server = sys.get_app_server()
        if server is None:
            sys.respond(503)  # whoever has the call: none of them is well
        else:
            await sys.forward(server)
        return
    is_known = sys.is_trusted or sys.is_trunk or await is_account(sys, req)
    if sys.is_ours:
        await arrived(sys, req)
    elif is_known:
        await outward(sys, req)
    else:
        # Whatever it is and whoever asks: this is no open relay.
        sys.respond(403)


async def is_for_dialplan(sys: Sys, req: Request) -> bool:
    """
    Tell whether a request is a new call or message from one of our users, or to one.

    The application server finds out who calls, and what their dialplan says.
    """
    if req.method not in _DECIDED or req.to_tag() is not None:
        return False
    return await concerns_users(sys)


async def is_left_over(sys: Sys, req: Request) -> bool:
    """
    Tell whether a CANCEL or ACK may be of a call that an application server has.

    Here it is unknown; but the process that has dispatched the call may have been the
    one before us. The server finds out, whichever it is.
    """
    return req.method in _JUDGED and await concerns_users(sys)


async def concerns_users(sys: Sys) -> bool:
    """
    Tell whether a request comes from outside, and is from one of our users or to one.

    :return: False if there is no application server, too.
    """
    if sys.is_trusted or not sys.has_app_servers:
        return False
    if sys.is_ours:
        return True
    return not sys.is_trunk and await sys.caller_domain() is not None


async def is_account(sys: Sys, req: Request) -> bool:
    """
    Tell whether a request is from one of our users, who has to prove it.
    """
    if req.method in _JUDGED or is_for_server(sys, req):
        return False
    if await sys.caller_domain() is None:
        return False
    await sys.authenticate()
    return True


def is_for_server(sys: Sys, req: Request) -> bool:
    """
    Tell whether a request is for the proxy, or for the registrar, which asks itself.
    """
    uri = req.uri
    if not sys.is_ours or not isinstance(uri, SIPURI):
        return False
    return req.method == "REGISTER" or (req.method == "OPTIONS" and uri.user is None)


async def response(sys: ResponseSys, resp: Response) -> None:
    """
    Look at a response before it goes back; it may be changed.
    """


async def outward(sys: Sys, req: Request) -> None:
    """
    Send a request to somebody else's server.
    """
    if req.method == "INVITE":
        await sys.relay()
    elif req.method in _JUDGED:
        await sys.follow()
    else:
        await sys.forward()


async def arrived(sys: Sys, req: Request) -> None:
    """
    See to a request for a domain or an address of ours.
    """
    uri = req.uri
    assert isinstance(uri, SIPURI)  # nothing else is ours
    server = sys.dispatcher_lookup()
    if server is not None and req.method != "REGISTER":
        await sys.forward(server)  # an INVITE that replaces a call, maybe
    elif req.method == "REGISTER" and "registrar" in sys.roles:
        await sys.forward("registrar")
    elif uri.user is None or req.method == "REGISTER" or not sys.knows_users:
        sys.answer()
    else:
        await to_user(sys, req, uri)


async def to_user(sys: Sys, req: Request, uri: SIPURI) -> None:
    """
    Send a request to all the contacts of one of our users.
    """
    if req.method == "ACK":
        return  # it belongs to nothing: the ones that do carry a Route
    if req.method == "CANCEL":
        sys.respond(481)  # likewise
        return
    contacts = await sys.lookup(uri)
    if contacts is None:
        sys.report_unknown()
        sys.respond(404)
    elif not contacts:
        sys.respond(480)
    else:
        await sys.relay(contacts)
