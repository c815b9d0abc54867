"""
Dialplans in Python, as their users have them: put by command, run for real phones.
"""

from __future__ import annotations

from sipsorcery.endpoint import Transport
from sipsorcery.store.directory import Directory, Language
from sipsorcery.ua import RequestFailed
from tests.integration.test_phones import DOMAIN, PhonesCase
from tests.integration.test_rfc3665 import FlowCase
from tests.integration.test_rfc5359 import Phone, ServiceCase

_SCRIPT = """
sys.log("asked for " + req.uri.user)
if req.uri.user == "7":
    sys.dial("nobody@local")
    sys.dial(f"101@local[fd={req.from_uri.user} at home]", ring=30)
sys.respond(603, "Only 7 is open")
"""

_BESIDE = """
if req.uri.user == "666":
    sys.dial("666@example.com")
else:
    sys.dial("42,secret," + req.uri.user + "@{where}")
"""
# Calls of joe beside those to mallory.
_JOES = 10

_CALLBACK = """
if sys.is_available("101"):
    sys.callback(req.from_uri.user, "101")
    sys.respond(480, "You are called back")
"""


class PythonPlanTests(PhonesCase):
    """
    What 100 calls, a dialplan decides.
    """

    async def test_call(self) -> None:
        """
        A number is no account of anybody: the dialplan tries one phone, which is not
        there, and then the other, which takes the call. Another number it refuses.
        """
        await self._set_up()
        (self.folder / "out.py").write_text(_SCRIPT)
        await self.command(
            "dialplan", "put", "out", "--owner", "admin", "--file", "out.py"
        )
        await self.command("account", "set", f"100@{DOMAIN}", "--out-dialplan", "out")
        server = await self.start()
        caller = await self.phone("100", Transport.UDP)
        callee = await self.phone("101", Transport.TCP)
        await self.establish(caller, callee, "7")
        await callee.hang_up()
        await caller.event("CALL_CLOSED")
        await caller.dial(f"sip:8@{DOMAIN}")
        closed = await caller.event("CALL_CLOSED")
        self.assertIn("603 Only 7 is open", str(closed))
        self.assertIn("they are confined by: ", server.output)


class LimitTests(FlowCase):
    """
    What leaves the house, with one call an hour.
    """

    appserver = True

    def text(self) -> str:
        """
        Let nobody have a second call.
        """
        return '[limits]\noutside_calls = "1/h"'

    async def place(self, user: str, scenario: str, status: str = "") -> None:
        """
        Let 100 make one call.
        """
        run = self.run_sipp(
            scenario,
            target=self.server.end(),
            user=user,
            uri=f"{user}@{DOMAIN}",
            calls=1,
            status=status,
        )
        await self.assert_done(run, 1)

    async def test_limits(self) -> None:
        """
        A number abroad is closed, and after one call to a provider there is no other.
        """
        provider = self.run_sipp("provider", calls=1)
        await provider.ready()
        where = f"{provider.end.host}:{provider.end.port}"
        joe = self.server.directory.of("joe")
        script = f"sys.dial('42,secret,' + req.uri.user + '@{where}')"
        await joe.dialplans.put("out", script, Language.PYTHON)
        await joe.accounts.change("100", DOMAIN, out_dialplan="out")
        await self.place("00442071234567", "caller-refused", "403")
        await self.place("018881234", "caller-hangs-up")
        await self.assert_done(provider, 1)
        await self.place("018881234", "caller-refused", "403")


class AttackTests(FlowCase):
    """
    Calls to somebody whose dialplan never ends, beside calls of joe.
    """

    appserver = True

    def text(self) -> str:
        """
        Let calls to the provider be no reason to refuse any.
        """
        return '[limits]\noutside_calls = ""\noutside_calls_at_once = 0'

    async def prepare(self, directory: Directory) -> None:
        """
        Add mallory, whose dialplan loops.
        """
        await directory.everyone.users.add("mallory", "a long password")
        mallory = directory.of("mallory")
        await mallory.dialplans.put("loop", "while True: pass", Language.PYTHON)
        await mallory.accounts.add("666", DOMAIN, "a password")
        await mallory.accounts.change("666", DOMAIN, in_dialplan="loop")

    async def test_beside(self) -> None:
        """
        Whoever calls mallory is told in the end that the dialplan has failed; the
        calls of joe, meanwhile, are what they always are.
        """
        provider = self.run_sipp("provider", calls=_JOES)
        await provider.ready()
        where = f"{provider.end.host}:{provider.end.port}"
        joe = self.server.directory.of("joe")
        await joe.dialplans.put("out", _BESIDE.format(where=where), Language.PYTHON)
        await joe.accounts.change("100", DOMAIN, out_dialplan="out")
        attack = self.run_sipp(
            "caller-refused",
            target=self.server.end(),
            user="666",
            uri=f"666@{DOMAIN}",
            calls=2,
            status="500",
        )
        calls = self.run_sipp(
            "caller-hangs-up",
            target=self.server.end(),
            user="018881234",
            uri=f"018881234@{DOMAIN}",
            calls=_JOES,
        )
        await self.assert_done(calls, _JOES)
        await self.assert_done(attack, 2)
        await self.assert_done(provider, _JOES)


class CallbackTests(ServiceCase):
    """
    A dialplan that calls back.
    """

    async def start(self) -> None:
        """
        Let the dialplan decide about calls to Carol; nobody has asked for her yet.
        """
        self.has_plan = False
        await super().start()

    async def phone(self, user: str, port: int) -> Phone:
        """
        Register a phone.
        """
        if not self.has_plan:
            self.has_plan = True
            joe = self.server.directory.of("joe")
            await joe.dialplans.put("in", _CALLBACK, Language.PYTHON)
            await joe.accounts.change("102", DOMAIN, in_dialplan="in")
        return await super().phone(user, port)

    async def test_callback(self) -> None:
        """
        Alice calls Carol's account and is refused, then called back; when she has
        answered Bob rings, and the two talk.
        """
        calling = self.alice.agent.invite(self.carol.uri, self.alice.media)
        with self.assertRaises(RequestFailed) as caught:
            await calling.answered()
        self.assertEqual(caught.exception.status, 480)
        alice = await self.answer(self.alice)
        bob = await self.answer(self.bob)
        await self.assert_talks(alice, bob)
        await self.end(alice, bob)
