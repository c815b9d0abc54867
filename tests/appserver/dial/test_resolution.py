"""
Tests for :mod:`sipsorcery.appserver.dial.resolution`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.access.contacts import Contact
from sipsorcery.appserver.dial.dial_string import (
    Credentials,
    parse_asterisk_form,
    parse_dial_string,
)
from sipsorcery.appserver.dial.resolution import (
    MAX_REDIRECTS,
    Kind,
    Resolved,
    Situation,
    Target,
    redirect,
    resolve,
)
from sipsorcery.appserver.dial.template import Caller
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.directory.account import Account
from sipsorcery.store.directory.providers import Provider

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CALLER = SIPURI.parse("sip:alice@example.org")
SITUATION = Situation(Caller("1234", "Alice", "alice", "example.org"), CALLER)


def account(username: str, **fields: object) -> Account:
    """
    Make an account of example.org.
    """
    made = Account(
        owner="owner", username=username, domain="example.org", created=NOW, updated=NOW
    )
    return replace(made, **fields)  # type: ignore[arg-type]  # any fields


PROVIDER = Provider(
    owner="owner",
    name="blueface",
    username="test",
    password="secret",
    server="sip.blueface.ie;transport=tcp",
    created=NOW,
    updated=NOW,
)


class Stored:
    """
    A lookup in what the test gives.
    """

    def __init__(
        self, *accounts: Account, provider: Provider = PROVIDER, contacts: int = 1
    ) -> None:
        self._accounts = {each.username: each for each in accounts}
        self._provider = provider
        self._contacts = contacts

    async def domain(self, host: str) -> str | None:
        """
        Serve example.org, which is also called local.
        """
        return "example.org" if host in ("local", "example.org") else None

    async def find_called(self, username: str, domain: str) -> Account | None:
        """
        Find an account, also behind the last dot.
        """
        return self._accounts.get(username) or self._accounts.get(
            username.rpartition(".")[2]
        )

    async def contacts(self, account: Account) -> Sequence[Contact]:
        """
        Give the wanted number of contacts.
        """
        return [
            Contact(
                SIPURI.parse(f"sip:{account.username}@192.0.2.{number}"),
                (SIPURI.parse("sip:127.0.0.1;lr"),),
            )
            for number in range(self._contacts)
        ]

    async def provider(self, name: str) -> Provider | None:
        """
        Give the only provider.
        """
        return self._provider if name.lower() == self._provider.name else None


class ResolutionTests(SynchronousTestCase):
    def resolve(
        self, text: str, stored: Stored, situation: Situation = SITUATION
    ) -> Resolved:
        """
        Resolve a dial string.
        """
        coroutine = resolve(parse_dial_string(text), situation, stored)
        return self.successResultOf(Deferred.fromCoroutine(coroutine))

    def target(
        self, text: str, stored: Stored, situation: Situation = SITUATION
    ) -> Target:
        """
        Give the only target.
        """
        ((target,),) = self.resolve(text, stored, situation).stages
        return target

    def test_account_of_a_line_plan(self) -> None:
        """
        Without credentials the Asterisk form reaches accounts here as the other does,
        under the From that it says.
        """
        stored = Stored(account("bob"))
        for text, sender in (
            (",,bob@local", "sip:alice@example.org"),
            ("anon,,bob@local", "sip:anon@example.org"),
            (",,bob@local,sip:42@elsewhere.test", "sip:42@elsewhere.test"),
        ):
            coroutine = resolve(parse_asterisk_form(text), SITUATION, stored)
            found = self.successResultOf(Deferred.fromCoroutine(coroutine))
            ((target,),) = found.stages
            self.assertEqual((target.kind, str(target.sender)), (Kind.CONTACT, sender))
        ((target,),) = self.resolve("bob,secret,bob@local", stored).stages
        self.assertEqual(target.kind, Kind.ANYBODY)

    def test_provider(self) -> None:
        """
        What was dialled goes to the provider's server, with its credentials and From.
        """
        target = self.target("BlueFace;x=y;transport=udp", Stored())
        self.assertIs(target.kind, Kind.PROVIDER)
        self.assertEqual(str(target.uri), "sip:1234@sip.blueface.ie;transport=tcp;x=y")
        self.assertEqual(target.credentials, Credentials("test", "secret"))
        self.assertEqual(str(target.sender), "sip:test@sip.blueface.ie")

    def test_sender(self) -> None:
        """
        The options of the leg come before the From of the provider.
        """
        stored = Stored(
            provider=replace(PROVIDER, from_uri='"Me" <sip:${fromuriuser}@me.example>')
        )
        target = self.target("1@blueface[fh=h.example]", stored)
        self.assertEqual(
            (target.sender_name, str(target.sender)), ("Me", "sip:alice@h.example")
        )
        target = self.target("1@blueface[fd=You,fu=you]", stored)
        self.assertEqual(
            (target.sender_name, str(target.sender)), ("You", "sip:you@me.example")
        )

    def test_switchboard(self) -> None:
        """
        What a switchboard wants to know stands in fields of the INVITE.
        """
        target = self.target(
            "1@far.example[swln=main,swcid=7,swo=${fromuriuser}]", Stored()
        )
        self.assertEqual(
            target.headers,
            (
                "Switchboard-LineName: main",
                "Switchboard-OriginalCallID: 7",
                "Switchboard-Owner: alice",
            ),
        )

    def test_headers_on_one_line(self) -> None:
        """
        No caller can add a header field through a variable in the provider's.
        """
        stored = Stored(
            provider=replace(PROVIDER, custom_headers=("X-N: ${fromname}",))
        )
        situation = Situation(Caller("1", "a\r\nRoute: <sip:x>"))
        target = self.target("1@blueface", stored, situation)
        self.assertEqual(target.headers, ("X-N: a  Route: <sip:x>",))

    def test_faulty_provider(self) -> None:
        """
        A provider that is not set up, or must not be used, leaves its leg out.
        """
        for provider in (
            replace(PROVIDER, server="@@"),
            replace(PROVIDER, from_uri="${nobody}@h"),
            replace(PROVIDER, is_read_only=True),
            replace(PROVIDER, custom_headers=("Route: <sip:192.0.2.1;lr>",)),
            replace(PROVIDER, custom_headers=("p-Asserted-Identity : <sip:boss@x>",)),
            replace(PROVIDER, custom_headers=("Proxy-SendFrom: udp:192.0.2.1:5060",)),
            replace(PROVIDER, custom_headers=("l: 0",)),
            replace(PROVIDER, custom_headers=("X-A: 1\r\nRoute: <sip:192.0.2.1>",)),
            replace(PROVIDER, custom_headers=("${fromname}: 1",)),
            replace(PROVIDER, custom_headers=("X-A: " + 600 * "a",)),
        ):
            found = self.resolve("1@blueface", Stored(provider=provider))
            self.assertEqual((found.stages, len(found.omissions)), ((), 1))

    def test_anybody(self) -> None:
        """
        An unknown host is called without credentials, as the caller or as nobody.
        """
        target = self.target("303@noprovider", Stored())
        self.assertEqual(str(target.uri), "sip:303@noprovider")
        self.assertIs(target.kind, Kind.ANYBODY)
        self.assertIsNone(target.credentials)
        self.assertEqual(target.sender, CALLER)
        nobody = self.target("303@h", Stored(), Situation(Caller("1")))
        self.assertEqual(nobody.sender.host, "anonymous.invalid")

    def test_bindings(self) -> None:
        """
        An account rings all its bindings; a dotted name leads to its account.
        """
        stored = Stored(account("bob"), contacts=2)
        (stage,) = self.resolve("trunk.bob@local", stored).stages
        self.assertEqual(
            [str(each.uri) for each in stage],
            ["sip:bob@192.0.2.0", "sip:bob@192.0.2.1"],
        )
        self.assertEqual(str(stage[0].to), "sip:trunk.bob@example.org")
        self.assertEqual([str(each) for each in stage[0].route], ["sip:127.0.0.1;lr"])

    def test_incoming_dialplan(self) -> None:
        """
        The callee's own plan runs, unless it is the one that runs already.
        """
        stored = Stored(account("bob", in_dialplan="in"))
        self.assertIs(self.target("bob@local", stored).kind, Kind.PLAN)
        running = replace(SITUATION, plan=("owner", "in"))
        self.assertIs(self.target("bob@local", stored, running).kind, Kind.CONTACT)
        other = replace(SITUATION, plan=("somebody", "in"))
        self.assertIs(self.target("bob@local", stored, other).kind, Kind.PLAN)

    def test_network_id(self) -> None:
        """
        Addresses stay as they are between those of one network.
        """
        stored = Stored(account("bob", network_id="n"))
        near = replace(SITUATION, network_id="n")
        self.assertFalse(self.target("bob@local", stored, near).rewrites_sdp)
        self.assertTrue(self.target("bob@local", stored).rewrites_sdp)
        self.assertTrue(self.target("bob@local", Stored(account("bob"))).rewrites_sdp)

    def test_left_out(self) -> None:
        """
        A leg that leads nowhere is left out, with its reason, and the others are not.
        """
        stored = Stored(account("off", user_disabled="gone"))
        found = self.resolve("aaron@local&off@local|1@h&u@${fromname}", stored)
        self.assertEqual([len(stage) for stage in found.stages], [2])
        self.assertEqual(len(found.omissions), 2)
        lost = self.resolve("aaron@local", Stored(account("aaron"), contacts=0))
        self.assertEqual(lost.omissions[0].reason, "the account is not registered")

    def test_limit(self) -> None:
        """
        All bindings together are no more legs than a dial may have.
        """
        found = self.resolve("bob@local|1@h", Stored(account("bob"), contacts=30))
        self.assertEqual([len(stage) for stage in found.stages], [20])
        self.assertEqual(len(found.omissions), 2)

    def test_asterisk_form(self) -> None:
        """
        What the dial string itself holds is used as it stands.
        """
        target = self.target("u,p,1@blueface,,10.0.0.1", Stored())
        self.assertEqual(target.credentials, Credentials("u", "p"))
        self.assertEqual(str(target.sender), "sip:u@blueface")
        self.assertEqual([str(each) for each in target.route], ["sip:10.0.0.1;lr"])

    def test_redirection(self) -> None:
        """
        Credentials never go to where a provider redirects; limits and account code
        stay, so that the call is limited and billed as before.
        """
        first = self.target("1@blueface[cd=60,ac=A,dt=5]", Stored())
        (target,) = self.redirect(first, "sip:2@elsewhere.example")
        self.assertEqual((target.credentials, target.headers), (None, ()))
        self.assertEqual(target.options, replace(first.options, delay=0))

    def test_redirection_to_an_account(self) -> None:
        """
        A redirection to an account here rings its bindings; to none, it leads nowhere.
        """
        first = self.target("1@h", Stored())
        (target,) = self.redirect(first, "sip:bob@example.org")
        self.assertIs(target.kind, Kind.CONTACT)
        self.assertEqual([*self.redirect(first, "sip:eve@example.org")], [])

    def test_redirection_loop(self) -> None:
        """
        Redirections are followed a few times only.
        """
        target = self.target("1@h", Stored())
        for _ in range(MAX_REDIRECTS):
            (target,) = self.redirect(target, "sip:1@h")
        self.assertEqual([*self.redirect(target, "sip:1@h")], [])

    def redirect(self, target: Target, contact: str) -> Sequence[Target]:
        """
        Follow a redirection.
        """
        coroutine = redirect(
            target, SIPURI.parse(contact), SITUATION, Stored(account("bob"))
        )
        return self.successResultOf(Deferred.fromCoroutine(coroutine))
