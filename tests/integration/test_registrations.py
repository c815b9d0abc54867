"""
Registrations with real peers: the flows of RFC 3665, section 2, and real Digest.
"""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

from twisted.internet import reactor

from sipsorcery.config import Config, parse
from sipsorcery.endpoint import Transport
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


class MD5Tests(RegistrarCase):
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
        The right password registers, and refreshes; a wrong one does not.
        """
        agent = UserAgent(reactor, ["udp:127.0.0.1:0"])
        await agent.start()
        try:
            right = agent.register(self.account("100", PASSWORD))
            await right.registered()
            (binding,) = await self.bindings()
            self.assertEqual(binding.received, str(agent.listeners[0].local))
            wrong = agent.register(self.account("101", "not zanzibar"))
            with self.assertRaises(RequestFailed) as raised:
                await wrong.registered()
            self.assertEqual(raised.exception.status, 401)
            self.assertEqual(len(await self.bindings("101")), 0)
            await right.stop()
            self.assertEqual(len(await self.bindings()), 0)
        finally:
            await agent.stop()

    def account(self, user: str, password: str) -> Account:
        """
        Make the account of a phone that sends everything to the registrar.
        """
        return Account(
            f"sip:{user}@{DOMAIN}",
            password=password,
            proxy=f"sip:{self.end.host}:{self.end.port};lr",
        )


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
