"""
Stateless forwarding (:rfc:`3261#section-16.11`): all that is known stands in messages.

A response finds its way by our Via: the branch shows that it answers a request of
ours, and a token beside it names the flow that the request came by.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail, succeed

from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.proxy.branch import Branches, Kind
from sipsorcery.proxy.errors import Refused, bear_loss
from sipsorcery.proxy.outgoing import Outgoing
from sipsorcery.proxy.review import Passed, Review, not_noted, pass_unseen
from sipsorcery.proxy.routing import Routed
from sipsorcery.proxy.token import (
    INSIDE,
    ConnectionFlow,
    DatagramFlow,
    TokenFlow,
    Tokens,
    Use,
)
from sipsorcery.proxy.transparency import Transparency, restore
from sipsorcery.proxy.ways import Hop, Ways
from sipsorcery.sip.fields import CSEQ, MAX_FORWARDS, RECORD_ROUTE, VIA
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI
from sipsorcery.sip.via import Via
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.layer import TransportLayer
from sipsorcery.transport.target import Target

# The parameters of our Via: the token, and in transparent mode the Vias below.
_FLOW = "flow"
_VIAS = "vias"


class Forwarder:
    """
    Sends requests on, and their responses back.

    :ivar review: lets the script look at a response before it goes back, and then calls
        what is to be done with it.
    :ivar passed: takes note of those that go back on a flow.
    """

    review: Review = staticmethod(pass_unseen)
    passed: Passed = staticmethod(not_noted)

    def __init__(
        self,
        transport: TransportLayer,
        ways: Ways,
        tokens: Tokens,
        branches: Branches,
        outgoing: Outgoing,
        transparency: Transparency,
    ) -> None:
        self._transport = transport
        self._ways = ways
        self._tokens = tokens
        self._branches = branches
        self._outgoing = outgoing
        self._transparency = transparency

    def forward(
        self,
        routed: Routed,
        flow: Flow,
        hop: Hop,
        *,
        transparent: bool = False,
        kind: Kind = Kind.FORWARDED,
    ) -> Deferred[Flow]:
        """
        Send a request to one hop.

        :param flow: the one that it came by.
        :param transparent: whether the next hop sees no Via but ours.
        :param kind: of the branch; that of an INVITE which was relayed, for what
            follows it.
        :return: fires with the flow that it left on; fails with `TransportError`.
        :raises Refused: with 483, if it may not take another hop.
        """
        if routed.hops == 0:
            raise Refused(483, "Max-Forwards is 0")
        request = self._outgoing.prepare(routed, hop.departure, hop.uri, hop.routes)
        target = f"{hop.departure.target} {request.request_uri}"
        branch = self._branches.make(kind, routed.loop, target, routed.request)
        came_by = self._tokens.write(Use.VIA, self._ways.name(flow))
        via = self._transport.via_for(hop.way)
        text = f"{via};branch={branch};{_FLOW}={came_by}"
        if transparent:
            hidden = self._transparency.hide(request.all("Via"), branch)
            text += f";{_VIAS}={hidden}"
            request = request.copy()
            request.remove(VIA)
        if isinstance(hop.way, Target):
            return self._send(request, text, routed.hops - 1, hop.way)
        try:
            hop.way.send(request.forwarded(text, routed.hops - 1))
        except TransportError as error:
            return fail(error)
        return succeed(hop.way)

    def _send(
        self, request: Request, via: str, hops: int, target: Target
    ) -> Deferred[Flow]:
        copy = request.copy()
        copy.set(MAX_FORWARDS, hops)
        copy.prepend("Via", via)
        return self._transport.send_request(copy, target)

    def pass_back(self, response: Response, flow: Flow) -> bool:
        """
        Send a response on to where its request came from.

        :param flow: the one that it came by.
        :return: whether it answers a request that was forwarded.
        :raises ParseError: if it cannot be read.
        """
        via = response[VIA]
        came_by = self._read(via)
        if came_by is None:
            return self._pass_back_relayed(response, flow, via)
        response.pop_first(VIA)
        self._show(response, via)
        below = response.get(VIA)
        if below is None or not any(
            self._branches.made(kind, via.branch, response, below) for kind in Kind
        ):
            return False
        # name() gives no others
        assert isinstance(came_by, DatagramFlow | ConnectionFlow)
        self.review(
            response, flow, via.branch, lambda: self._go_back(response, flow, came_by)
        )
        return True

    def _pass_back_relayed(self, response: Response, flow: Flow, via: Via) -> bool:
        """
        Send on what answers an INVITE that a process before us has relayed.

        A 2xx is repeated until its ACK comes, and two people wait for that. What a role
        of ours says is for somebody who has no other answer, and what fails is for a
        role that has cancelled it. All else that has answered that process means
        nothing any more (:rfc:`6026#section-7.3`).
        """
        if response.status == 100 or response[CSEQ].method != "INVITE":
            return False
        is_of_role = self._ways.arrival(flow).is_trusted
        response.pop_first(VIA)
        below = response.get(VIA)
        if below is None or not self._branches.made(
            Kind.RELAYED, via.branch, response, below
        ):
            return False
        if response.is_success or is_of_role:
            back = self._upstream(response, below)
        elif response.is_provisional:
            back = None
        else:
            back = self._role(below)
        if back is None:
            return False
        self.review(
            response, flow, via.branch, lambda: self._send_back(response, flow, back)
        )
        return True

    def _upstream(self, response: Response, below: Via) -> Flow | None:
        """
        Find the flow that a request came by.

        The second of our two Record-Routes has a token for it.
        """
        routes = response.all(RECORD_ROUTE)
        if len(routes) < 2 or not isinstance(routes[1].uri, SIPURI):
            return None
        try:
            came_by = self._tokens.read(routes[1].uri.user or "").flow
            if came_by == INSIDE:
                return self._role(below)
        except Refused:
            return None
        if isinstance(came_by, DatagramFlow | ConnectionFlow):
            return self._ways.find(came_by)
        return None

    def _role(self, via: Via) -> Flow | None:
        """
        Find the flow to the role that a Via is of; None if it is of none.
        """
        try:
            role = Endpoint(Transport.UDP, via.address, via.port or 5060)
            return self._ways.to_role(role)
        except (Refused, TransportError, ValueError):
            return None

    def _show(self, response: Response, via: Via) -> None:
        hidden = via.parameters.get(_VIAS)
        if hidden is not None:
            shown = self._transparency.show(hidden, via.branch or "")
            restore(response, shown or ())

    def _go_back(
        self, response: Response, flow: Flow, came_by: DatagramFlow | ConnectionFlow
    ) -> None:
        if isinstance(came_by, DatagramFlow):
            call_id = response.get("Call-ID") or ""
            role = self._ways.instead_of(came_by.remote, call_id)
            if role is not None and self._hand_over(response, flow, role):
                return
        self._send_back(response, flow, self._ways.find(came_by))

    def _hand_over(self, response: Response, flow: Flow, role: Endpoint) -> bool:
        """
        Let another role have what one that is gone has waited for, as it is.

        A 2xx is repeated until its ACK comes, and whoever takes the call over sends it;
        he finds in the Via whose it was.

        :return: whether there is a way to it.
        """
        arrival = self._ways.arrival(flow)
        self._outgoing.answer(response, arrival, inside=True)
        try:
            # Not where the Via leads: that is the one that is gone.
            self._ways.to_role(role).send(response.to_bytes())
        except (Refused, TransportError):
            return False
        return True

    def _send_back(self, response: Response, flow: Flow, back: Flow | None) -> None:
        arrival = self._ways.arrival(flow)
        inside = back is not None and self._ways.arrival(back).is_inside
        self._outgoing.answer(response, arrival, inside=inside)
        if back is None:
            # "if the connection is no longer open" (18.2.2)
            sent = self._transport.send_response_anew(response)
        else:
            self.passed(response, arrival, back)
            sent = self._transport.send_response(response, back)
        sent.addErrback(bear_loss)

    def _read(self, via: Via) -> TokenFlow | None:
        text = via.parameters.get(_FLOW)
        if text is None:
            return None
        try:
            token = self._tokens.read(text)
        except Refused:
            return None
        return token.flow if token.use is Use.VIA else None
