"""
Tests for `sipsorcery.ua.registration` and `sipsorcery.ua.backoff`.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.address import Address
from sipsorcery.sip.auth import Challenge
from sipsorcery.sip.fields import (
    AUTHORIZATION,
    CALL_ID,
    CONTACT,
    CSEQ,
    EXPIRES,
    FROM,
    MIN_EXPIRES,
    RETRY_AFTER,
    TO,
    WWW_AUTHENTICATE,
)
from sipsorcery.sip.parameterised import Seconds
from sipsorcery.sip.request import Request
from sipsorcery.ua import Account, Registration, RegistrationState, RequestFailed
from sipsorcery.ua.backoff import Backoff
from tests.ua.cases import ALICE, BOB, PEER, AgentCase

AOR = f"sip:alice@{PEER}"


class RegistrationTests(AgentCase):
    """
    An agent that registers at a peer.
    """

    def setUp(self) -> None:
        super().setUp()
        self.alice = self.agent()
        self.registrar = self.peer()
        self.states: list[RegistrationState] = []

    def register(self, **options: Any) -> Registration:
        """
        Begin a registration.
        """
        registration = self.alice.register(
            Account(AOR, "secret"),
            on_change=lambda one: self.states.append(one.state),
            **options,
        )
        self.network.advance()
        return registration

    @property
    def last(self) -> Request:
        """
        The last REGISTER.
        """
        return self.registrar.last("REGISTER")

    def grant(self, *fields: tuple[Any, Any]) -> None:
        """
        Accept the last REGISTER.
        """
        self.registrar.send(self.last.respond(200, fields=fields, to_tag="peer"))
        self.network.advance()

    def refuse(self, status: int, *fields: tuple[Any, Any]) -> None:
        """
        Refuse the last REGISTER.
        """
        self.registrar.respond(self.last, status, *fields)
        self.network.advance()

    def end(self, registration: Registration) -> None:
        """
        Stop it, and check that nothing is left.
        """
        stopping = self.begin(registration.stop())
        if not stopping.called:
            self.grant()
        self.given(stopping)
        self.assertEqual(self.alice.core.registrations, set())
        self.assert_settled()

    def test_register(self) -> None:
        """
        The REGISTER names the account twice and the registrar's host, and our Contact.
        """
        registration = self.register()
        request = self.last
        request.check()
        self.assertEqual(request.request_uri, f"sip:{PEER}")
        self.assertEqual((str(request[TO].uri), str(request[FROM].uri)), (AOR, AOR))
        self.assertEqual(str(request[CONTACT]), f"<sip:alice@{ALICE}:5060>")
        self.assertEqual(request[EXPIRES], 600)
        self.grant()
        self.given(registration.registered())
        self.assertEqual(self.states, [RegistrationState.Registered])
        self.end(registration)

    def test_contact_names_the_transport(self) -> None:
        """
        Over TCP the Contact says so: calls have to come the same way.
        """
        other = self.agent(BOB)
        contacts: list[str] = []

        def take(transaction: Any) -> None:
            contacts.append(str(transaction.request[CONTACT].uri))
            transaction.respond(200)

        other.on("REGISTER", take)
        registrar = f"sip:{BOB};transport=tcp"
        registration = self.alice.register(Account(AOR), registrar=registrar)
        self.given(registration.registered())
        self.assertEqual(contacts, [f"sip:alice@{ALICE}:5060;transport=tcp"])
        self.given(self.begin(registration.stop()))
        self.network.advance(130.0)  # until the connection is idle for too long
        self.assert_settled()

    def test_refresh(self) -> None:
        """
        It is refreshed before it expires, with the same Call-ID and the next CSeq.
        """
        registration = self.register()
        first = self.last
        self.grant((EXPIRES, 100))
        self.network.advance(100.0 - 32.0)
        second = self.last
        self.assertEqual(second[CALL_ID], first[CALL_ID])
        self.assertEqual(second[CSEQ].number, first[CSEQ].number + 1)
        self.grant((EXPIRES, 100))
        self.assertEqual(self.states, [RegistrationState.Registered])
        self.end(registration)

    def test_granted_for_ever(self) -> None:
        """
        However long a registrar grants, it is asked again within a week.
        """
        registration = self.register()
        self.grant((EXPIRES, 2**32 - 1))
        self.assertEqual(registration.expires, 604800)
        first = self.last
        self.network.advance(604800.0)
        self.assertGreater(self.last[CSEQ].number, first[CSEQ].number)
        self.grant((EXPIRES, 100))
        self.end(registration)

    def test_own_contact_counts(self) -> None:
        """
        Of several contacts it is ours that says for how long (10.3, step 8).
        """
        registration = self.register()
        ours = Address.parse(f"<sip:alice@{ALICE}:5060>;expires=60")
        other = Address.parse("<sip:alice@192.0.2.77>;expires=5")
        self.grant((CONTACT, other), (CONTACT, ours), (EXPIRES, 700))
        self.assertEqual(registration.expires, 60)
        self.end(registration)

    def test_unregister(self) -> None:
        """
        In the end our contact is taken away.
        """
        registration = self.register()
        self.grant()
        stopping = self.begin(registration.stop())
        self.assertEqual(self.last[EXPIRES], 0)
        self.grant()
        self.given(stopping)
        self.assertIs(registration.state, RegistrationState.Ended)
        self.assert_settled()

    def test_stopped_before_the_answer(self) -> None:
        """
        One that is stopped before it was answered leaves nothing.
        """
        registration = self.register()
        self.end(registration)

    def test_agent_stops(self) -> None:
        """
        The agent ends all of its registrations when it stops.
        """
        self.register()
        self.grant()
        stopping = self.begin(self.alice.stop())
        self.assertEqual(self.last[EXPIRES], 0)
        self.grant()
        self.network.advance(5.0)
        self.given(stopping)

    def test_proof(self) -> None:
        """
        The registrar's own realm may ask for a proof, whatever it is called.
        """
        registration = self.register()
        value = Challenge.parse('Digest realm="asterisk", nonce="1", qop="auth"')
        self.refuse(401, (WWW_AUTHENTICATE, value))
        self.assertEqual(self.last[AUTHORIZATION].realm, "asterisk")
        self.assertEqual(self.last[CSEQ].number, 2)
        self.grant()
        self.given(registration.registered())
        self.end(registration)

    def test_wrong_password(self) -> None:
        """
        A password that is refused is not tried again for minutes.
        """
        registration = self.register()
        for nonce in "12":
            value = Challenge.parse(f'Digest realm="r", nonce="{nonce}", qop="auth"')
            self.refuse(401, (WWW_AUTHENTICATE, value))
        error = self.refused(registration.registered(), RequestFailed)
        self.assertEqual(error.status, 401)
        self.assertIs(registration.failure, error)
        self.assertEqual(self.states, [RegistrationState.Failed])
        self.network.advance(99.0)
        self.assertEqual(self.registrar.methods, ["REGISTER"] * 2)
        self.end(registration)

    def test_too_brief(self) -> None:
        """
        A 423 says how long is long enough; that is asked for at once (10.2.8).
        """
        registration = self.register(expires=60)
        self.refuse(423, (MIN_EXPIRES, 300))
        self.assertEqual(self.last[EXPIRES], 300)
        self.grant()
        self.given(registration.registered())
        self.assertEqual(registration.expires, 300)
        self.end(registration)

    def test_too_brief_for_ever(self) -> None:
        """
        A registrar that is never content is a failure.
        """
        registration = self.register(expires=60)
        self.refuse(423, (MIN_EXPIRES, 300))
        self.refuse(423, (MIN_EXPIRES, 600))
        self.refused(registration.registered(), RequestFailed)
        self.end(registration)

    def test_away_and_back(self) -> None:
        """
        A registrar that does not answer is asked again until it does.
        """
        self.network.drop = lambda *_: True
        registration = self.register()
        self.network.advance(32.1)
        self.assertEqual(self.states, [RegistrationState.Failed])
        self.network.drop = None
        self.network.advance(5.0)
        self.grant()
        self.assertEqual(self.states[-1], RegistrationState.Registered)
        self.assertIsNone(registration.failure)
        self.end(registration)

    def test_retry_after(self) -> None:
        """
        A registrar may say when to come back.
        """
        registration = self.register()
        self.refuse(500, (RETRY_AFTER, Seconds(90)))
        self.network.advance(89.0)
        self.assertEqual(len(self.registrar.requests), 1)
        self.network.advance(1.1)
        self.assertEqual(len(self.registrar.requests), 2)
        self.grant()
        self.end(registration)

    def test_independent(self) -> None:
        """
        A registrar that is away does not bother another.
        """
        away = self.alice.register(Account("sip:alice@192.0.2.99"))
        here = self.register()
        self.grant()
        self.given(here.registered())
        waiting: Deferred[None] = away.registered()
        self.network.advance(33.0)
        self.refused(waiting, RequestFailed)
        self.assertIs(here.state, RegistrationState.Registered)
        self.given(self.begin(away.stop()))
        self.end(here)


class BackoffTests(SynchronousTestCase):
    """
    How long it waits.
    """

    def test_network(self) -> None:
        """
        When the network fails it waits twice as long each time, to five minutes.
        """
        backoff = Backoff()
        delays = [backoff.failed(503, None, 1.0) for _ in range(8)]
        self.assertEqual(delays, [5, 10, 20, 40, 80, 160, 300, 300])

    def test_refused(self) -> None:
        """
        After a refusal it waits three times as long, to half an hour.
        """
        backoff = Backoff()
        delays = [backoff.failed(403, None, 1.0) for _ in range(4)]
        self.assertEqual(delays, [200, 600, 1800, 1800])

    def test_spread(self) -> None:
        """
        Chance takes up to a half away, so that not all come at once.
        """
        self.assertEqual(Backoff().failed(503, None, 0.0), 2.5)

    def test_asked(self) -> None:
        """
        A Retry-After makes it longer, never shorter, and at most an hour.
        """
        self.assertEqual(Backoff().failed(503, 60, 1.0), 60)
        self.assertEqual(Backoff().failed(403, 60, 1.0), 200)
        self.assertEqual(Backoff().failed(503, 10**6, 1.0), 3600)

    def test_success(self) -> None:
        """
        A success lets it begin anew; a thousand failures are no more than ten.
        """
        backoff = Backoff()
        for _ in range(1000):
            delay = backoff.failed(503, None, 1.0)
        self.assertEqual(delay, 300)
        backoff.succeeded()
        self.assertEqual(backoff.failed(503, None, 1.0), 5)
