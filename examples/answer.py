"""
Answer every call, and hold the line until the caller hangs up.

Usage: python -m examples.answer [ADDRESS ...], such as udp:0.0.0.0:5060.
"""

import sys

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import react

from sipsorcery.ua import ServerCall, UserAgent, audio

MEDIA = audio("127.0.0.1", 4000)  # where a media server of yours listens


async def answer(call: ServerCall) -> None:
    """
    Ring, answer, and tell how it went.
    """
    call.ring()
    session = await call.answer(MEDIA)
    print("talking to", session.peer.uri, flush=True)
    ending = await session.ended()
    print(ending.reason, flush=True)


async def main(reactor: IReactorTime, *listen: str) -> None:
    """
    Listen for ever.
    """
    async with UserAgent(reactor, listen or ["udp:0.0.0.0:5060"]) as agent:
        agent.on_invite(answer)
        print("ready", flush=True)
        await Deferred[None]()


if __name__ == "__main__":
    react(lambda *args: Deferred.fromCoroutine(main(*args)), sys.argv[1:])
