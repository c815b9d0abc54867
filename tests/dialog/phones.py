"""
Two phones that talk in one dialog, over a link that loses and reorders messages.

A phone does what a user agent has to do with the machines of :mod:`sipsorcery.dialog`,
and brings transactions that know no time: they repeat a request when told to.
"""

from __future__ import annotations

from sipsorcery.dialog.acceptance import Acceptance
from sipsorcery.dialog.acknowledgement import Acknowledgement
from sipsorcery.dialog.bodies import described
from sipsorcery.dialog.dialog import Dialog
from sipsorcery.dialog.effects import Released, Send, Unacknowledged
from sipsorcery.dialog.exchange import Broken, OutOfStep
from sipsorcery.dialog.fate import Fate
from sipsorcery.dialog.glare import Overlap
from sipsorcery.dialog.offer_answer import OfferAnswer
from sipsorcery.dialog.refusal import FieldValue, Refusal
from sipsorcery.dialog.reliable_client import ReliableReceiver
from sipsorcery.dialog.reliable_server import ReliableResponses
from sipsorcery.sdp import PCMA, PCMU, Connection, Media, Origin, SessionDescription
from sipsorcery.sdp import Direction as Way
from sipsorcery.sip.cseq import CSeq
from sipsorcery.sip.fields import CSEQ, RACK, RSEQ
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from tests.dialog.messages import alices_dialog, bobs_dialog, request

#: What one can want of the session: each is another description.
WISHES = tuple(
    (port, way)
    for port in (4000, 5000)
    for way in (Way.SENDRECV, Way.SENDONLY, Way.INACTIVE)
)


class Link:
    """
    Messages on their way: to whom, and what.
    """

    def __init__(self) -> None:
        self.under_way: list[tuple[Phone, bytes]] = []
        self.now = 0.0
        self.is_over = False

    def deliver(self, place: int) -> None:
        """
        Let one of the messages arrive, whichever comes first.
        """
        phone, data = self.under_way.pop(place % len(self.under_way))
        message = parse(data)
        if isinstance(message, Request):
            phone.request_received(message)
        else:
            phone.response_received(message)


class Phone:
    """
    One end of the call.

    :ivar numbers: of the requests of the peer that the dialog has let pass.
    :ivar is_out_of_step: whether another offer is needed.
    """

    other: Phone

    def __init__(self, link: Link, dialog: Dialog, address: str) -> None:
        self.link = link
        self.dialog = dialog
        self.address = address
        self.session = OfferAnswer(Origin("-", "1", 1, address))
        self.overlap = Overlap()
        self.wish = WISHES[0]
        self.numbers: list[int] = []
        self.is_out_of_step = False
        self.offers_in_prack = False
        self.asked: dict[CSeq, Request] = {}  # our requests without a final response
        self.answers: dict[CSeq, list[Response]] = {}  # to the requests of the peer
        self.invite: Request | None = None  # of the peer, without a final response
        self.reliable: ReliableResponses | None = None
        self.acceptance: Acceptance | None = None
        self.acknowledgement: Acknowledgement | None = None
        self.receiver = ReliableReceiver()
        self.has_finished = False

    # What the user wants

    def description(self) -> SessionDescription:
        """
        Describe the session as the user wants it.
        """
        port, way = self.wish
        media = Media("audio", port).with_codecs([PCMA, PCMU]).with_direction(way)
        origin = Origin("-", "1", 1, self.address)
        return SessionDescription.create(origin, Connection(self.address), [media])

    def may_change(self, method: str) -> bool:
        """
        Tell whether a request with an offer may be sent.
        """
        return self.overlap.may_send(method) and self.session.may_offer

    def change(self, method: str, *, with_offer: bool = True) -> None:
        """
        Send an INVITE or UPDATE.
        """
        offer = self.session.offer(self.description()) if with_offer else None
        self.ask(method, offer)

    def ask(
        self, method: str, body: SessionDescription | None = None, *more: FieldValue
    ) -> None:
        """
        Begin a request.
        """
        fields, content = described(body)
        made = self.dialog.request(method, [*more, *fields], content)
        self.overlap.sent(made)
        self.session.sent(made)
        self.asked[made[CSEQ]] = made
        self.send(made)

    def ring(self, *, reliably: bool, with_body: bool) -> None:
        """
        Send a 183 to the INVITE of the peer.
        """
        assert self.invite is not None
        body = None
        if with_body and self.session.must_answer:
            body = self.session.answer(self.description())
        elif with_body and reliably and self.session.may_offer:
            body = self.offer_to_invite()
        fields, content = described(body)
        response = self.dialog.respond(self.invite, 183, None, fields, content)
        if not reliably:
            self.session.sent(response)
            self.answer(response)
        elif self.reliable is None:
            self.reliable = ReliableResponses(first_rseq=1)
            self.reliable.send(response, self.link.now)
            self.act_on_reliable()

    def offer_to_invite(self) -> SessionDescription | None:
        """
        Make the offer that an INVITE without one wants.
        """
        has_own_offer = self.invite is not None and self.invite.body
        return None if has_own_offer else self.session.offer(self.description())

    def accept(self, status: int = 200) -> None:
        """
        Send the final response to the INVITE of the peer.
        """
        assert self.invite is not None
        body = None
        if status == 200 and self.session.must_answer:
            body = self.session.answer(self.description())
        elif status == 200 and not self.has_described():
            body = self.offer_to_invite()
        fields, content = described(body)
        response = self.dialog.respond(self.invite, status, None, fields, content)
        if self.reliable is None:
            self.finish(response)
        else:
            self.has_finished = True
            self.reliable.finish(response, self.link.now)
            self.act_on_reliable()

    def is_finishing(self) -> bool:
        """
        Tell whether the final response to the INVITE of the peer is made, and waits.
        """
        return self.has_finished

    def has_described(self) -> bool:
        """
        Tell whether a response to the INVITE of the peer has had a description.
        """
        assert self.invite is not None
        given = self.answers.get(self.invite[CSEQ], [])
        return any(response.body and RSEQ in response for response in given)

    # Messages

    def request_received(self, received: Request) -> None:
        """
        Take a request of the peer.
        """
        cseq = received[CSEQ]
        if received.method == "ACK":
            self.ack_received(received)
            return
        if cseq in self.answers:  # a repetition
            for response in self.answers[cseq][-1:]:
                self.send(response)
            return
        self.answers[cseq] = []
        refusal = self.dialog.receive(received)
        if refusal is None:
            self.numbers.append(cseq.number)
            refusal = self.judge(received)
        self.look_at_effects()
        if refusal is not None:
            self.reply(refusal.response(received))
        elif received.method == "INVITE":
            self.invite, self.reliable = received, None
        else:
            body = None
            if received.body and self.session.must_answer:
                body = self.session.answer(self.description())
            fields, content = described(body)
            self.reply(self.dialog.respond(received, 200, None, fields, content))

    def judge(self, received: Request) -> Refusal | None:
        """
        Ask one machine after the other.
        """
        refusal = self.overlap.receive(received, 1)
        if refusal is None and received.method == "PRACK":
            refusal = Refusal(481)
            if self.reliable is not None:
                refusal = self.reliable.receive(received, self.link.now)
        if refusal is None:
            refusal = self.session.receive(received, 1)
        if received.method == "PRACK":
            self.act_on_reliable()
        return refusal

    def ack_received(self, ack: Request) -> None:
        """
        Take the ACK to a 2xx.
        """
        if self.acceptance is not None and self.acceptance.receive(ack):
            self.overlap.receive(ack, 0)
            self.session.receive(ack)
            self.look_at_effects()

    def response_received(self, response: Response) -> None:
        """
        Take a response of the peer.
        """
        cseq = response[CSEQ]
        asked = self.asked.get(cseq)
        if asked is None:
            if response.is_success and self.acknowledgement is not None:
                self.acknowledgement.receive(response)
                self.act_on_acknowledgement()
            return
        if response.is_provisional:
            self.provisional_received(asked, response)
            return
        del self.asked[cseq]
        self.session.receive(response)
        self.overlap.done(asked)
        if self.dialog.receive_response(asked, response) is not Fate.Nothing:
            self.link.is_over = True
        self.look_at_effects()
        if cseq.method == "INVITE" and response.is_success and not self.link.is_over:
            self.acknowledge(asked)

    def provisional_received(self, asked: Request, response: Response) -> None:
        """
        Take a provisional response to our INVITE.
        """
        receipt = self.receiver.receive(response)
        if receipt is None:
            return
        self.session.receive(response)
        self.look_at_effects()
        if receipt.rack is None:
            return
        body = None
        if self.session.must_answer:
            body = self.session.answer(self.description())
        elif self.offers_in_prack and self.session.may_offer:
            body = self.session.offer(self.description())
        self.ask("PRACK", body, (RACK, receipt.rack))

    def acknowledge(self, invite: Request) -> None:
        """
        Send the ACK for a 2xx to our INVITE.
        """
        body = None
        if self.session.must_answer:
            body = self.session.answer(self.description())
        ack = self.dialog.acknowledge(invite, *described(body))
        self.session.sent(ack)
        self.acknowledgement = Acknowledgement(ack, self.link.now)
        self.act_on_acknowledgement()

    def reply(self, response: Response) -> None:
        """
        Send a response that is not repeated by itself.
        """
        self.overlap.sent(response)
        self.session.sent(response)
        self.answer(response)

    def finish(self, response: Response) -> None:
        """
        Send the final response to the INVITE of the peer.
        """
        self.invite = self.reliable = None
        self.has_finished = False
        self.overlap.sent(response)
        self.session.sent(response)
        if response.is_success:
            self.acceptance = Acceptance(response, self.link.now)
            self.acceptance.take_effects()
        self.answer(response)

    def answer(self, response: Response) -> None:
        """
        Send a response, to be sent again when the request is.
        """
        self.answers[response[CSEQ]].append(response)
        self.send(response)

    def send(self, message: Request | Response) -> None:
        """
        Put a message on its way.
        """
        self.link.under_way.append((self.other, message.to_bytes()))

    # Time and effects

    def repeat(self) -> None:
        """
        Send every request again that has no final response.
        """
        for made in self.asked.values():
            self.send(made)

    def next_timer(self) -> float | None:
        """
        Give the time at which something of this phone is due.
        """
        machines = (self.acceptance, self.reliable)
        timers = [each.next_timer() for each in machines if each is not None]
        return min((each for each in timers if each is not None), default=None)

    def tick(self) -> None:
        """
        Act on what is due now.
        """
        if self.acceptance is not None:
            self.acceptance.handle_timer(self.link.now)
            for effect in self.acceptance.take_effects():
                if isinstance(effect, Send):
                    self.send(effect.message)
                elif isinstance(effect, Unacknowledged):
                    self.link.is_over = True  # hung up
        if self.reliable is not None:
            self.reliable.handle_timer(self.link.now)
            self.act_on_reliable()

    def act_on_reliable(self) -> None:
        """
        Do what the reliable responses want.
        """
        effects = [] if self.reliable is None else self.reliable.take_effects()
        for effect in effects:
            if isinstance(effect, Send) and isinstance(effect.message, Response):
                if effect.message in self.answers[effect.message[CSEQ]]:
                    self.send(effect.message)
                else:
                    self.session.sent(effect.message)
                    self.answer(effect.message)
            elif isinstance(effect, Released):
                self.finish(effect.response)
            elif isinstance(effect, Unacknowledged) and self.invite is not None:
                self.finish(self.dialog.respond(self.invite, 504))

    def act_on_acknowledgement(self) -> None:
        """
        Send the ACK, again.
        """
        assert self.acknowledgement is not None
        for effect in self.acknowledgement.take_effects():
            if isinstance(effect, Send):
                self.send(effect.message)

    def look_at_effects(self) -> None:
        """
        See what has come of the session.
        """
        for effect in self.session.take_effects():
            if isinstance(effect, Broken):
                raise AssertionError(effect.text)  # both keep the rules
            if isinstance(effect, OutOfStep):
                self.is_out_of_step = True


def established() -> tuple[Phone, Phone]:
    """
    Make two phones that are in a call.
    """
    link = Link()
    bobs = bobs_dialog()
    bobs.respond(request(), 200)
    alice, bob = (
        Phone(link, alices_dialog(), "192.0.2.1"),
        Phone(link, bobs, "192.0.2.4"),
    )
    alice.other, bob.other = bob, alice
    alice.change("INVITE")
    link.deliver(0)
    bob.accept()
    link.deliver(0)
    link.deliver(0)
    return alice, bob
