"""
Tests for `sipsorcery.access.authentication`, `policy`, `nonces` and `notices`.
"""

from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs

from sipsorcery.access.accounts import CURRENCY
from sipsorcery.access.decision import Allowed, Challenge, Decision, Proof, Refusal
from sipsorcery.access.notices import Notices
from sipsorcery.access.offences import Ban, Offence
from sipsorcery.config import DigestAlgorithm, parse
from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.event import EventKind
from sipsorcery.sip.auth import AuthenticationInfo, Credentials
from sipsorcery.sip.auth import Challenge as Asked
from sipsorcery.sip.digest.client import Proof as Shown
from sipsorcery.sip.errors import LocalProtocolError
from sipsorcery.sip.fields import (
    AUTHORIZATION,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    RETRY_AFTER,
)
from sipsorcery.sip.request import Request
from sipsorcery.store.secrets import SETTLING, Purpose
from tests.access.phones import (
    CALL_ID,
    DOMAIN,
    PHONE,
    AuthenticationCase,
    Phone,
    Verifications,
    algorithms,
    stale,
)

MD5, SHA_256, SHA_512_256 = DigestAlgorithm
ELSEWHERE = Endpoint.parse("udp:198.51.100.1:5060")


class DigestTests(AuthenticationCase):
    """
    Who knows the password gets in.
    """

    def test_challenge(self) -> None:
        """
        A request without credentials is challenged for the realm of its domain; nobody
        is looked up for it.
        """
        self.do(self.accounts.catch_up())
        before = self.threads.asked
        decision = self.decide(self.phone.request(), username="100")
        assert isinstance(decision, Challenge)
        self.assertEqual((decision.status, len(decision.fields)), (401, 1))
        self.assertEqual(decision.fields[0][1].realm, DOMAIN)
        self.assertEqual(self.threads.asked, before)

    def test_response(self) -> None:
        """
        A challenge makes a response with a line for each algorithm.
        """
        request = self.phone.request(product="baresip")
        response = self.decide(request).response(request, "tag")  # type: ignore[union-attr]  # a Challenge has it
        self.assertEqual(response.status, 401)
        self.assertIn("\r\nWWW-Authenticate: Digest realm=", response.head)

    def test_allowed(self) -> None:
        """
        The right password is let in, and says whose request it is.
        """
        decision = self.register(username="100")
        assert isinstance(decision, Allowed)
        self.assertEqual(decision.account.aor, "sip:100@example.com")
        self.assertEqual(
            (decision.account.owner, decision.proof), ("joe", Proof.DIGEST)
        )

    def test_info(self) -> None:
        """
        Who registers is shown that we know the password as well, and nobody else is.
        """
        decision = self.register(username="100")
        assert isinstance(decision, Allowed)
        assert decision.info is not None
        self.assertIs(self.phone.attempt.verify(decision.info), Shown.VALID)
        forged = self.phone.attempt.verify(AuthenticationInfo.parse('rspauth="0"'))
        self.assertIs(forged, Shown.INVALID)
        invite = self.phone.request("INVITE")
        decision = self.decide(invite)
        assert isinstance(decision, Allowed)
        self.assertIsNone(decision.info)

    def test_info_without_qop(self) -> None:
        """
        A phone of before RFC 2617 is shown nothing that it would not understand.
        """
        asked = self.decide(self.phone.request())
        assert isinstance(asked, Challenge)
        plain = replace_qop(asked)
        self.assertTrue(self.phone.take(plain))
        decision = self.decide(self.phone.again())
        assert isinstance(decision, Allowed)
        self.assertIsNone(decision.info)

    def test_nonce_again(self) -> None:
        """
        A nonce is good for more requests, each counted; then for none of an earlier
        count.
        """
        remote = Endpoint.parse("tcp:192.0.2.1:40000")
        phone = Phone("100", "correct horse", remote)
        self.register(phone)
        requests = [phone.request() for _ in range(3)]
        for request in requests:
            self.assertIsInstance(self.decide(request, remote), Allowed)
        self.assertEqual(stale([self.decide(requests[0], remote)]), [True])

    def test_repetition(self) -> None:
        """
        A request by UDP that comes again is let in again, for the time that clients
        repeat it; from another port, or with anything changed, it is a replay.
        """
        self.challenge(self.phone)
        request = self.phone.again()
        self.assertIsInstance(self.decide(request), Allowed)
        self.assertIsInstance(self.decide(request.copy()), Allowed)
        beside = Endpoint(PHONE.transport, PHONE.host, 40_000)
        self.assertEqual(stale([self.decide(request, beside)]), [True])
        changed = request.copy()
        changed.set("Contact", "<sip:thief@192.0.2.1>")
        self.assertEqual(stale([self.decide(changed)]), [True])
        longer = request.copy()
        longer.adopt_body(b"more")
        self.assertEqual(stale([self.decide(longer)]), [True])
        self.reactor.advance(32)
        self.assertEqual(stale([self.decide(request)]), [True])

    def test_expired_nonce(self) -> None:
        """
        After a minute a nonce is stale, and the phone answers the next one.
        """
        self.register()
        self.reactor.advance(60)
        decision = self.decide(self.phone.request())
        self.assertEqual(stale([decision]), [True])
        assert isinstance(decision, Challenge)
        self.assertTrue(self.phone.take(decision))
        self.assertIsInstance(self.decide(self.phone.again()), Allowed)

    def test_proxy(self) -> None:
        """
        A proxy asks with 407, and looks at its own field alone.
        """
        decision = self.decide(self.phone.request("INVITE"), status=407)
        assert isinstance(decision, Challenge)
        self.assertEqual(decision.status, 407)
        self.assertIs(decision.fields[0][0], PROXY_AUTHENTICATE)
        self.phone.take(decision)
        request = self.phone.again("INVITE")
        self.assertIn(PROXY_AUTHORIZATION, request)
        self.assertIsInstance(self.decide(request, status=401), Challenge)
        self.assertIsInstance(self.decide(request, status=407), Allowed)

    def test_several_realms(self) -> None:
        """
        Of credentials for several realms those for ours count, wherever they stand.
        """
        self.challenge(self.phone)
        [(_, ours)] = self.phone.attempt.authorize()
        other = Credentials.parse(
            'Digest username="x", realm="b.example", nonce="n", uri="sip:b.example", '
            'response="00000000000000000000000000000000"'
        )
        fields = [(AUTHORIZATION, other), (AUTHORIZATION, ours), (AUTHORIZATION, other)]
        request = Request("REGISTER", f"sip:{DOMAIN}", fields)
        self.assertIsInstance(self.decide(request), Allowed)
        only = Request("REGISTER", f"sip:{DOMAIN}", fields[:1])
        self.assertEqual(stale([self.decide(only)]), [False])

    def test_algorithms(self) -> None:
        """
        MD5 and SHA-256 both let in; the configuration says what is on offer.
        """
        for configured in (["MD5"], ["SHA-256"], ["SHA-512-256"], ["SHA-256", "MD5"]):
            names = ", ".join(f'"{name}"' for name in configured)
            self.start(parse(f"[auth]\nalgorithms = [{names}]".encode()))
            phone = Phone("100", "correct horse")
            self.assertEqual(algorithms(self.challenge(phone)), configured)
            self.assertIsInstance(self.decide(phone.again()), Allowed)

    def test_reconfigure(self) -> None:
        """
        Another configuration holds for the next challenge.
        """
        self.assertEqual(algorithms(self.challenge(self.phone)), ["MD5"])
        self.authenticator.reconfigure(parse(b'auth.algorithms = ["SHA-256"]'))
        phone = Phone("100", "correct horse")
        self.assertEqual(algorithms(self.challenge(phone)), ["SHA-256"])
        self.assertIsInstance(self.decide(phone.again()), Allowed)

    def test_not_offered(self) -> None:
        """
        What is not on offer is not accepted either.
        """
        self.challenge(self.phone)
        request = self.phone.again()
        self.start(parse(b'[auth]\nalgorithms = ["SHA-256"]'))
        self.assertEqual(algorithms(self.decide(request)), ["SHA-256"])

    def test_domain_algorithms(self) -> None:
        """
        A domain can offer other algorithms than the rest.
        """
        self.do(self.everyone.domains.set_algorithms(DOMAIN, [SHA_256, MD5]))
        self.assertEqual(algorithms(self.challenge(self.phone)), ["SHA-256", "MD5"])
        self.assertIsInstance(self.decide(self.phone.again()), Allowed)

    def test_phone_algorithms(self) -> None:
        """
        A rule for phones of one kind goes before the domain's; the first that fits and
        names algorithms counts.
        """
        self.start(
            parse(
                b'[[user_agent]]\npattern = "^Old"\nmax_expires = 600\n'
                b'[[user_agent]]\npattern = "phone"\nalgorithms = ["MD5"]\n'
                b'[[user_agent]]\npattern = "."\nalgorithms = ["SHA-256"]\n'
            )
        )
        self.do(self.everyone.domains.set_algorithms(DOMAIN, [SHA_512_256]))
        self.reactor.advance(CURRENCY)
        for product, expected in (
            ("Old Phone/1", ["MD5"]),
            ("New Telephone", ["MD5"]),
            ("baresip", ["SHA-256"]),
            ("baresip", ["SHA-256"]),  # as it is remembered
            (None, ["SHA-512-256"]),
            (" " * 300 + "baresip", ["SHA-256"]),
        ):
            request = self.phone.request(product=product)
            self.assertEqual(algorithms(self.decide(request)), expected, product)

    def test_alias(self) -> None:
        """
        The realm is the canonical name, whatever the phone calls the domain.
        """
        domain = self.do(self.accounts.domain("SIP.example.com"))
        decision = self.decide(self.phone.request(), domain=domain)
        assert isinstance(decision, Challenge)
        self.assertEqual(decision.fields[0][1].realm, DOMAIN)

    def test_not_ours(self) -> None:
        """
        Nobody is challenged for a domain that is not served.
        """
        decision = self.decide(self.phone.request(), domain="example.org")
        assert isinstance(decision, Refusal)
        self.assertEqual(decision.status, 403)

    def test_ack_and_cancel(self) -> None:
        """
        ACK and CANCEL cannot be challenged: to try is a fault of ours.
        """
        for method in ("ACK", "CANCEL"):
            asked = self.authenticator.authenticate(
                Request(method, "sip:100@example.com"), source=PHONE, domain=DOMAIN
            )
            self.refuse(LocalProtocolError, asked)

    def test_malformed(self) -> None:
        """
        Credentials that cannot be read are refused with 400.
        """
        for text in (
            f'Digest username="100", realm="{DOMAIN}"',
            'Digest realm="',
            f'Digest username="0a", userhash=true, realm="{DOMAIN}", nonce="n", '
            'uri="sip:a", response="0"',
        ):
            request = Request("REGISTER", f"sip:{DOMAIN}", [("Authorization", text)])
            decision = self.decide(request)
            assert isinstance(decision, Refusal), text
            self.assertEqual(decision.status, 400)

    @given(st.text(), st.sampled_from(["Digest ", "digest", "Basic ", ""]))
    def test_any_text(self, text: str, scheme: str) -> None:
        """
        Whatever stands in the field, there is an answer, and nobody is let in.
        """
        for line in (
            text,
            f'username="100", realm="{DOMAIN}", nonce="{text}", uri="x", response="0"',
            f'username="{text}", realm="{DOMAIN}", nonce="n", uri="x", response="0"',
            f'username*={text}, realm="{DOMAIN}", nonce="n", uri="x", response="0"',
        ):
            raw = f"Authorization: {scheme}{line}".replace("\r", "").replace("\n", "")
            head = f"REGISTER sip:{DOMAIN} SIP/2.0\r\n{raw}\r\n"
            request = Request.from_head(head)
            decision = self.decide(request, username="100")
            self.assertIsInstance(decision, Challenge | Refusal)

    def test_other_callee(self) -> None:
        """
        Credentials for one callee are not good for another.
        """
        self.decide(self.phone.request("INVITE", "sip:101@example.com"))
        decision = self.decide(self.phone.again("INVITE", "sip:101@example.com"))
        assert isinstance(decision, Challenge)
        self.phone.take(decision)
        [(field, credentials)] = self.phone.attempt.authorize()
        request = Request("INVITE", "sip:900@example.com", [(field, credentials)])
        decision = self.decide(request)
        assert isinstance(decision, Refusal)
        self.assertEqual(decision.status, 400)

    def test_other_account(self) -> None:
        """
        Right credentials of one account are not those of another.
        """
        self.do(self.joe.accounts.add("101", DOMAIN, "battery staple"))
        decision = self.register(username="101")
        assert isinstance(decision, Refusal)
        self.assertEqual(decision.status, 403)
        self.assertIsInstance(self.register(Phone("100", "correct horse")), Allowed)

    def test_nonce_of_another(self) -> None:
        """
        A nonce that was sent to one address is stale from another: who uses it has not
        received it.
        """
        self.challenge(self.phone)
        decision = self.decide(self.phone.again(), ELSEWHERE)
        self.assertEqual(stale([decision]), [True])

    def test_restart(self) -> None:
        """
        A process that starts admits no request that the one before may have admitted.
        """
        self.challenge(self.phone)
        request = self.phone.again()
        self.assertIsInstance(self.decide(request), Allowed)
        self.start(parse(b""))
        self.assertEqual(stale([self.decide(request)]), [True])

    def test_rotation(self) -> None:
        """
        A new key is used when it has settled, and what the old one signed still counts.
        """
        self.secrets.rotate(Purpose.NONCE)
        self.reactor.advance(SETTLING - 30)
        self.challenge(self.phone)
        self.reactor.advance(31)
        self.assertIsInstance(self.decide(self.phone.again()), Allowed)
        self.assertIsInstance(self.register(Phone("100", "correct horse")), Allowed)


class AccountTests(AuthenticationCase):
    """
    What an account may do, told to those alone who know its password.
    """

    def change(self, **values: object) -> None:
        """
        Change the account.
        """
        self.do(self.joe.accounts.change("100", DOMAIN, **values))

    def refused(self, decision: Decision) -> Refusal:
        """
        Check that a request was refused with 403.
        """
        assert isinstance(decision, Refusal), decision
        self.assertEqual(decision.status, 403)
        return decision

    def test_disabled(self) -> None:
        """
        Whose account is disabled is told why; who does not know the password is
        challenged as ever.
        """
        self.do(self.joe.accounts.disable("100", DOMAIN, "lost phone"))
        wrong = self.register(Phone("100", "wrong"))
        self.assertEqual(stale([wrong]), [False])
        self.assertIn("lost phone", self.refused(self.register()).text or "")

    def test_disabled_owner(self) -> None:
        """
        So is who belongs to a user that is disabled.
        """
        self.do(self.everyone.users.disable("joe", "has not paid"))
        self.assertIn("has not paid", self.refused(self.register()).text or "")

    def test_incoming_only(self) -> None:
        """
        An account for incoming calls registers, and does not call.
        """
        self.change(incoming_only=True)
        self.assertIsInstance(self.register(), Allowed)
        for method in ("INVITE", "MESSAGE", "REFER"):
            request = self.phone.request(method)
            self.refused(self.decide(request))
        self.assertIsInstance(self.decide(self.phone.request("SUBSCRIBE")), Allowed)

    def test_calls(self) -> None:
        """
        A user begins so many calls in all their accounts; a repetition, a re-INVITE and
        what is no call do not count.
        """
        self.start(parse(b'[limits]\ncalls = "2/1m"'))
        self.do(self.joe.accounts.add("101", DOMAIN, "correct horse"))
        self.register()
        other = Phone("101", "correct horse")
        self.register(other)
        first = self.phone.request("INVITE")
        for _ in range(5):
            self.assertIsInstance(self.decide(first.copy()), Allowed)
        self.assertIsInstance(self.decide(other.request("INVITE")), Allowed)
        for phone in (self.phone, other):
            self.refused(self.decide(phone.request("INVITE")))
            again = phone.request("INVITE")
            again.set("To", "<sip:102@example.com>;tag=1")
            self.assertIsInstance(self.decide(again), Allowed)
            self.assertIsInstance(self.decide(phone.request("MESSAGE")), Allowed)
        self.reactor.advance(30)
        self.assertIsInstance(self.decide(self.phone.request("INVITE")), Allowed)
        self.refused(self.decide(self.phone.request("INVITE")))

    def test_no_password(self) -> None:
        """
        An account without a password is not entered with an empty one.
        """
        self.do(self.joe.accounts.add("102", DOMAIN))
        for password in ("", "nobody"):
            decision = self.register(Phone("102", password))
            self.assertEqual(stale([decision]), [False])

    def test_allowed_networks(self) -> None:
        """
        From elsewhere the right password is as wrong as any other.
        """
        self.change(allowed_networks=(ipaddress.ip_network("192.0.2.0/24"),))
        self.assertIsInstance(self.register(), Allowed)
        with capturedLogs() as events:
            decision = self.register(Phone("100", "correct horse", ELSEWHERE))
        self.assertEqual(stale([decision]), [False])
        self.assertEqual([e["reason"] for e in events], ["address-not-allowed"])

    def test_trusted_networks(self) -> None:
        """
        From a network that the account trusts no credentials are needed, nor looked at;
        for another account they are.
        """
        self.do(self.joe.accounts.add("101", DOMAIN, "battery staple"))
        self.change(trusted_networks=(ipaddress.ip_network("192.0.2.0/24"),))
        self.reactor.advance(CURRENCY)
        decision = self.decide(Phone("x", "y").request(), username="100")
        assert isinstance(decision, Allowed)
        self.assertEqual(decision.proof, Proof.NETWORK)
        for name in ("101", "nobody", None):
            decision = self.decide(Phone("x", "y").request(), username=name)
            self.assertIsInstance(decision, Challenge)
        decision = self.decide(Phone("x", "y").request(), ELSEWHERE, username="100")
        self.assertIsInstance(decision, Challenge)

    def test_trusted_and_disabled(self) -> None:
        """
        Trust ends with the account, and where it may not be used from.
        """
        network = ipaddress.ip_network("192.0.2.0/24")
        self.change(trusted_networks=(network,), incoming_only=True)
        self.refused(self.decide(Phone("x", "y").request("INVITE"), username="100"))
        self.change(allowed_networks=(ipaddress.ip_network("10.0.0.0/8"),))
        self.reactor.advance(CURRENCY)
        decision = self.decide(Phone("x", "y").request(), username="100")
        self.assertIsInstance(decision, Challenge)
        self.change(allowed_networks=())
        self.do(self.joe.accounts.disable("100", DOMAIN, "lost phone"))
        self.reactor.advance(CURRENCY)
        self.refused(self.decide(Phone("x", "y").request(), username="100"))

    def test_new_password(self) -> None:
        """
        A password that was changed a moment ago is right.
        """
        self.register()
        self.do(self.joe.accounts.set_password("100", DOMAIN, "battery staple"))
        self.assertIsInstance(self.register(Phone("100", "battery staple")), Allowed)


class FailureTests(AuthenticationCase):
    """
    What those see, and what follows, who do not know the password.
    """

    def test_indistinguishable(self) -> None:
        """
        An unknown account, a wrong password, an account without one and one that is
        disabled get the same answer, but for the nonce.
        """
        self.do(self.joe.accounts.add("102", DOMAIN))
        self.do(self.joe.accounts.add("103", DOMAIN, "correct horse"))
        self.do(self.joe.accounts.disable("103", DOMAIN, "lost phone"))
        answers = set()
        for name in ("100", "nobody", "102", "103"):
            phone = Phone(name, "wrong")
            for decision in (self.decide(phone.request()), self.register(phone)):
                assert isinstance(decision, Challenge)
                text = decision.response(phone.request()).head
                nonce = decision.fields[0][1].nonce
                assert nonce is not None
                answers.add(text.replace(nonce, ""))
        self.assertEqual(len(answers), 1)

    def test_same_work(self) -> None:
        """
        A failure costs one question to the directory and two verifications, whether the
        account exists, is known already, or is not allowed from there.
        """
        self.register()  # 100 is known
        self.do(self.joe.accounts.add("101", DOMAIN, "correct horse"))
        self.do(self.joe.accounts.add("104", DOMAIN, "correct horse"))
        elsewhere = (ipaddress.ip_network("10.0.0.0/8"),)
        self.do(self.joe.accounts.change("104", DOMAIN, allowed_networks=elsewhere))
        self.reactor.advance(CURRENCY)
        self.decide(self.phone.request())
        work = []
        for name, password in (
            ("100", "wrong"),
            ("101", "wrong"),  # nobody has asked for it yet
            ("104", "wrong"),
            ("104", "correct horse"),
            ("nobody", "wrong"),
            ("nobody", "wrong"),  # known not to be there
        ):
            phone = Phone(name, password)
            self.challenge(phone)
            request, before = phone.again(), self.threads.asked
            with Verifications() as digest:
                self.assertIsInstance(self.decide(request), Challenge)
            work.append((self.threads.asked - before, digest.count))
        self.assertEqual(work, [(1, 2)] * 6)

    def test_success_from_memory(self) -> None:
        """
        Who is known and right costs one verification and no question; and one response
        more that shows who registers that we know the password as well.
        """
        self.register()
        for method, count in (("REGISTER", 2), ("SUBSCRIBE", 1)):
            request = self.phone.request(method)
            before = self.threads.asked
            with Verifications() as digest:
                self.assertIsInstance(self.decide(request), Allowed)
            self.assertEqual((self.threads.asked - before, digest.count), (0, count))

    def test_log_and_event(self) -> None:
        """
        A failure is a line for the operator, with the reason, and an event for the
        owner of the account, if there is one.
        """
        with capturedLogs() as lines:
            self.register(Phone("100", "wrong"))
            self.register(Phone("nobody", "wrong"))
        self.assertEqual(
            [(line["log_namespace"], line["reason"]) for line in lines],
            [
                ("sipsorcery.security", "wrong-password"),
                ("sipsorcery.security", "unknown-account"),
            ],
        )
        failed = [e for e in self.bus.events if e.kind is EventKind.AUTH_FAILED]
        self.assertEqual([event.owner for event in failed], ["joe", ""])
        self.assertEqual(failed[0].detail["account"], "100@example.com")
        self.assertEqual((failed[0].server, failed[0].remote), ("registrar", PHONE))
        self.assertEqual(failed[0].call_id, CALL_ID)

    def test_stale_is_no_failure(self) -> None:
        """
        Whoever has an old nonce, or one that is not theirs, has not failed: anybody can
        send such a request in their name.
        """
        self.challenge(self.phone)
        request = self.phone.again()
        with capturedLogs() as lines:
            for _ in range(100):
                self.assertEqual(stale([self.decide(request, ELSEWHERE)]), [True])
        self.assertEqual(lines, [])
        self.assertEqual(self.guard.bans(self.reactor.seconds()), [])
        self.assertIsInstance(self.decide(request), Allowed)

    def test_long_names(self) -> None:
        """
        Of a name that is too long for any account only the beginning is remembered.
        """
        with capturedLogs():
            decision = self.register(Phone("x" * 5000, "wrong"))
        self.assertEqual(stale([decision]), [False])
        self.assertEqual(len(self.bus.events[-1].detail["account"]), 128)

    def fail_often(self, times: int, phone: Phone) -> list[Decision]:
        """
        Fail, and wait for the answers that are late.
        """
        decisions = []
        for _ in range(times):
            self.challenge(Phone("x", "y", phone.remote))
            fresh = Phone(phone.username, "wrong", phone.remote)
            self.challenge(fresh)
            asked = self.begin(
                self.authenticator.authenticate(
                    fresh.again(), source=phone.remote, domain=DOMAIN
                )
            )
            if not asked.called:
                self.reactor.advance(1)
            decisions.append(self.successResultOf(asked))
        return decisions

    def test_locked(self) -> None:
        """
        After thirty failures nobody looks at the credentials of that source for that
        account any more, and its source is banned; nothing tells whether there is such
        an account.
        """
        for name, port in (("100", 6001), ("nobody", 6002)):
            remote = Endpoint.parse(f"udp:198.51.100.{port - 6000}:{port}")
            decisions = self.fail_often(30, Phone(name, "wrong", remote))
            self.assertEqual(stale(decisions), [False] * 30)
            right = Phone(name, "correct horse", remote)
            self.challenge(right)
            before = self.threads.asked
            decision = self.decide(right.again(), remote)
            assert isinstance(decision, Refusal)
            self.assertEqual(
                (decision.status, decision.text), (403, "too many failures")
            )
            self.assertEqual(self.threads.asked, before)
        bans = self.guard.bans(self.reactor.seconds())
        self.assertEqual(
            [(ban.source, ban.offence) for ban in bans],
            [
                ("198.51.100.1", Offence.CREDENTIALS),
                ("198.51.100.2", Offence.CREDENTIALS),
            ],
        )
        self.assertIsInstance(self.register(), Allowed)

    def test_phone_goes_on(self) -> None:
        """
        A phone that is registered goes on when somebody beside it is locked out.
        """
        self.register()
        beside = Endpoint(PHONE.transport, PHONE.host, 40_000)
        self.fail_often(30, Phone("100", "wrong", beside))
        self.assertIsInstance(self.decide(self.phone.request()), Allowed)
        self.assertIsInstance(self.register(Phone("100", "correct horse")), Allowed)
        self.assertIsInstance(
            self.register(Phone("100", "correct horse", beside)), Refusal
        )

    def test_late_answers(self) -> None:
        """
        From the tenth failure on an answer waits for a second; the right password does
        not.
        """
        self.fail_often(9, Phone("100", "wrong"))
        phone = Phone("100", "wrong")
        self.challenge(phone)
        asked = self.begin(
            self.authenticator.authenticate(phone.again(), source=PHONE, domain=DOMAIN)
        )
        self.assertNoResult(asked)
        self.assertIsInstance(self.register(), Allowed)
        self.reactor.advance(1)
        self.assertIsInstance(self.successResultOf(asked), Challenge)

    def test_late_answers_are_bounded(self) -> None:
        """
        When so many answers are late the rest goes out at once.
        """
        self.start(parse(b""), late=3)
        self.fail_often(9, Phone("100", "wrong"))
        waiting: list[Deferred[Decision]] = []
        for _ in range(5):
            phone = Phone("100", "wrong")
            self.challenge(phone)
            asked = self.authenticator.authenticate(
                phone.again(), source=PHONE, domain=DOMAIN
            )
            waiting.append(self.begin(asked))
        self.assertEqual([each.called for each in waiting], [False] * 3 + [True] * 2)
        self.reactor.advance(1)
        for each in waiting:
            self.assertIsInstance(self.successResultOf(each), Challenge)

    def test_directory_away(self) -> None:
        """
        While the directory is away, who is known gets in; who is not, and who fails, is
        told to come later, whether or not they exist.
        """
        self.register()
        self.threads.is_broken = True
        self.assertIsInstance(self.register(Phone("100", "correct horse")), Allowed)
        for name in ("100", "nobody"):
            decision = self.register(Phone(name, "wrong"))
            assert isinstance(decision, Refusal)
            self.assertEqual(decision.status, 503)
            self.assertEqual(decision.fields[0][0], RETRY_AFTER)
        self.assertEqual(self.guard.bans(self.reactor.seconds()), [])

    def test_guard_knows_who_got_in(self) -> None:
        """
        The guard learns which flow has authenticated.
        """
        self.register()
        now = self.reactor.seconds()
        self.assertEqual(
            self.guard.explain(PHONE.host, now), "192.0.2.1 has authenticated flows"
        )


class NoticesTests(AuthenticationCase):
    """
    What is told of bans.
    """

    def test_ban(self) -> None:
        """
        A ban is one line of the log and one event.
        """
        notices = Notices("proxy", self.bus, self.reactor.seconds)
        with capturedLogs() as lines:
            notices.banned(Ban("192.0.2.1", Offence.SCANNER, 5.0, 305.0))
        [line] = lines
        self.assertEqual((line["source"], line["seconds"]), ("192.0.2.1", 300))
        event = self.bus.events[-1]
        self.assertEqual(event.kind, EventKind.BANNED)
        self.assertEqual(event.detail, {"address": "192.0.2.1", "seconds": "300"})
        self.assertEqual(event.message, "192.0.2.1 is banned for 300 s: a scanner")

    def test_nobody_listens(self) -> None:
        """
        Without a bus the log is all.
        """
        with capturedLogs() as lines:
            Notices("proxy").banned(Ban("192.0.2.1", Offence.FLOOD, 0.0, 300.0))
        self.assertEqual(len(lines), 1)


def replace_qop(challenge: Challenge) -> Challenge:
    """
    Make a challenge one of before there was a qop.
    """
    fields = [
        (field, Asked(tuple(one for one in asked.parameters if one[0] != "qop")))
        for field, asked in challenge.fields
    ]
    return Challenge(challenge.status, tuple(fields))
