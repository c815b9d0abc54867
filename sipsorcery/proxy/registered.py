"""
The flows that phones have registered or called on, as far as answers tell.
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
# Seconds for which a call may be silent on the connection that it was made on, and its
# end still heard: longer than people talk. The connections themselves are bounded.
_CALL = 4 * 3600
_METHODS = ("REGISTER", "INVITE")


class RegisteredFlows:
    """
    Keeps the connections of phones open, and tells the gate of registered phones.

    One that calls without being registered can be reached, behind its NAT, by nothing
    but the connection of its call. There are no more of them than connections.
    """

    def __init__(self, clock: IReactorTime, gate: Gate) -> None:
        self._clock = clock
        self._gate = gate
        # By the number of the connection, and the method that it is in use by.
        self._ends: dict[tuple[int, str], tuple[Flow, IDelayedCall]] = {}

    def __len__(self) -> int:
        return len(self._ends)

    def note(self, response: Response, arrival: Arrival, back: Flow) -> None:
        """
        Look at a response that is passed on.

        :param arrival: the way that it came.
        :param back: the flow that it goes back on.
        """
        if response.status != 200 or not (arrival.is_trusted or back.number):
            return
        try:
            method = response[CSEQ].method
            if method == "INVITE":
                self._hold(back, method, _CALL)
            elif method == "REGISTER" and arrival.is_trusted:
                self._hold(back, method, _lifetime(response))
                self._gate.note_authenticated(back.remote)
        except ParseError:
            return  # it is the registrar's, and the phone's to complain of

    def closed(self, flow: Flow) -> None:
        """
        Forget a connection.
        """
        for method in _METHODS:
            held = self._ends.pop((flow.number, method), None)
            if held is not None:
                held[1].cancel()

    def stop(self) -> None:
        """
        Forget all of them.
        """
        for _, end in self._ends.values():
            end.cancel()
        self._ends.clear()

    def _hold(self, flow: Flow, method: str, lifetime: int) -> None:
        if not flow.number:
            return  # a datagram needs no connection
        held = self._ends.get((flow.number, method))
        if held is not None and lifetime:
            held[1].reset(lifetime)
        elif held is not None:
            held[1].cancel()
            self._release(flow, method)
        elif lifetime and flow.is_open:
            flow.hold()
            end = self._clock.callLater(lifetime, self._release, flow, method)
            self._ends[flow.number, method] = flow, end

    def _release(self, flow: Flow, method: str) -> None:
        del self._ends[flow.number, method]
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
