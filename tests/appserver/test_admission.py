"""
Tests for :mod:`sipsorcery.appserver.admission`, and for what it asks: where calls come
from, whose they are, and which dialplan decides.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sipsorcery.access.accounts import CURRENCY, Accounts
from sipsorcery.access.authentication import Authenticator
from sipsorcery.appserver.admission import Admission, Admitted, Challenged
from sipsorcery.appserver.configured import Configured
from sipsorcery.appserver.plans.line_plan import LineEngine
from sipsorcery.appserver.plans.plans import Plans
from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.appserver.sources import Source, Sources
from sipsorcery.config import parse
from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.fields import RETRY_AFTER
from sipsorcery.sip.request import Request
from sipsorcery.store.directory import Language
from sipsorcery.store.directory.cdrs import Direction
from sipsorcery.store.secrets import Secrets
from tests.store.directory.cases import DirectoryCase

CONFIG = parse(
    b"""
    [proxy]
    inside = "udp:127.0.0.1:5059"
    [limits]
    incoming = "2/m"
    [[trunk]]
    name = "gateway"
    networks = ["192.0.2.0/24"]
    """
)
STRANGER = Source(Endpoint.parse("udp:203.0.113.7:5060"), is_near=True)
PLAN = "exten => 1,1,Respond(486)"


def invite(
    to: str = "sip:100@example.com", sender: str = "sip:eve@elsewhere.test", **more: str
) -> Request:
    """
    Make an INVITE.
    """
    return Request(
        "INVITE",
        to,
        [
            ("From", f"<{sender}>;tag=1"),
            ("To", f"<{to}>"),
            ("Call-ID", "call"),
            ("CSeq", "1 INVITE"),
            *((name.replace("_", "-"), value) for name, value in more.items()),
        ],
    )


class AdmissionCase(DirectoryCase):
    """
    A directory with the account 100 of joe.
    """

    def setUp(self) -> None:
        super().setUp()
        self.do(self.joe.accounts.add("100", "example.com", "zanzibar"))
        secrets = Secrets(self.folder)
        secrets.load()
        self.accounts = Accounts(self.directory, CONFIG, self.reactor, own=list)
        self.configured = Configured(self.directory, self.reactor)
        self.plans = Plans(self.configured, {Language.LINES: LineEngine()})
        authenticator = Authenticator(
            self.reactor, CONFIG, accounts=self.accounts, secrets=secrets
        )
        self.admission = Admission(
            CONFIG, self.accounts, authenticator, self.plans, self.reactor.seconds
        )

    def change(self, **values: Any) -> None:
        """
        Change the account, and let everybody hear of it.
        """
        self.do(self.joe.accounts.change("100", "example.com", **values))
        self.reactor.advance(CURRENCY)

    def admit(self, request: Request, source: Source = STRANGER) -> Admitted:
        """
        Let a call in.
        """
        return self.do(self.admission.admit(request, source))

    def code(self, request: Request, source: Source = STRANGER) -> Code:
        """
        Give the reason why a call is not let in.
        """
        begun = self.begin(self.admission.admit(request, source))
        refused: Refused = self.failureResultOf(begun, Refused).value
        return refused.code


class AdmissionTests(AdmissionCase):
    """
    Who may call.
    """

    def test_incoming(self) -> None:
        """
        Anybody calls our users, also by the name of a trunk before the dot; without a
        dialplan the account is dialled.
        """
        for user in ("100", "gateway.100"):
            admitted = self.admit(invite(f"sip:{user}@example.com"))
            self.assertEqual(admitted.intent.direction, Direction.IN)
            self.assertEqual(admitted.account.username, "100")
            self.assertEqual(admitted.plan.key, ("joe", ""))

    def test_outgoing(self) -> None:
        """
        Who says to be one of us is asked to prove it, be there an account or not.
        """
        for user in ("100", "999"):
            sender = f"sip:{user}@example.com"
            begun = self.begin(self.admission.admit(invite(sender=sender), STRANGER))
            challenged: Challenged = self.failureResultOf(begun, Challenged).value
            self.assertEqual(challenged.status, 407)
            self.assertIn('realm="example.com"', str(challenged.fields[0][1]))

    def test_trusted_network(self) -> None:
        """
        From a network that the account trusts nothing is asked.
        """
        self.change(trusted_networks=("203.0.113.0/24",))
        request = invite(sender="sip:100@example.com")
        admitted = self.admit(request)
        self.assertEqual(admitted.intent.direction, Direction.OUT)
        self.assertEqual(admitted.plan.name, "")

    def test_outside_without_plan(self) -> None:
        """
        Without a dialplan nobody is called who is not here.
        """
        self.change(trusted_networks=("203.0.113.0/24",))
        request = invite("sip:x@elsewhere.test", "sip:100@example.com")
        self.assertEqual(self.code(request), Code.NO_PLAN)

    def test_nobody(self) -> None:
        """
        There is a reason for each who is not called.
        """
        for uri, code in (
            ("sip:999@example.com", Code.NO_ACCOUNT),
            ("sip:example.com", Code.NO_USER),
            ("sip:100@elsewhere.test", Code.NOT_SERVED),
        ):
            self.assertEqual(self.code(invite(uri)), code)

    def test_disabled(self) -> None:
        """
        A disabled account is not called; that of a suspended user neither.
        """
        self.do(self.joe.accounts.disable("100", "example.com", "moved"))
        self.reactor.advance(CURRENCY)
        self.assertEqual(self.code(invite()), Code.ACCOUNT_DISABLED)
        self.do(self.joe.accounts.enable("100", "example.com"))
        self.do(self.everyone.users.disable("joe", "unpaid"))
        self.reactor.advance(CURRENCY)
        self.assertEqual(self.code(invite()), Code.OWNER_SUSPENDED)

    def test_disabled_caller(self) -> None:
        """
        Neither calls: who has proved to be one of them hears which of the two it is.
        """
        self.change(trusted_networks=("203.0.113.0/24",))
        request = invite(sender="sip:100@example.com")
        self.do(self.joe.accounts.disable("100", "example.com", "moved"))
        self.reactor.advance(CURRENCY)
        self.assertEqual(self.code(request), Code.ACCOUNT_DISABLED)
        self.do(self.joe.accounts.enable("100", "example.com"))
        self.do(self.everyone.users.disable("joe", "unpaid"))
        self.reactor.advance(CURRENCY)
        self.assertEqual(self.code(request), Code.OWNER_SUSPENDED)

    def test_rate(self) -> None:
        """
        A stranger begins so many calls in so much time; those whom the configuration
        names any number.
        """
        for _ in range(2):
            self.admit(invite())
        begun = self.begin(self.admission.admit(invite(), STRANGER))
        refused: Refused = self.failureResultOf(begun, Refused).value
        self.assertEqual(refused.code, Code.TOO_MANY_CALLS)
        self.assertIn(RETRY_AFTER, dict(refused.fields))
        near = Source(Endpoint.parse("udp:127.0.0.1:5060"))
        trunk = Source(Endpoint.parse("udp:192.0.2.1:5060"), is_trunk=True)
        for source in (near, trunk):
            for _ in range(9):
                self.admit(invite(), source)
        self.reactor.advance(30)
        self.admit(invite())


class PlansTests(AdmissionCase):
    """
    Which dialplan decides.
    """

    def test_named(self) -> None:
        """
        The one that the account has for that direction, in its last version.
        """
        self.do(self.joe.dialplans.put("home", PLAN, Language.LINES))
        self.change(in_dialplan="Home")
        self.assertEqual(self.admit(invite()).plan.script, PLAN)
        self.do(self.joe.dialplans.put("home", f"{PLAN} ; 2", Language.LINES))
        self.reactor.advance(CURRENCY)
        plan = self.admit(invite()).plan
        self.assertEqual((plan.version, plan.script), (2, f"{PLAN} ; 2"))

    def test_of_others(self) -> None:
        """
        A dialplan of somebody else is none.
        """
        self.do(self.eve.dialplans.put("home", PLAN, Language.LINES))
        self.change(in_dialplan="home")
        self.assertEqual(self.code(invite()), Code.PLAN_MISSING)

    def test_unusable(self) -> None:
        """
        One that nothing can be done with is told as what it is.
        """
        self.change(in_dialplan="home")
        self.do(self.joe.dialplans.put("home", " \n", Language.LINES))
        self.reactor.advance(CURRENCY)
        self.assertEqual(self.code(invite()), Code.PLAN_EMPTY)
        self.do(self.joe.dialplans.put("home", "x", Language.PYTHON))
        self.reactor.advance(CURRENCY)
        self.assertEqual(self.code(invite()), Code.PLAN_LANGUAGE)
        admin = self.directory.of("joe", as_admin=True).dialplans
        self.do(admin.change("home", is_read_only=True))
        self.reactor.advance(CURRENCY)
        self.assertEqual(
            self.code(invite(), Source(Endpoint.parse("udp:127.0.0.1:1"))),
            Code.PLAN_READ_ONLY,
        )

    def test_provider(self) -> None:
        """
        A provider is known by its name to its owner, until it is removed.
        """
        self.do(self.joe.providers.add("out", username="42", server="sip:p.test"))
        found = self.do(self.configured.provider("joe", "OUT"))
        assert found is not None
        self.assertEqual(found.username, "42")
        self.assertIsNone(self.do(self.configured.provider("eve", "out")))
        self.do(self.joe.providers.remove("out"))
        self.assertIsNotNone(self.do(self.configured.provider("joe", "out")))
        self.reactor.advance(CURRENCY)
        self.assertIsNone(self.do(self.configured.provider("joe", "out")))


class SourcesTests(AdmissionCase):
    """
    Where calls come from.
    """

    def test_proxy(self) -> None:
        """
        A proxy of ours is believed what it says, and nobody else.
        """
        request = invite(
            Proxy_ReceivedFrom="tcp:192.0.2.9:5060",
            Proxy_ReceivedOn="tcp:203.0.113.1:5060",
        )
        sources = Sources(CONFIG)
        source = sources.of(request, Endpoint.parse("udp:127.0.0.1:5059"))
        self.assertEqual(str(source.remote), "tcp:192.0.2.9:5060")
        self.assertEqual(str(source.received_on), "tcp:203.0.113.1:5060")
        self.assertTrue(source.is_near and source.is_trunk)
        source = sources.of(request, Endpoint.parse("udp:127.0.0.1:5058"))
        self.assertEqual(str(source.remote), "udp:127.0.0.1:5058")
        self.assertFalse(source.is_near or source.is_trunk)

    def test_trunk_with_certificate(self) -> None:
        """
        An address alone is not the trunk that has to show a certificate, too; whether
        it has shown it a proxy of ours says, and nobody else.
        """
        (trunk,) = CONFIG.trunk
        config = replace(CONFIG, trunk=(replace(trunk, tls_domains=("sip.test",)),))
        request = invite(Proxy_ReceivedFrom="tls:192.0.2.9:5061")
        sources, proxy = Sources(config), Endpoint.parse("udp:127.0.0.1:5059")
        self.assertFalse(sources.of(request, proxy).is_trunk)
        request.set("Proxy-ReceivedTrunk", "yes")
        self.assertTrue(sources.of(request, proxy).is_trunk)
        stranger = Endpoint.parse("udp:127.0.0.1:5058")
        self.assertFalse(sources.of(request, stranger).is_trunk)
