"""
A whole server whose live state is in a Redis that goes and comes back.
"""

from __future__ import annotations

from sipsorcery.ua import RequestFailed
from tests import LONG
from tests.integration.killed import Phone, RedisPhonesCase, wait_for

# Seconds that a Redis stands still, and that a phone waits after a 503 at most.
PAUSE = 30.0 if LONG else 3.0


class AwayTests(RedisPhonesCase):
    """
    Two phones, and a call between them, before the Redis goes.
    """

    redis_options = ("--appendonly", "yes")

    async def start(self) -> None:
        """
        Start everything, and the call.
        """
        await super().start()
        self.caller = await self.alice.call("101")
        await wait_for(lambda: self.bob.sessions)

    async def refused(self) -> None:
        """
        Check that the server takes neither calls nor registrations, and says when to
        come again.
        """
        stranger = Phone(self.server, "102")
        await stranger.start()
        try:
            for attempt in (stranger.register, lambda: stranger.call("101")):
                try:
                    await attempt()
                except RequestFailed as failed:
                    assert failed.response is not None, failed
                    self.assertEqual(failed.status, 503, str(failed.response))
                    self.assertIsNotNone(failed.response.get("Retry-After"))
                else:
                    self.fail("it was not refused")
        finally:
            await stranger.stop()

    async def talks(self) -> None:
        """
        Check that the call in progress can be held and taken back.
        """
        callee = self.bob.sessions[0]
        await self.caller.hold()
        self.assertTrue(callee.is_held)
        await self.caller.resume()
        self.assertFalse(callee.is_held)

    async def comes_back(self) -> None:
        """
        Check that calls and registrations are taken again, and the call can end.
        """
        while True:
            try:
                other = await self.alice.call("101")
            except RequestFailed as failed:
                self.assertEqual(failed.status, 503, failed)
            else:
                break
        await other.bye()
        await self.alice.register()
        over = self.bob.sessions[0].ended()
        await self.caller.bye()
        await over

    async def test_restarted(self) -> None:
        """
        The Redis is killed: the call goes on, new ones and registrations get 503. When
        it is back with what it had, so is everybody.
        """
        await self.redis.kill()
        await self.refused()
        await self.talks()
        await self.redis.start()
        await self.comes_back()

    async def test_paused(self) -> None:
        """
        The Redis stands still for a while: the same.
        """
        self.redis.pause()
        await self.refused()
        await self.talks()
        self.redis.resume()
        await self.comes_back()

    async def test_server_killed(self) -> None:
        """
        The server is killed, and the next one goes on with its calls and bindings.
        """
        await self.server.kill()
        await self.server.start()
        await self.talks()
        await self.comes_back()
