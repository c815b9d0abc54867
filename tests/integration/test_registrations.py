"""
Registrations with real peers: the flows of RFC 3665, section 2, and real Digest.
"""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from xml.sax.saxutils import escape

from twisted.internet import reactor
from twisted.internet.defer import Deferred

from sipsorcery.config import Config, parse
from sipsorcery.endpoint import Transport
from sipsorcery.sip.fields import WWW_AUTHENTICATE
from sipsorcery.store.bindings import BINDINGS
from sipsorcery.ua import Account, RequestFailed, UserAgent
from tests.integration.registrar import DOMAIN, PASSWORD, RegistrarCase, configure
from tests.integration.sipp import SIPp, Tally

_SCENARIO = Path(__file__).with_name("sipp") / "registration.xml"

HOME = "sip:bob@client.biloxi.example.com"
OFFICE = "sip:bob@office.biloxi.example.com"
NOTHING = "no such text"


class SIPpTests(RegistrarCase):
    """
    RFC 3665, section 2, with SIPp for the phone.
    """

    async def register(
        self,
        *fields: str,
        listed: str = "Contact",
        unlisted: str = NOTHING,
        status: int = 200,
        password: str = PASSWORD,
    ) -> None:
        """
        Let the phone send its request, and check each answer.

        :param fields: those that say what it is about; none: it asks what there is.
        """
        folder = Path(self.mktemp())
        folder.mkdir(parents=True)
        text = _SCENARIO.read_text("ascii")
        for name, value in (
            ("CONTACTS", "\n      ".join(fields) or "Subject: none"),
            ("SECOND", str(status)),
            ("UNLISTED", escape(unlisted)),
            ("LISTED", escape(listed)),
        ):
            text = text.replace(name, value)
        run = SIPp(
            folder,
            "registration",
            Transport.UDP,
            calls=1,
            target=self.end,
            text=text,
            options=("-s", "100", "-au", "100", "-ap", password, "-auth_uri", DOMAIN),
        )
        try:
            self.assertEqual(await run.tally(), Tally(1, 0, 0, 0), run.errors)
        finally:
            await run.program.stop()

    async def test_successful_new_registration(self) -> None:
        """
        2.1: the phone is challenged, and then registered.
        """
        await self.register(
            f"Contact: <{HOME}>", "Expires: 3600", listed=f"<{HOME}>;expires=3600"
        )
        (binding,) = await self.bindings()
        self.assertEqual((binding.contact, binding.cseq), (HOME, 2))

    async def test_update_of_contact_list(self) -> None:
        """
        2.2: another contact comes to the first, and both are listed.
        """
        await self.register(f"Contact: <{HOME}>")
        await self.register(
            "Contact: <mailto:bob@biloxi.example.com>", listed="<mailto:.*expires="
        )
        await self.register(listed=f"<{HOME}>.*expires=")
        self.assertEqual(len(await self.bindings()), 2)

    async def test_request_for_current_contact_list(self) -> None:
        """
        2.3: a request without contact changes nothing and lists what there is.
        """
        await self.register(f"Contact: <{HOME}>", f"Contact: <{OFFICE}>;q=0.2")
        before = await self.bindings()
        await self.register(listed=f"<{OFFICE}>;q=0.2;expires=")
        self.assertEqual(await self.bindings(), before)

    async def test_cancellation_of_registration(self) -> None:
        """
        2.4: with the star and Expires 0 nothing is left, and nothing is listed.
        """
        await self.register(f"Contact: <{HOME}>", f"Contact: <{OFFICE}>")
        await self.register(
            "Contact: *", "Expires: 0", listed="SIP/2.0 200 OK", unlisted="Contact"
        )
        self.assertEqual(len(await self.bindings()), 0)

    async def test_unsuccessful_registration(self) -> None:
        """
        2.5: whoever has a wrong password is asked again, and is not registered.
        """
        await self.register(
            f"Contact: <{HOME}>",
            password="not zanzibar",
            status=401,
            listed="WWW-Authenticate: Digest",
            unlisted="Contact",
        )
        self.assertEqual(len(await self.bindings()), 0)


class AgentCase(RegistrarCase):
    """
    Our own user agents for phones.
    """

    async def register(self, account: Account) -> UserAgent:
        """
        Let a phone register, and give it when it is.

        :raises RequestFailed: if it is refused.
        """
        agent = UserAgent(reactor, ["udp:127.0.0.1:0"])
        await agent.start()
        self.addCleanup(lambda: Deferred.fromCoroutine(agent.stop()))
        await agent.register(account).registered()
        return agent

    def account(self, aor: str, password: str | None, realm: str = DOMAIN) -> Account:
        """
        Make the account of a phone that sends everything to the registrar.
        """
        proxy = f"sip:{self.end.host}:{self.end.port};lr"
        return Account(aor, password, realms=[realm], proxy=proxy)


class AccessTests(AgentCase):
    """
    Who may register, with the accounts of a real directory.
    """

    async def test_trusted_network(self) -> None:
        """
        An account that trusts the address of a phone asks it for nothing.
        """
        accounts = self.stores.directory.everyone.accounts
        networks = (ip_network("127.0.0.0/8"),)
        await accounts.change("100", DOMAIN, trusted_networks=networks)
        await self.register(self.account(f"sip:100@{DOMAIN}", None))
        self.assertEqual(len(await self.bindings()), 1)

    async def test_any_host(self) -> None:
        """
        Where a domain stands for any host, phones register with whatever they have, and
        their bindings are those of the domain.
        """
        domains = self.stores.directory.everyone.domains
        await domains.add("other.example", ["*"])
        joe = self.stores.directory.of("joe").accounts
        await joe.add("102", "other.example", PASSWORD)
        aor = "sip:102@no-such-host.example"
        await self.register(self.account(aor, PASSWORD, "other.example"))
        found = await self.stores.live.get(BINDINGS.name, "sip:102@other.example")
        self.assertIsNotNone(found)

    async def test_disabled(self) -> None:
        """
        A disabled account is refused, and only who knows its password is told so.
        """
        accounts = self.stores.directory.everyone.accounts
        await accounts.disable("100", DOMAIN, "moved away")
        for password, status in ((PASSWORD, 403), ("not zanzibar", 401)):
            with self.assertRaises(RequestFailed) as raised:
                await self.register(self.account(f"sip:100@{DOMAIN}", password))
            self.assertEqual(raised.exception.status, status)

    async def test_unknown_user_and_wrong_password(self) -> None:
        """
        Nobody can tell from the answers which of both it was.
        """
        answers = []
        for user in ("100", "nobody"):
            with self.assertRaises(RequestFailed) as raised:
                await self.register(self.account(f"sip:{user}@{DOMAIN}", "wrong"))
            response = raised.exception.response
            assert response is not None
            # Of each field the name, and of the challenge all but the nonce.
            challenge = response[WWW_AUTHENTICATE].parameters
            fixed = [pair for pair in challenge if pair[0] != "nonce"]
            names = [name for name, _ in response.items()]
            answers.append((response.status, response.reason, names, fixed))
        self.assertEqual(answers[0], answers[1])


class MD5Tests(AgentCase):
    """
    Our own user agent registers with Digest.
    """

    algorithms = '"MD5"'

    def config(self) -> Config:
        """
        Offer certain algorithms.
        """
        more = f"[auth]\nalgorithms = [{self.algorithms}]"
        text = configure(self.folder / "data", self.end.port, more)
        return parse(text.encode())

    async def test_register(self) -> None:
        """
        The right password registers; a wrong one does not.
        """
        agent = await self.register(self.account(f"sip:100@{DOMAIN}", PASSWORD))
        (binding,) = await self.bindings()
        self.assertEqual(binding.received, str(agent.listeners[0].local))
        with self.assertRaises(RequestFailed) as raised:
            await self.register(self.account(f"sip:101@{DOMAIN}", "not zanzibar"))
        self.assertEqual(raised.exception.status, 401)
        self.assertEqual(len(await self.bindings("101")), 0)


class SHA256Tests(MD5Tests):
    """
    The same with SHA-256 alone, and with both.
    """

    algorithms = '"SHA-256"'


class BothTests(MD5Tests):
    """
    SHA-256 before MD5, as RFC 8760 has it.
    """

    algorithms = '"SHA-256", "MD5"'
