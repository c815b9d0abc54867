"""
The hot path: what the topmost two Vias of a response say at a glance. Pure.

The first one is ours, and the one below it that of whom the response is for. Whatever
is not written as usual is left to those who parse.
"""

from __future__ import annotations

import re

from sipsorcery.sip.via import MAGIC_COOKIE, glance_at_via, received_at_glance
from sipsorcery.transport import vias

# A Via as nearly all are, without what was noted in it and with a plain port.
_USUAL_VIA = re.compile(
    r"SIP/2\.0/UDP ([A-Za-z0-9.\-]++(?::(?:[1-5][0-9]{4}|[1-9][0-9]{0,3}))?+)"
    rf";branch=({MAGIC_COOKIE}[A-Za-z0-9\-.]++)"
).fullmatch


def read_own(via: str) -> tuple[str, str] | None:
    """
    Give branch and token of a Via that we may have written for a forwarded request.

    The next hop may have added parameters on both sides of ours. None of them is a
    second branch or token, nor are there Vias in it.
    """
    before, _, rest = via.partition(";branch=")
    branch, flow, rest = rest.partition(";flow=")
    token, _, after = rest.partition(";")
    if (
        not flow
        or ";" in branch
        or ";branch" in before
        or ";flow" in before
        or ";vias" in before
        or "vias" in after
    ):
        return None
    return branch, token


def origin_below(via: str, host: str, port: int) -> tuple[str, str, str] | None:
    """
    Give branch, sent-by and received of a Via that leads back to an address.

    :return: None where that takes a longer look.
    """
    noted = f";rport={port};received={host}"
    if via.endswith(noted):  # as nearly all are: `Request.note_source` has put it there
        usual = _USUAL_VIA(via, 0, len(via) - len(noted))
        if usual is not None:
            return usual[2], usual[1], host
    theirs, received = glance_at_via(via), received_at_glance(via)
    if theirs is None or received is None or not vias.leads_back(via, host, port):
        return None
    return *theirs, received
