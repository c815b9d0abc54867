"""
baresip: a phone without a head, which takes commands and tells events over TCP.
"""

from __future__ import annotations

import json
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.interfaces import IReactorTime
from twisted.protocols.basic import NetstringReceiver
from twisted.python.failure import Failure

from sipsorcery.endpoint import Endpoint, Transport
from tests.integration.ports import free_port
from tests.integration.program import Program
from tests.peers import require
from tests.transport.authority import Authority

_HOST = "127.0.0.1"
# More than any event of a call takes on the slowest machine.
_PATIENCE = 30.0
# What G.711 has: samples a second, and bytes of each before they are coded.
_RATE, _WIDTH = 8000, 2
_SECONDS = 10  # more sound than any test listens to

# Its ringing would need a sound card; an event says the same.
_CONFIG = """\
poll_method         epoll
sip_listen          {host}:{port}
sip_certificate     {folder}/identity.pem
sip_cafile          {authority}
net_interface       {host}
audio_path          {folder}
audio_source        aufile,{folder}/in.wav
audio_player        aufile,{folder}/out.wav
audio_alert         aufile,{folder}/out.wav
ringback_disabled   yes
call_max_calls      4
module_path         /usr/lib/baresip/modules
module              g711.so
module              aufile.so
module_tmp          account.so
module_app          menu.so
module_app          ctrl_tcp.so
ctrl_tcp_listen     127.0.0.1:{control}
"""


@dataclass(frozen=True, slots=True)
class Registration:
    """
    Where a phone is registered.

    :ivar proxy: the server that it asks, over the transport of that.
    """

    domain: str
    proxy: Endpoint
    password: str

    def __str__(self) -> str:
        proxy = f"sip:{self.proxy.host}:{self.proxy.port}"
        transport = self.proxy.transport.value
        return (
            f";auth_pass={self.password};regint=600"
            f';outbound="{proxy};transport={transport}"'
        )


class Baresip:
    """
    One phone, which can be reached over UDP, TCP and TLS.

    :param folder: where it has its files; it must exist.
    :param authority: signs its certificate; it is told to trust no other, but Debian's
        baresip 1.0.0 takes any.
    :param user: who it is.
    :param answers: whether it takes every call at once.
    :param registration: where it is registered; None: nowhere.
    :param host: its address; only at that of the loopback it can be given commands.
    :param within: what to put before its command.
    :param commands: what it does when it has started, as its user would type it.

    :ivar program: its process, whose output says what it thinks.
    """

    def __init__(
        self,
        folder: Path,
        authority: Authority,
        *,
        user: str = "bob",
        answers: bool = False,
        registration: Registration | None = None,
        host: str = _HOST,
        within: Sequence[str] = (),
        commands: Sequence[str] = (),
    ) -> None:
        # Here it has UDP and TCP, on the next port TLS; then comes our own connection.
        self._port = free_port(row=3)
        self._user = user
        self._control: _Control | None = None
        folder = folder.absolute()
        _prepare(folder, authority, host, self._port)
        mode = ";answermode=auto" if answers else ""
        account = f"<sip:{user}@{_HOST}:{self._port}>;regint=0{mode}\n"
        if registration is not None:
            account = f"<sip:{user}@{registration.domain}>{registration}{mode}\n"
        (folder / "accounts").write_text(account, "ascii")
        program = require("baresip", "baresip-core")
        options = [word for each in commands for word in ("-e", each)]
        # It shows each message, so that a test that fails shows them, too.
        options += ["-s", "-f", str(folder)]
        self.program = Program(folder, *within, program, *options)

    async def ready(self) -> None:
        """
        Wait until it takes calls and commands.
        """
        await self.program.says("baresip is ready.")
        endpoint = TCP4ClientEndpoint(reactor, _HOST, self._port + 2)
        self._control = await connectProtocol(endpoint, _Control(self.program))
        # Events are for whom it has accepted.
        await self._control.command("listcalls")

    async def registered(self) -> None:
        """
        Wait until its first registration is done.
        """
        await self.program.says("200 OK (")

    def end(self, transport: Transport) -> Endpoint:
        """
        Give the place where it listens.
        """
        return Endpoint(transport, _HOST, self._port + transport.is_secure)

    def uri(self, transport: Transport) -> str:
        """
        Give the URI to call it at.
        """
        port = self.end(transport).port
        return f"sip:{self._user}@{_HOST}:{port};transport={transport.value}"

    async def dial(self, uri: str) -> None:
        """
        Let it call somebody.
        """
        await self.control.command("dial", uri)

    async def accept(self) -> None:
        """
        Let it take the call that rings.
        """
        await self.control.command("accept")

    async def hang_up(self) -> None:
        """
        Let it end, or refuse, its call.
        """
        await self.control.command("hangup")

    async def hold(self) -> None:
        """
        Let it put its call on hold.
        """
        await self.control.command("hold")

    async def resume(self) -> None:
        """
        Let it go on with its call.
        """
        await self.control.command("resume")

    async def event(self, type: str) -> dict[str, Any]:
        """
        Wait for its next event of a type, such as ``CALL_ESTABLISHED``.

        Those of other types that come before are kept.
        """
        return await self.control.event(type)

    @property
    def control(self) -> _Control:
        """
        Give the connection for commands and events; there is none before `ready`.
        """
        assert self._control is not None, "it has not been waited for"
        return self._control

    async def stop(self) -> None:
        """
        End it.
        """
        await self.program.stop()
        if self._control is not None:
            await self._control.closed


async def connect(caller: Baresip, callee: Baresip, uri: str) -> None:
    """
    Let a phone call another one, which answers.
    """
    await caller.dial(uri)
    try:
        await callee.event("CALL_INCOMING")
        await callee.accept()
        await caller.event("CALL_ESTABLISHED")
        await callee.event("CALL_ESTABLISHED")
    except AssertionError as error:
        both = (caller.program.last, callee.program.last)
        raise AssertionError("\n\n".join((str(error), *both))) from error


class _Control(NetstringReceiver):
    """
    The connection to its module ctrl_tcp: JSON in netstrings.
    """

    def __init__(self, program: Program) -> None:
        self.closed: Deferred[None] = Deferred()
        self._program = program
        self._told: list[str] = []
        self._events: list[dict[str, Any]] = []
        self._replies: list[Deferred[dict[str, Any]]] = []
        self._wanted: list[tuple[str, Deferred[dict[str, Any]]]] = []

    async def command(self, name: str, parameters: str = "") -> None:
        """
        Give a command and wait until it has been carried out.
        """
        reply: Deferred[dict[str, Any]] = Deferred()
        self._replies.append(reply)
        command = {"command": name, "params": parameters}
        self.sendString(json.dumps(command).encode())
        answer = await self._patiently(reply, f"an answer to {name}")
        assert answer["ok"], f"it does not {name}: {answer}; {self._program.last}"

    async def event(self, type: str) -> dict[str, Any]:
        """
        Wait for the next event of a type.
        """
        event: Deferred[dict[str, Any]] = Deferred()
        self._wanted.append((type, event))
        self._deal()
        return await self._patiently(event, type)

    async def _patiently(
        self, waiting: Deferred[dict[str, Any]], what: str
    ) -> dict[str, Any]:
        try:
            return await waiting.addTimeout(_PATIENCE, IReactorTime(reactor))
        except (TimeoutError, ConnectionError) as error:
            text = f"{what} never came, but {self._told}; {self._program.last}"
            raise AssertionError(text) from error

    def _deal(self) -> None:
        for want in list(self._wanted):
            type, waiting = want
            if waiting.called:
                # Nobody waits any longer.
                self._wanted.remove(want)
                continue
            for event in self._events:
                if event["type"] == type:
                    self._events.remove(event)
                    self._wanted.remove(want)
                    waiting.callback(event)
                    break

    # What Twisted calls

    def stringReceived(self, string: bytes) -> None:
        """
        Tell replies, which come in the order of the commands, from events.
        """
        message = json.loads(string)
        if message.get("response"):
            self._replies.pop(0).callback(message)
        else:
            self._told.append(message["type"])
            self._events.append(message)
            self._deal()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """
        Note that it has ended, and whoever waits waits in vain.
        """
        self.closed.callback(None)
        for waiting in (*self._replies, *(event for _, event in self._wanted)):
            if not waiting.called:
                waiting.errback(ConnectionError("baresip is gone"))


def _prepare(folder: Path, authority: Authority, host: str, port: int) -> None:
    """
    Write its configuration, its certificate and what it has to say.
    """
    files = authority.issue("phone", host)
    identity = files.certificate.read_bytes() + files.key.read_bytes()
    (folder / "identity.pem").write_bytes(identity)
    config = _CONFIG.format(
        host=host,
        port=port,
        control=port + 2,
        folder=folder,
        authority=authority.file.absolute(),
    )
    (folder / "config").write_text(config, "utf-8")
    with wave.open(str(folder / "in.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(_WIDTH)
        sound.setframerate(_RATE)
        sound.writeframes(bytes(_WIDTH * _RATE * _SECONDS))
