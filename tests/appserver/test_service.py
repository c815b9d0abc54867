"""
Tests for :mod:`sipsorcery.appserver.service`, with a test in the place of the proxy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import DatagramProtocol

from sipsorcery.access.accounts import Accounts
from sipsorcery.access.authentication import Authenticator
from sipsorcery.access.contacts import Contacts
from sipsorcery.appserver.errors import EngineOverloaded
from sipsorcery.appserver.plans.engine import HostCall
from sipsorcery.appserver.python.turns import Waiting
from sipsorcery.appserver.python.workers import Workers
from sipsorcery.appserver.records.claiming import key_of
from sipsorcery.appserver.service import AppServerService
from sipsorcery.config import parse
from sipsorcery.monitor.bus import Bus
from sipsorcery.monitor.event import Event, EventKind
from sipsorcery.monitor.origin import origin_of
from sipsorcery.sip.fields import CONTENT_TYPE, REASON, RETRY_AFTER, VIA, WARNING
from sipsorcery.sip.parameterised import MediaType
from sipsorcery.sip.parser import parse as parse_message
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.store.claims import CLAIMS, Claim, claim_key
from sipsorcery.store.directory import Language
from sipsorcery.store.live import LocalStore
from sipsorcery.store.secrets import Secrets
from sipsorcery.testing.network import MemoryNetwork
from sipsorcery.testing.threads import SteppedThreads
from tests.store.directory.cases import NOW, DirectoryCase
from tests.transport.location.zones import Zones

HOST = "127.0.0.1"
CONFIG = """
server.data_dir = '{folder}'
proxy.inside = "udp:127.0.0.1:5059"
appserver.listen = "udp:127.0.0.1:5065"
"""
_SDP = MediaType("application", "sdp")
SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"


class Proxy(DatagramProtocol):
    """
    Stands where the proxy is, and keeps what comes there.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.responses: list[Response] = []

    def datagramReceived(self, datagram: bytes, addr: object) -> None:
        """
        Keep a message; a greeting is answered.
        """
        message = parse_message(datagram)
        if isinstance(message, Response):
            self.responses.append(message)
        elif message.method == "OPTIONS":
            self.send(message.respond(200, to_tag="t"))
        else:
            self.requests.append(message)

    def send(self, message: Request | Response, host: str = HOST) -> None:
        """
        Send a message to the application server, or one on another machine.
        """
        pipe: Any = self.transport
        pipe.write(message.to_bytes(), (host, 5065))


class NoWorkers:
    """
    Stands for the processes of dialplans in Python, of which there are none here.

    :ivar works: whether they would have time.
    """

    size = 0
    works = True

    async def run(self, owner: str, turn: object) -> Waiting:
        """
        Let a dialplan, whatever it is, come as far as its answer.
        """
        if not self.works:
            raise EngineOverloaded("all are busy")
        return Waiting(HostCall("respond", {}), b"", "nothing")

    def start(self) -> None:
        """
        Start nothing.
        """

    def stop(self) -> None:
        """
        Stop nothing.
        """

    def confinement(self) -> Deferred[tuple[str, ...]]:
        """
        Say that nothing keeps what is not there.
        """
        return succeed(())


class ServiceCase(DirectoryCase):
    """
    The whole service, and a proxy that does what the test says.

    :cvar config: more of its configuration.
    """

    config = ""

    def setUp(self) -> None:
        super().setUp()
        self.network = MemoryNetwork()
        self.machine = self.network.machine(HOST)
        self.proxy = Proxy()
        self.machine.listenUDP(5059, self.proxy, HOST)
        config = parse((CONFIG.format(folder=self.folder) + self.config).encode())
        secrets = Secrets(self.folder)
        secrets.load()
        self.live = live = LocalStore(
            self.machine,
            self.folder,
            threads=SteppedThreads(waits=False),
            clock=lambda: NOW,
        )
        live.start()
        accounts = Accounts(self.directory, config, self.machine, own=list)
        self.events: list[Event] = []
        self.workers = NoWorkers()
        self.service = AppServerService(
            self.machine,
            config,
            accounts=accounts,
            authenticator=Authenticator(
                self.machine, config, accounts=accounts, secrets=secrets
            ),
            contacts=Contacts(accounts, live),
            directory=self.directory,
            live=live,
            secrets=secrets,
            bus=self,
            clock=lambda: NOW,
            resolver=Zones(),
            workers=cast(Workers, self.workers),
        )
        self.service.startService()
        self.settle()
        self.addCleanup(self.stop)
        self.number = 0

    def stop(self) -> None:
        """
        Stop the service.
        """
        stopped = self.service.stopService()
        for _ in range(10):
            self.settle(1)
        self.successResultOf(stopped)

    def settle(self, seconds: float = 0.02) -> None:
        """
        Let everything come that is on its way, and the directory answer.
        """
        for _ in range(6):
            self.network.advance(seconds / 6)
            self.reactor.advance(0)

    # As a bus

    dropped = 0

    @property
    def here(self) -> Bus:
        """
        Be all there is.
        """
        return self

    def wants(self, kind: EventKind) -> bool:
        """
        Want all events.
        """
        return True

    def emit(self, event: Event) -> None:
        """
        Keep an event.
        """
        self.events.append(event)

    def subscribe(self, *_: Any, **__: Any) -> Any:
        """
        Let nobody else hear.
        """
        raise NotImplementedError

    # Calling

    def invite(
        self,
        uri: str = "sip:100@example.com",
        *,
        method: str = "INVITE",
        received: str | None = "udp:192.0.2.9:5060",
        fields: Sequence[tuple[str, str]] = (),
        to_tag: str = "",
        body: bytes = SDP,
        type: MediaType = _SDP,
    ) -> Request:
        """
        Send a request, as from somebody behind the proxy.
        """
        self.number += 1
        where = [("Proxy-ReceivedFrom", received), ("Proxy-ReceivedOn", received)]
        request = Request(
            method,
            uri,
            [
                ("Via", f"SIP/2.0/UDP {HOST}:5059;branch=z9hG4bK{self.number}"),
                ("Max-Forwards", "70"),
                ("From", f"<sip:eve@elsewhere.test>;tag={self.number}"),
                ("To", f"<{uri}>;tag={to_tag}" if to_tag else f"<{uri}>"),
                ("Call-ID", f"call{self.number}"),
                ("CSeq", f"1 {method}"),
                ("Contact", "<sip:eve@192.0.2.9>"),
                *((name, value) for name, value in where if value is not None),
                (CONTENT_TYPE, type),
                *fields,
            ],
            body,
        )
        self.proxy.send(request)
        self.settle()
        return request

    def statuses(self) -> list[int]:
        """
        Give the statuses that have come since this was asked last.
        """
        found = [each.status for each in self.proxy.responses]
        self.last = self.proxy.responses[-1]
        self.proxy.responses.clear()
        return found

    def plan(self, text: str, language: Language = Language.LINES) -> None:
        """
        Let a dialplan decide about calls to 100.
        """
        self.do(self.joe.accounts.add("100", "example.com", "zanzibar"))
        self.do(self.joe.dialplans.put("in", text, language))
        self.do(self.joe.accounts.change("100", "example.com", in_dialplan="in"))
        self.settle(3)


class ServiceTests(ServiceCase):
    """
    What becomes of requests.
    """

    def test_refusal(self) -> None:
        """
        First comes 100, then the refusal with its code, which the monitor hears, too.
        """
        self.invite()
        self.assertEqual(self.statuses(), [100, 404])
        self.assertEqual(self.last[REASON].text, "no-account")
        self.assertIn("no-account", self.last[WARNING].text)
        (event,) = [each for each in self.events if each.detail.get("code")]
        self.assertEqual(event.kind, EventKind.CALL_REFUSED)
        self.assertEqual(event.detail["code"], "no-account")
        self.assertEqual(len(self.service.calls), 0)

    def test_leg(self) -> None:
        """
        The leg goes to the proxy, one hop later, from the caller to whom the plan says.
        """
        self.plan("exten => _X.,1,Dial(,,bob@192.0.2.1)")
        self.invite()
        (leg,) = self.proxy.requests
        self.assertEqual(leg.request_uri, "sip:bob@192.0.2.1")
        self.assertEqual(leg.get("Max-Forwards"), "69")
        self.assertIn("sip:eve@elsewhere.test", leg.get("From") or "")
        self.assertNotEqual(leg.get("Call-ID"), "call1")
        self.assertEqual(self.statuses(), [100])
        self.assertEqual(len(self.service.calls), 1)
        self.proxy.send(leg.respond(486, to_tag="b"))
        self.settle()
        self.assertEqual(self.statuses(), [486])
        self.assertEqual(self.last[REASON].text, "not-answered")

    def test_fields_of_failure(self) -> None:
        """
        The caller hears why the callee has failed, and is asked for no credentials of
        others; the code of SIP is ours, those of other protocols are the callee's.
        """
        self.plan("exten => _X.,1,Dial(,,bob@192.0.2.1)")
        self.invite()
        (leg,) = self.proxy.requests
        fields = [
            ("Retry-After", "18"),
            ("Warning", '370 b "Insufficient Bandwidth"'),
            ("Reason", "Q.850;cause=17"),
            ("Reason", 'SIP;cause=486;text="Busy"'),
            ("Error-Info", "<sip:busy@192.0.2.1>"),
            ("WWW-Authenticate", 'Digest realm="b", nonce="1"'),
            ("Proxy-Authenticate", 'Digest realm="b", nonce="1"'),
            ("Contact", "<sip:bob@192.0.2.7>"),
        ]
        self.proxy.send(leg.respond(486, fields=fields, to_tag="b"))
        self.settle()
        self.assertEqual(self.statuses(), [100, 486])
        last = self.last
        self.assertEqual(str(last[RETRY_AFTER]), "18")
        self.assertEqual([each.code for each in last.all(WARNING)], [399, 370])
        reasons = [each.protocol for each in last.all(REASON)]
        self.assertEqual(reasons, ["SIP", "Q.850"])
        self.assertEqual(last.get("Error-Info"), "<sip:busy@192.0.2.1>")
        for name in ("WWW-Authenticate", "Proxy-Authenticate", "Contact"):
            self.assertNotIn(name, last)

    def test_silence(self) -> None:
        """
        Where nobody answers the caller is told so, and not which addresses we have.
        """
        self.plan("exten => _X.,1,Dial(,,bob@192.0.2.1)")
        self.invite()
        self.settle(40)
        self.assertEqual(self.statuses()[-1], 408)
        self.assertEqual(self.last.reason, "Request Timeout")
        for address in (HOST, "192.0.2.1"):
            self.assertNotIn(address, self.last.get("Warning") or "")

    def test_redirection_that_nobody_follows(self) -> None:
        """
        What a dialplan does not follow itself is no redirection of the caller, who
        would be led past it.
        """
        self.plan("exten => _X.,1,Dial(,,bob@192.0.2.1)")
        self.invite()
        (leg,) = self.proxy.requests
        self.proxy.send(leg.respond(302, to_tag="b"))
        self.settle()
        self.assertEqual(self.statuses(), [100, 480])
        self.assertNotIn("Contact", self.last)

    def test_hangs_up_at_once(self) -> None:
        """
        Of a callee who answers and hangs up in one breath nothing is left.
        """
        self.plan("exten => _X.,1,Dial(,,bob@192.0.2.1)")
        self.invite()
        (leg,) = self.proxy.requests
        self.proxy.requests.clear()
        contact: list[tuple[Any, Any]] = [("Contact", "<sip:bob@192.0.2.1>")]
        contact.append((CONTENT_TYPE, _SDP))
        answer = leg.respond(200, fields=contact, body=SDP, to_tag="b")
        names = {"From": "To", "To": "From", "Call-ID": "Call-ID"}
        fields = [(name, answer.get(of)) for name, of in names.items()]
        via = f"SIP/2.0/UDP {HOST}:5059;branch=z9hG4bKbye"
        every = [("Via", via), ("Max-Forwards", "70"), *fields, ("CSeq", "1 BYE")]
        self.proxy.send(answer)
        self.proxy.send(Request("BYE", "sip:x@127.0.0.1:5065", every))
        self.settle(3)
        self.assertIn(self.statuses()[-1], (480, 487))
        self.assertEqual(len(self.service.calls), 0)
        self.assertEqual(len(self.service.connections), 0)
        self.assertEqual(self.service.agent.core.dialogs, {})

    def test_unreadable_offer(self) -> None:
        """
        An offer that nobody can read is the caller's fault, and no news for us.
        """
        self.plan("exten => _X.,1,Dial(,,bob@192.0.2.1)")
        for body in (b"x", SDP + b"m=audio\r\n"):
            self.invite(body=body)
            self.assertEqual(self.statuses()[-1], 400)
        parts = MediaType.parse("multipart/mixed;boundary=x")
        self.invite(body=b"--x\r\n", type=parts)
        self.assertEqual(self.statuses()[-1], 400)
        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertEqual(len(self.service.calls), 0)

    def test_cancel(self) -> None:
        """
        The caller gives up, and the phone hears CANCEL once it has rung.
        """
        self.plan("exten => _X.,1,Dial(,,bob@192.0.2.1)")
        request = self.invite()
        (leg,) = self.proxy.requests
        self.proxy.send(leg.respond(180, to_tag="b"))
        self.settle()
        cancel = request.copy()
        lines = [("Via", request.get("Via")), ("From", request.get("From"))]
        lines += [("To", request.get("To")), ("Call-ID", request.get("Call-ID"))]
        cancel = Request("CANCEL", request.uri, [*lines, ("CSeq", "1 CANCEL")])
        self.proxy.send(cancel)
        self.settle()
        self.assertEqual(self.statuses(), [100, 180, 200, 487])
        self.assertEqual(self.proxy.requests[-1].method, "CANCEL")
        self.proxy.send(self.proxy.requests[-1].respond(200, to_tag="b"))
        self.proxy.send(leg.respond(487, to_tag="b"))
        self.settle()
        self.assertEqual(len(self.service.calls), 0)

    def test_overload(self) -> None:
        """
        With too many calls the next one is told when to come back, and the monitor once
        that it is so.
        """
        self.service.calls.limit = 0
        for _ in range(2):
            self.invite()
            self.assertEqual(self.statuses(), [503])
            self.assertEqual(self.last[REASON].text, "overloaded")
            self.assertIn(RETRY_AFTER, self.last)
        kinds = [each.kind for each in self.events]
        self.assertEqual(kinds.count(EventKind.OVERLOAD), 1)

    def test_refused_for_now(self) -> None:
        """
        Of a call that is refused with 503 nothing keeps another server from taking it,
        which the proxy asks then.
        """
        self.workers.works = False
        self.plan("sys.respond(603)", Language.PYTHON)
        invite = self.invite()
        self.assertEqual(self.statuses(), [100, 503])
        self.assertEqual(self.last[REASON].text, "plan-overloaded")
        self.assertIsNone(self.claim(invite))

    def test_refused_for_good(self) -> None:
        """
        A 503 that a dialplan has responded is what another server would respond, which
        the proxy asks then; nothing rings a second time.
        """
        self.plan("exten => _X.,1,Respond(503,Not today)")
        invite = self.invite()
        self.assertEqual(self.statuses(), [100, 503])
        self.assertEqual(self.last.reason, "Not today")
        claim = self.claim(invite)
        assert claim is not None
        self.assertEqual((claim.status, claim.reason), (503, "Not today"))

    def claim(self, invite: Request) -> Claim | None:
        """
        Give the claim of a call.
        """
        record = self.successResultOf(self.live.get(CLAIMS.name, key_of(invite)))
        return None if record is None else CLAIMS.read(record)

    def test_another_has_it(self) -> None:
        """
        A server is silent about a call that another one has, and no record tells of it.
        """
        self.plan("exten => _X.,1,Respond(603)")
        claim = Claim("udp:127.0.0.1:5066", "another", "0123")
        key = claim_key("call1", "1", 1)
        self.live.put(CLAIMS.record(key, claim, expiry=NOW + 100))
        self.invite()
        self.assertEqual(self.statuses(), [100])
        self.assertEqual(len(self.service.calls), 0)
        kinds = {each.kind for each in self.events}
        self.assertNotIn(EventKind.CALL_STARTED, kinds)
        self.settle(3)
        self.assertEqual(self.do(self.directory.everyone.cdrs.recent()), [])

    def test_probe(self) -> None:
        """
        A probe of this side of the proxy is told how many calls there are; one from the
        other side is a call to nobody.
        """
        self.invite("sip:dispatcher@127.0.0.1", received=None)
        self.assertEqual(self.statuses(), [420])
        self.assertEqual(self.last.get("DialPlanEngine-ExecutionCount"), "0")
        self.invite("sip:dispatcher@example.com")
        self.assertEqual(self.statuses(), [100, 404])

    def test_options(self) -> None:
        """
        OPTIONS of this side of the proxy is told that, too, and a call counts once, be
        it answered or not; the other side hears only what we can do.
        """
        self.assertEqual(self.told_by_options(), "0")
        self.plan("exten => _X.,1,Dial(,,bob@192.0.2.1)")
        self.invite()
        (leg,) = self.proxy.requests
        self.assertEqual(self.told_by_options(), "1")
        contact: list[tuple[Any, Any]] = [("Contact", "<sip:bob@192.0.2.1>")]
        contact.append((CONTENT_TYPE, _SDP))
        self.proxy.send(leg.respond(200, fields=contact, body=SDP, to_tag="b"))
        self.settle()
        self.assertEqual(len(self.service.connections), 1)
        self.assertEqual(self.told_by_options(), "1")
        self.assertIsNone(self.told_by_options("udp:192.0.2.9:5060"))

    def told_by_options(self, received: str | None = None) -> str | None:
        """
        Give how many calls an answer to OPTIONS tells; None: it does not.
        """
        self.invite("sip:127.0.0.1:5065", method="OPTIONS", received=received)
        self.assertEqual(self.statuses()[-1], 200)
        return self.last.get("DialPlanEngine-ExecutionCount")

    def test_probe_of_one_that_is_unwell(self) -> None:
        """
        If no dialplan can run, or nobody can be asked for, a probe is told so.
        """
        self.workers.works = False
        self.invite("sip:dispatcher@127.0.0.1", received=None)
        self.assertEqual(self.statuses(), [503])
        self.assertEqual(self.last[REASON].text, "plan-overloaded")

    def test_other_methods(self) -> None:
        """
        What is neither call nor message is for nobody.
        """
        self.invite(method="PUBLISH")
        self.assertEqual(self.statuses(), [405])
        self.assert_refused("method")

    def assert_refused(self, code: str) -> None:
        """
        Check that the last response and the one event of a refusal have that code.
        """
        self.assertEqual(self.last[REASON].text, code)
        self.assertIn(code, self.last[WARNING].text)
        (event,) = [each for each in self.events if each.detail.get("code")]
        self.assertEqual(event.kind, EventKind.CALL_REFUSED)
        self.assertEqual(event.detail["code"], code)
        self.assertEqual(event.detail["status"], str(self.last.status))
        self.assertEqual(str(event.remote), "udp:192.0.2.9:5060")

    def test_refusals_before_a_call(self) -> None:
        """
        What is refused before anybody looks whose call it is says why, as all does.
        """
        for line, status, code in (
            (("Require", "x-telepathy"), 420, "extension"),
            (("Min-SE", "1, 2"), 400, "malformed"),
        ):
            self.events.clear()
            self.invite(fields=[line])
            self.assertEqual(self.statuses()[-1], status, line)
            self.assert_refused(code)

    def test_requests_of_no_dialog(self) -> None:
        """
        So does what belongs to a call that is not there.
        """
        self.invite(method="BYE", to_tag="gone")
        self.assertEqual(self.statuses(), [481])
        self.assert_refused("no-call")

    # Whose the traces are

    def claims(self) -> list[tuple[str, str, dict[str, str]]]:
        """
        Give the owners, the Call-IDs and the names of what has become known.
        """
        found = [
            (each.owner, each.call_id, dict(each.detail))
            for each in self.events
            if each.kind is EventKind.OWNER_KNOWN
        ]
        self.events.clear()
        return found

    def origin(self, request: Request) -> dict[str, str]:
        """
        Give what the proxy names the transaction of a request that it was sent.
        """
        return {"origin": origin_of(request[VIA].seen_from(HOST, 5065))}

    def test_owner_of_traces(self) -> None:
        """
        The call that comes in is claimed by the branch of the proxy, with what follows
        in its dialog; a request for nobody is not.
        """
        self.plan("exten => _X.,1,Dial(,,bob@192.0.2.1)")
        self.invite("sip:nobody@example.com")
        self.assertEqual(self.claims(), [])
        request = self.invite()
        branch = request[VIA].branch or ""
        self.assertIn(("joe", "call2", {"branch": branch}), self.claims())

    def within(self, method: str, message: Request | Response, branch: str) -> None:
        """
        Send a request in a dialog, to the address of the application server.

        :param message: who sent it, or was sent it, sends the request.
        """
        ends = [("From", str(message.get("From"))), ("To", str(message.get("To")))]
        if isinstance(message, Request):
            ends = [("From", f"{ends[1][1]};tag=b"), ("To", ends[0][1])]
        lines = [
            ("Via", f"SIP/2.0/UDP {HOST}:5059;branch={branch}"),
            ("Max-Forwards", "70"),
            ("Call-ID", str(message.get("Call-ID"))),
            ("CSeq", f"1 {method}"),
        ]
        self.proxy.send(Request(method, f"sip:x@{HOST}", [*lines, *ends]))
        self.settle()

    def test_owner_of_traces_of_a_leg(self) -> None:
        """
        The requests of a leg are claimed by what the proxy makes of our Via, and those
        of its dialog that come by the branch; all say which call they are of.
        """
        self.plan("exten => _X.,1,Dial(,,bob@192.0.2.1)")
        way = ("Record-Route", f"<sip:{HOST}:5059;lr>")
        self.invite(fields=[way])
        (leg,) = self.proxy.requests
        call_id = leg.get("Call-ID") or ""
        self.assertIn(("joe", call_id, self.origin(leg)), self.claims())
        fields = [way, ("Contact", "<sip:bob@192.0.2.1>")]
        fields += [("Content-Type", "application/sdp")]
        self.proxy.send(leg.respond(200, fields=fields, body=SDP, to_tag="b"))
        self.settle(3)
        ack = self.proxy.requests[-1]
        self.assertEqual(ack.method, "ACK")
        (call,) = {each.dialogue for each in self.events}
        self.assertTrue(call)
        self.assertIn(("joe", call_id, self.origin(ack)), self.claims())
        self.statuses()
        self.within("ACK", self.last, "z9hG4bKa1")
        self.assertIn(("joe", "call1", {"branch": "z9hG4bKa1"}), self.claims())
        self.within("BYE", leg, "z9hG4bKb1")
        claims = self.claims()
        self.assertIn(("joe", call_id, {"branch": "z9hG4bKb1"}), claims)
        other = self.proxy.requests[-1]
        self.assertEqual((other.method, other.get("Call-ID")), ("BYE", "call1"))
        self.assertIn(("joe", "call1", self.origin(other)), claims)

    def test_owner_of_a_refusal(self) -> None:
        """
        Whose account it is hears why a call to it was refused, and sees it.
        """
        self.do(self.joe.accounts.add("100", "example.com", "zanzibar"))
        self.do(self.joe.accounts.disable("100", "example.com", "moved"))
        self.settle(3)
        request = self.invite()
        self.assertEqual(self.statuses(), [100, 403])
        (event,) = [each for each in self.events if each.detail.get("code")]
        self.assertEqual(event.owner, "joe")
        self.assertEqual(event.detail["code"], "account-disabled")
        branch = {"branch": request[VIA].branch or ""}
        self.assertIn(("joe", "call1", branch), self.claims())

    def test_stranger_in_a_dialog(self) -> None:
        """
        One with the Call-ID of a call and a tag that we have not made is nobody's.
        """
        self.plan("exten => _X.,1,Dial(,,bob@192.0.2.1)")
        self.invite()
        self.events.clear()
        self.number -= 1
        self.invite(method="BYE", to_tag="guessed")
        self.assertEqual(self.claims(), [])

    def test_events_of_a_leg(self) -> None:
        """
        The owner hears whom a dialplan calls, how that goes, and how it ends; with the
        Call-ID of the leg.
        """
        self.plan("exten => _X.,1,Dial(,,bob@192.0.2.1)")
        self.invite()
        (leg,) = self.proxy.requests
        self.proxy.send(leg.respond(180, to_tag="b"))
        self.proxy.send(leg.respond(486, to_tag="b"))
        self.settle()
        told = [each for each in self.events if "leg" in each.kind.value]
        self.assertEqual(
            [(each.kind, each.detail.get("status")) for each in told],
            [
                (EventKind.LEG_STARTED, None),
                (EventKind.LEG_PROGRESS, "180"),
                (EventKind.LEG_FAILED, "486"),
            ],
        )
        whose = {(each.owner, each.call_id, each.detail["to"]) for each in told}
        self.assertEqual(whose, {("joe", leg.get("Call-ID"), "sip:bob@192.0.2.1")})
        self.assertEqual(len({each.dialogue for each in told}), 1)

    # Messages

    def message(self, *, accepts: bool | None = None) -> None:
        """
        Send a message to 100, whose plan takes it or not.
        """
        if accepts is not None:
            self.plan("exten => _X.,1,Dial(,,bob@192.0.2.1)")
            self.do(self.joe.dialplans.change("in", accepts_non_invite=accepts))
            self.settle(3)
        self.invite(method="MESSAGE")

    def test_message(self) -> None:
        """
        A message goes where the plan says, with its body, one hop later and in another
        transaction, and the answer goes back.
        """
        self.message(accepts=True)
        (leg,) = self.proxy.requests
        self.assertEqual(
            (leg.method, leg.request_uri, leg.get("Max-Forwards"), leg.body),
            ("MESSAGE", "sip:bob@192.0.2.1", "69", SDP),
        )
        self.assertEqual(str(leg[CONTENT_TYPE]), "application/sdp")
        self.assertIn("sip:eve@elsewhere.test", leg.get("From") or "")
        self.assertNotEqual(leg.get("Call-ID"), "call1")
        self.assertEqual(self.proxy.responses, [])
        self.proxy.send(leg.respond(202, to_tag="b"))
        self.settle()
        self.assertEqual(self.statuses(), [202])

    def test_message_that_fails(self) -> None:
        """
        What the last one says whom the plan tries is what the sender hears.
        """
        self.message(accepts=True)
        (leg,) = self.proxy.requests
        fields = [("Retry-After", "7")]
        self.proxy.send(leg.respond(486, fields=fields, to_tag="b"))
        self.settle()
        self.assertEqual(self.statuses(), [486])
        self.assertEqual(self.last[REASON].text, "not-answered")
        self.assertEqual(str(self.last[RETRY_AFTER]), "7")

    def test_message_that_nobody_takes(self) -> None:
        """
        The sender hears so before they give up waiting themselves.
        """
        self.message(accepts=True)
        for _ in range(31):
            self.settle(1)
        # The 100 says after a while that it need not be repeated (RFC 4320, 4.1).
        self.assertEqual(self.statuses(), [100, 480])
        self.assertEqual(self.last[REASON].text, "not-answered")

    def test_message_for_a_plan_of_calls(self) -> None:
        """
        A plan decides about messages only if its owner has said so.
        """
        self.message(accepts=False)
        self.assertEqual(self.statuses(), [405])
        self.assertEqual(self.last[REASON].text, "method")
        (event,) = [each for each in self.events if each.detail.get("code")]
        self.assertEqual(event.detail["code"], "method")
        self.assertEqual(self.proxy.requests, [])

    def test_message_to_nobody(self) -> None:
        """
        The checks are those of calls.
        """
        self.message()
        self.assertEqual(self.statuses(), [404])
        self.assertEqual(self.last[REASON].text, "no-account")

    def test_message_without_plan(self) -> None:
        """
        Without a plan the phones of the account get it; there is none here.
        """
        self.do(self.joe.accounts.add("100", "example.com", "zanzibar"))
        self.settle(3)
        self.message()
        self.assertEqual(self.statuses(), [480])
        self.assertEqual(self.last[REASON].text, "nobody-to-call")

    def test_message_overload(self) -> None:
        """
        With too much to do messages are turned away as calls are.
        """
        self.service.calls.limit = 0
        self.message()
        self.assertEqual(self.statuses(), [503])
        self.assertEqual(self.last[REASON].text, "overloaded")
