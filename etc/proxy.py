"""
An example of a routing script: what it does not see to is left to the packaged one.

To use it, name a copy of it in the configuration, ``proxy.script = "proxy.py"``. It is
loaded again when the file changes. The page "Proxy" of the documentation tells what
``sys`` offers.
"""

from __future__ import annotations

from sipsorcery.proxy import script
from sipsorcery.proxy.facade import Sys
from sipsorcery.proxy.response_facade import ResponseSys
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI

# Numbers that cost a lot, and that nobody here calls: satellites, premium rates.
EXPENSIVE = ("+881", "+882", "+883", "00881", "00882", "00883", "+979", "00979")


async def request(sys: Sys, req: Request) -> None:
    """
    Refuse expensive calls, whoever makes them; send all else on as usual.
    """
    uri = req.uri
    if (
        req.method == "INVITE"
        and not sys.has_flow
        and isinstance(uri, SIPURI)
        and (uri.user or "").startswith(EXPENSIVE)
    ):
        sys.log(f"An expensive call from {sys.received_from}: {uri}")
        sys.respond(403)
        return
    await script.request(sys, req)


def response(sys: ResponseSys, resp: Response) -> None:
    """
    Tell nobody outside what programs our users have.
    """
    if not sys.is_trusted:
        resp.remove("Server")
