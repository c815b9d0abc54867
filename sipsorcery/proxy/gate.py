"""
What the proxy asks and tells the guard, who knows nothing of SIP.
"""

from __future__ import annotations

import re

from twisted.internet.interfaces import IReactorTime

from sipsorcery.access.guard import Guard
from sipsorcery.access.offences import Offence
from sipsorcery.access.scanners import is_scanner
from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.fields import USER_AGENT
from sipsorcery.sip.request import Request
from sipsorcery.sip.usual import UsualRequest
from sipsorcery.transport.flow import Flow

# In any spelling; a usual request has no folds.
_USER_AGENT = re.compile(
    rb"\n[Uu][Ss][Ee][Rr]-[Aa][Gg][Ee][Nn][Tt][ \t]*+:[ \t]*+([^\r]*+)"
)


class Gate:
    """
    Lets in what the guard admits, and tells the guard of bad manners.

    :param guard: None: everybody is let in.
    :param inside: where the inside socket is bound, which is no stranger's way.
    """

    def __init__(
        self, clock: IReactorTime, guard: Guard | None, inside: Endpoint | None
    ) -> None:
        self._clock = clock
        self._guard = guard
        self._inside = inside

    @property
    def dropped(self) -> int:
        """
        Packets that were not let in.
        """
        return 0 if self._guard is None else self._guard.dropped

    def admits(self, flow: Flow) -> bool:
        """
        Tell whether to look at what has just come on a flow.
        """
        if self._guard is None or flow.local == self._inside:
            return True
        return self._guard.admit(flow, self._clock.seconds())

    def turns_away(self, request: Request, flow: Flow) -> bool:
        """
        Tell whether a request gets no answer, being that of a scanner.
        """
        if self._guard is None or flow.local == self._inside:
            return False
        if not is_scanner(_product(request)):
            return False
        self._note(flow.remote, Offence.SCANNER)
        return True

    def note_garbage(self, flow: Flow) -> None:
        """
        Hear of something that could not be read.
        """
        if flow.local != self._inside:
            self._note(flow.remote, Offence.GARBAGE)

    def note_unknown(self, remote: Endpoint) -> None:
        """
        Hear of a request for a user who does not exist.
        """
        self._note(remote, Offence.UNKNOWN)

    def note_authenticated(self, remote: Endpoint) -> None:
        """
        Hear that somebody has proved who they are.
        """
        if self._guard is not None:
            self._guard.note_authenticated(remote, self._clock.seconds())

    def forget(self, flow: Flow) -> None:
        """
        Hear that a connection is closed.
        """
        if self._guard is not None:
            self._guard.forget(flow.remote)

    def _note(self, remote: Endpoint, offence: Offence) -> None:
        if self._guard is not None:
            self._guard.note_failure(remote, offence, self._clock.seconds())


def _product(request: Request) -> str | None:
    if not isinstance(request, UsualRequest) or not request.is_untouched:
        return request.get(USER_AGENT)
    found = request.search(_USER_AGENT)
    return None if found is None else found[1].decode("utf-8", "surrogateescape")
