"""
Tests that nothing is left of calls, whatever has become of them.
"""

from __future__ import annotations

import contextlib
import json
from random import Random
from typing import Any

import sqlalchemy as sa

from sipsorcery.sip.address import Address
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CONTACT, CONTENT_TYPE, CSEQ, RECORD_ROUTE, RETRY_AFTER
from sipsorcery.sip.parameterised import MediaType, Seconds
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.store.claims import CLAIMS
from sipsorcery.store.dialogues import ALIASES, DIALOGUES
from sipsorcery.store.directory import Language
from sipsorcery.store.directory.schema import cdrs
from sipsorcery.store.outside_calls import OUTSIDE_CALLS
from sipsorcery.store.ringing import RINGING
from tests import LONG
from tests.appserver.test_service import HOST, SDP, ServiceCase

_CALLS = 1000 if LONG else 150
_LOST = 0.05
# What callees say at first, and what they say in the end; 0: nothing any more.
_FIRST = (100, 180, 180, 183, 199, 0)
_LAST = (200, 200, 200, 302, 407, 408, 486, 487, 491, 503, 603, 0)
RULES = [
    {
        "direction": "in",
        "action": {
            "do": "dial",
            "to": "bob@192.0.2.1&ann@192.0.2.2[dt=2]|joe@192.0.2.3[cd=20]",
            "ring": 30,
        },
    }
]
# What spoils a message.
_ODD = (
    *("Route: <sip:127.0.0.1:5059;lr>", "Record-Route: <sip:127.0.0.1:9;lr>"),
    *("Contact: *", "Contact: <tel:+1>", "Contact:", "Require: foo", "Require: 100rel"),
    *("RSeq: 1", "RAck: 1 1 INVITE", "Session-Expires: 90", "Session-Expires: x"),
    *("Max-Forwards: 0", "Expires: 0", "Content-Type: x", "Replaces: x;to-tag=a"),
    *("Content-Type: multipart/mixed;boundary=x", "To: <sip:x>;tag=1", "From: x"),
    *("Call-ID: other", "CSeq: 1 INVITE", "Via: x", "Retry-After: x", "Reason: x"),
)
_BODIES = (b"", SDP, b"x" * 70, b"\xff\x00", SDP + b"m=audio 0 RTP/AVP 0\r\n")
# In use all the time: the server greets its proxy.
_GREETING = {"non_invite_client_transactions", "transaction_timers"}
_OCTETS = b'\x00 ;<>"\\:@,=\xff9a'
# Longer than a leg rings, and whatever follows then.
_LONG = 400.0


class CrowdCase(ServiceCase):
    """
    Callers, and callees who do as they like: a thousand with ``SIPSORCERY_LONG`` set.
    """

    config = """
limits.allow = ["0.0.0.0/0"]
limits.ringing_at_once = 0
limits.outside_calls = ""
limits.outside_calls_at_once = 100000
"""

    def setUp(self) -> None:
        super().setUp()
        self.random = Random(3261)
        self.plan(json.dumps(RULES), Language.WIZARD)
        self.network.drop = lambda data, source, to: self.random.random() < _LOST
        self.legs: list[Request] = []  # INVITEs of ours that have no final response
        self.calls: list[Request] = []  # INVITEs of callers that have none
        self.callers: list[Response] = []  # the 2xx that callers have got
        self.answered = self.failed = 0

    def happens(self, share: float) -> bool:
        """
        Let chance decide.
        """
        return self.random.random() < share

    def within(self, response: Response, method: str, number: int = 1) -> Request:
        """
        Make a request of a caller who has been answered.
        """
        self.number += 1
        contact = response[CONTACT]
        assert isinstance(contact, Address)  # a 2xx has one
        uri = contact.uri
        return Request(
            method,
            uri,
            [
                ("Via", f"SIP/2.0/UDP {HOST}:5059;branch=z9hG4bK{self.number}"),
                ("Max-Forwards", "70"),
                ("From", response.get("From")),
                ("To", response.get("To")),
                ("Call-ID", response.get("Call-ID")),
                ("CSeq", f"{number} {method}"),
                ("Contact", "<sip:eve@192.0.2.9>"),
            ],
        )

    def acknowledge(self, response: Response) -> Request:
        """
        Make the ACK to a failure.
        """
        names = ("Via", "From", "To", "Call-ID")
        fields = [(name, response.get(name)) for name in names]
        number = response[CSEQ].number
        uri = "sip:100@example.com"
        return Request("ACK", uri, [*fields, ("CSeq", f"{number} ACK")])

    # What each does next

    def call(self) -> None:
        """
        Let somebody call.
        """
        fields = [("Supported", "100rel")] if self.happens(0.3) else []
        self.calls.append(self.invite(fields=fields))

    def give_up(self) -> None:
        """
        Let a caller cancel.
        """
        invite = self.calls.pop(self.random.randrange(len(self.calls)))
        names = ("Via", "Max-Forwards", "From", "To", "Call-ID")
        fields = [(name, invite.get(name)) for name in names]
        self.proxy.send(Request("CANCEL", invite.uri, [*fields, ("CSeq", "1 CANCEL")]))

    def go_on(self) -> None:
        """
        Let a caller who talks hold, or hang up.
        """
        talking = self.random.choice(self.callers)
        if self.happens(0.7):
            self.callers.remove(talking)
            self.proxy.send(self.within(talking, "BYE", 4))
        else:
            held = self.within(talking, self.random.choice(("INVITE", "UPDATE")), 2)
            held.add(CONTENT_TYPE, MediaType("application", "sdp"))
            held.body = SDP + b"a=sendonly\r\n"
            self.proxy.send(held)

    def ring(self) -> None:
        """
        Let a callee say something.
        """
        invite = self.random.choice(self.legs)
        is_last = self.happens(0.5)
        status = self.random.choice(_LAST if is_last else _FIRST)
        if is_last:
            self.legs.remove(invite)
        if status:
            self.respond(invite, status)

    def respond(self, request: Request, status: int) -> None:
        """
        Answer a request of the server.
        """
        fields: list[tuple[object, object]] = [("Contact", "<sip:b@192.0.2.1>")]
        has_body = request.method == "INVITE" and status in (183, 200)
        if has_body:
            fields.append((CONTENT_TYPE, MediaType("application", "sdp")))
        if status in (491, 503):
            fields.append((RETRY_AFTER, Seconds(1)))
        answer = request.respond(
            status,
            fields=fields,  # type: ignore[arg-type]  # of any kind
            body=SDP if has_body else b"",
            to_tag=f"t{self.random.randrange(2)}",  # now and then another phone's
        )
        for route in request.all(RECORD_ROUTE):
            answer.add(RECORD_ROUTE, route)
        self.proxy.send(answer)

    def read(self) -> None:
        """
        Let everybody react to what has come.
        """
        requests, self.proxy.requests = self.proxy.requests, []
        responses, self.proxy.responses = self.proxy.responses, []
        for request in requests:
            if request.method == "INVITE" and request.to_tag() is None:
                self.legs.append(request)
            elif request.method != "ACK":
                self.respond(request, self.random.choice((200, 200, 200, 481, 405)))
        for response in responses:
            with contextlib.suppress(ParseError):  # it has what our request had
                if response[CSEQ].method == "INVITE" and response.status >= 200:
                    self.hear(response)

    def hear(self, response: Response) -> None:
        """
        Let a caller hear how it ends.
        """
        id = response.get("Call-ID")
        if response.is_success:
            self.answered += 1
            if self.happens(0.9):
                self.proxy.send(self.within(response, "ACK", response[CSEQ].number))
            if any(one.get("Call-ID") == id for one in self.calls):
                self.callers.append(response)
        else:
            self.failed += 1
            if self.happens(0.9):
                self.proxy.send(self.acknowledge(response))
        self.calls = [one for one in self.calls if one.get("Call-ID") != id]

    def run_crowd(self) -> None:
        """
        Let them all call, answer and hang up, and wait until everything is over.
        """
        begun = 0
        while begun < _CALLS:
            if self.happens(0.4):
                self.call()
                begun += 1
            if self.calls and self.happens(0.1):
                self.give_up()
            if self.callers and self.happens(0.15):
                self.go_on()
            for _ in range(min(3, len(self.legs))):
                if self.legs:
                    self.ring()
            self.read()
            self.network.advance(self.random.choice((0.0, 0.1, 0.7)))
            self.reactor.advance(0)
        self.assertGreater(self.answered, _CALLS // 10)
        self.assertGreater(self.failed, _CALLS // 10)
        self.calm()
        for _ in range(2):
            for connection in self.service.connections:
                connection.hang_up("the test is over")
            for _ in range(400):
                self.read()
                self.settle(_LONG / 400)

    def calm(self) -> None:
        """
        Let nothing go wrong any more.
        """
        self.network.drop = None

    def assert_empty(self) -> None:
        """
        Check every table.
        """
        left = {name for name, entries in self.service.tables().items() if entries}
        self.assertEqual(left - _GREETING, set())
        for kind in (DIALOGUES, ALIASES, RINGING, CLAIMS, OUTSIDE_CALLS):
            self.assertEqual(self.do(self.count(kind.name)), 0, kind.name)
        self.assertEqual(self.open_records(), 0)

    async def count(self, kind: str) -> int:
        """
        Count what the live state has of a kind.
        """
        return len([record async for record in self.live.scan(kind)])

    def open_records(self) -> int:
        """
        Count the call detail records without an end.
        """
        query = sa.select(sa.func.count()).where(cdrs.c.ended_at.is_(None))
        database = self.directory._database
        return int(self.do(database.read(lambda using: using.scalar(query))) or 0)


class CrowdTests(CrowdCase):
    """
    People who do what phones do, over a network that loses something.
    """

    def test_nothing_is_left(self) -> None:
        """
        When all is over nothing is left in any table, and no record is open.
        """
        self.run_crowd()
        self.assert_empty()


class Meddler:
    """
    Stands before the transport of the proxy, and spoils half of what leaves.
    """

    def __init__(self, transport: Any, random: Random) -> None:
        self.transport = transport
        self._random = random

    def write(self, packet: bytes, addr: tuple[str, int] | None = None) -> None:
        """
        Send a datagram, or something like it.
        """
        if self._random.random() < 0.5:
            packet = self._spoil(packet)
        self.transport.write(packet, addr)

    def _spoil(self, packet: bytes) -> bytes:
        chance = self._random
        head, _, body = packet.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        for _ in range(chance.choice((1, 1, 2, 3))):
            match chance.randrange(5):
                case 0 if len(lines) > 2:
                    del lines[chance.randrange(1, len(lines))]
                case 1 | 2:
                    place = chance.randrange(1, len(lines) + 1)
                    lines.insert(place, chance.choice(_ODD).encode())
                case 3:
                    body = chance.choice(_BODIES)
                case _:
                    line = bytearray(chance.choice(lines) or b"x")
                    line[chance.randrange(len(line))] = chance.choice(_OCTETS)
                    lines[chance.randrange(len(lines))] = bytes(line)
        if chance.random() < 0.7:
            lines = [each for each in lines if not each.startswith(b"Content-Length")]
            lines.append(b"Content-Length: %d" % len(body))
        return b"\r\n".join(lines) + b"\r\n\r\n" + body


class HostileTests(CrowdCase):
    """
    People whose phones write what they like.
    """

    if not LONG:
        skip = "chance decides: it is for the long run"

    def setUp(self) -> None:
        super().setUp()
        self.calm()
        meddler: Any = Meddler(self.proxy.transport, self.random)
        self.proxy.transport = meddler

    def calm(self) -> None:
        """
        Let everybody write as they should.
        """
        super().calm()
        meddler: Any = self.proxy.transport
        if isinstance(meddler, Meddler):
            self.proxy.transport = meddler.transport

    def test_nothing_is_left(self) -> None:
        """
        Neither is anything left of what they have begun.
        """
        self.run_crowd()
        self.flushLoggedErrors()
        self.assert_empty()
