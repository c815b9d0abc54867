"""
Dialplans in Python, as their users have them: put by command, run for real phones.
"""

from __future__ import annotations

from sipsorcery.endpoint import Transport
from tests.integration.test_phones import DOMAIN, PhonesCase

_SCRIPT = """
sys.log("asked for " + req.uri.user)
if req.uri.user == "7":
    sys.dial("nobody@local")
    sys.dial(f"101@local[fd={req.from_uri.user} at home]", ring=30)
sys.respond(603, "Only 7 is open")
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
