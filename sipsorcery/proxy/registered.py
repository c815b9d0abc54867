"""
The flows that phones have registered on, as far as the answers of the registrar tell.
"""

from __future__ import annotations

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from sipsorcery.proxy.arrival import Arrival
from sipsorcery.proxy.gate import Gate
from sipsorcery.sip.address import Address
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CONTACT, CSEQ, EXPIRES
from sipsorcery.sip.grammar import number
from sipsorcery.sip.response import Response
from sipsorcery.transport.flow import Flow

# As many seconds as a field can say (RFC 3261, 20.19).
_MAX_EXPIRES = 2**32 - 1


class RegisteredFlows:
    """
    Keeps the connections of registered phones open, and tells the gate of these phones.

    There are no more of them than connections.
    """

    def __init__(self, clock: IReactorTime, gate: Gate) -> None:
        self._clock = clock
        self._gate = gate
        self._ends: dict[int, tuple[Flow, IDelayedCall]] = {}

    def __len__(self) -> int:
        return len(self._ends)

    def note(self, response: Response, arrival: Arrival, back: Flow) -> None:
        """
        Look at a response that is passed on.

        :param arrival: the way that it came.
        :param back: the flow that it goes back on.
        """
        if response.status != 200 or not arrival.is_trusted:
            return
        try:
            if response[CSEQ].method != "REGISTER":
                return
            lifetime = _lifetime(response)
        except ParseError:
            return  # it is the registrar's, and the phone's to complain of
        self._gate.note_authenticated(back.remote)
        if back.number:
            self._hold(back, lifetime)

    def closed(self, flow: Flow) -> None:
        """
        Forget a connection.
        """
        held = self._ends.pop(flow.number, None)
        if held is not None:
            held[1].cancel()

    def stop(self) -> None:
        """
        Forget all of them.
        """
        for _, end in self._ends.values():
            end.cancel()
        self._ends.clear()

    def _hold(self, flow: Flow, lifetime: int) -> None:
        held = self._ends.get(flow.number)
        if held is not None and lifetime:
            held[1].reset(lifetime)
        elif held is not None:
            held[1].cancel()
            self._release(flow)
        elif lifetime and flow.is_open:
            flow.hold()
            end = self._clock.callLater(lifetime, self._release, flow)
            self._ends[flow.number] = flow, end

    def _release(self, flow: Flow) -> None:
        del self._ends[flow.number]
        flow.release()


def _lifetime(response: Response) -> int:
    """
    Give the seconds that the last of the bindings has; 0: there are none.
    """
    contacts = [one for one in response.all(CONTACT) if isinstance(one, Address)]
    texts = [one.parameters.get("expires") for one in contacts]
    default = response.get(EXPIRES) or 0
    return max(
        (
            default if text is None else number(text, _MAX_EXPIRES, "expires")
            for text in texts
        ),
        default=0,
    )
