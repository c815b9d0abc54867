"""
Calls for two application servers behind a proxy, with a registrar and one Redis: five
processes, of which some are killed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults

from sipsorcery.control import ask
from sipsorcery.endpoint import Endpoint
from sipsorcery.ua import CallCancelled, RequestFailed, ServerCall
from tests.integration.killed import (
    DOMAIN,
    MEDIA,
    KilledServer,
    Phone,
    RedisPhonesCase,
    sleep,
    wait_for,
)
from tests.integration.ports import free_port
from tests.integration.twistd import Twistd

# How often, and after how many seconds each, to look what the proxy knows.
_LOOKS, _STEP = 300, 0.1


class Suite(KilledServer):
    """
    A proxy, a registrar and application servers as processes of their own.

    :param servers: how many application servers there are.

    :ivar ports: those of the application servers.
    """

    def __init__(self, folder: Path, redis: str, servers: int = 2) -> None:
        self.ports = [free_port() for _ in range(servers)]
        self.file = folder / "dispatch"
        text = f'[storage]\nlive = "{redis}"'
        super().__init__(folder, text)
        listen = f'listen = ["udp:127.0.0.1:{self.port}"]'
        self.text = self.text.replace(
            listen,
            f'{listen}\ninside = "udp:127.0.0.1:{free_port()}"\n'
            f'dispatch_file = "{self.file.absolute()}"\ndispatch_probe = "invite"',
        )
        self.file.write_text("".join(f"100,{end}\n" for end in self.ends))
        self.servers: dict[Endpoint, Twistd] = {}
        self.others: list[Twistd] = []

    @property
    def ends(self) -> list[Endpoint]:
        """
        Where the application servers are.
        """
        return [Endpoint.parse(f"udp:127.0.0.1:{port}") for port in self.ports]

    async def start(self) -> None:
        """
        Start everything, and wait until the proxy knows that the servers are well.
        """
        # The first one makes what all of them share.
        self.others.append(await self.run("sipregistrar"))
        starting = [Deferred.fromCoroutine(self.start_server(end)) for end in self.ends]
        await gatherResults(starting)
        self.others.append(await self.run("sipproxy"))
        await self.states(*["up"] * len(self.ends))

    async def start_server(self, end: Endpoint) -> None:
        """
        Start an application server.
        """
        self.servers[end] = await self.run("sipappserver", "--listen", str(end))

    async def kill_server(self, end: Endpoint) -> None:
        """
        Kill an application server.
        """
        await self.servers.pop(end).kill()

    async def stop(self) -> None:
        """
        End everything.
        """
        for process in (*self.servers.values(), *self.others):
            await process.stop()

    async def table(self) -> list[dict[str, Any]]:
        """
        Give what the proxy knows of the application servers.
        """
        rows: list[dict[str, Any]] = await self.ask("proxy", "dispatch")
        return rows

    async def ask(self, server: str, verb: str, **arguments: str) -> Any:
        """
        Ask a server on its control socket.
        """
        return await ask(reactor, self.folder / "data", server, verb, **arguments)

    async def states(self, *states: str) -> None:
        """
        Wait until the proxy finds the servers to be in these states.
        """
        for _ in range(_LOOKS):
            table = await self.table()
            if [row["state"] for row in table] == list(states):
                return
            await sleep(_STEP)
        raise AssertionError(f"it never was {states}: {table}\n{self.output()}")

    def output(self) -> str:
        """
        Give the last lines of all processes.
        """
        processes = (*self.others, *self.servers.values())
        return "\n\n".join("\n".join(each.lines[-20:]) for each in processes)

    async def run(self, role: str, *options: str) -> Twistd:
        """
        Start a server, and wait until it is ready.
        """
        process = Twistd(self.folder, "-n", "--pidfile=", role, *options)
        await process.wait_for("Ready")
        return process


class RingingPhone(Phone):
    """
    A phone that nobody picks up.

    :ivar calls: those that have come.
    :ivar cancelled: how many of these have been cancelled.
    """

    def __init__(self, server: KilledServer, user: str) -> None:
        super().__init__(server, user)
        self.calls = 0
        self.cancelled = 0

    async def _answer(self, call: ServerCall) -> None:
        self.calls += 1
        call.ring()
        try:
            await call.answered()
        except CallCancelled:
            self.cancelled += 1


class DispatchingTests(RedisPhonesCase):
    """
    Two phones, and the loss of the server that has their call.
    """

    server: Suite

    def make_server_with(self, folder: Path, redis: str) -> Suite:
        return Suite(folder, redis)

    async def test_killed(self) -> None:
        """
        When the server of an established call is killed, the other one goes on with
        it: both parties hold and hang up; new calls go there at once, and to the first
        one again when it is back.
        """
        for end in self.server.ends:
            self.bob.sessions.clear()
            caller = await self.alice.call("101")
            await wait_for(lambda: self.bob.sessions)
            callee = self.bob.sessions[0]
            await self.server.kill_server(end)
            other = await self.alice.call("101")
            await caller.hold()
            self.assertTrue(callee.is_held)
            await caller.resume()
            over = callee.ended()
            await caller.bye()
            await over
            await other.bye()
            states = ("down", "up") if end == self.server.ends[0] else ("up", "down")
            await self.server.states(*states)
            await self.server.start_server(end)
            await self.server.states("up", "up")
        listed = await self.server.command("dispatch")
        self.assertEqual([row["answer"] for row in listed], ["420 Bad Extension"] * 2)


class RingingTests(RedisPhonesCase):
    """
    Two phones, one of which rings when the server of the call is killed for good.
    """

    server: Suite
    bob_is = RingingPhone
    bob: RingingPhone

    def make_server_with(self, folder: Path, redis: str) -> Suite:
        return Suite(folder, redis)

    async def test_killed(self) -> None:
        """
        The other server finds that nobody is there any more: the phone rings no longer,
        and the caller gets an answer, long before a proxy gives the call up.
        """
        call = self.alice.agent.invite(f"sip:101@{DOMAIN}", MEDIA)
        await wait_for(lambda: self.bob.calls)
        await self.server.kill_server(await self.busy())
        try:
            await call.answered()
        except RequestFailed as failed:
            self.assertEqual(failed.status, 480, failed)
        else:
            self.fail("nobody has answered")
        await wait_for(lambda: self.bob.cancelled)
        self.assertEqual((self.bob.calls, self.bob.cancelled), (1, 1))

    async def busy(self) -> Endpoint:
        """
        Give the server that has the call.
        """
        for end in self.server.ends:
            if await self.server.ask(f"appserver-{end.port}", "calls"):
                return end
        raise AssertionError("nobody has it")
