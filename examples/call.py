"""
Call somebody, talk for a while, and hang up.

Usage: python -m examples.call URI [SECONDS]
"""

import sys

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater, react

from sipsorcery.ua import RequestFailed, UserAgent, audio

MEDIA = audio("127.0.0.1", 4000)  # where a media server of yours listens


async def main(reactor: IReactorTime, uri: str, seconds: str = "5") -> None:
    """
    Make one call.
    """
    async with UserAgent(reactor, ["udp:127.0.0.1:0"]) as agent:
        call = agent.invite(uri, MEDIA)
        async for response, _ in call.progress:
            print(response.status, response.reason)
        try:
            session = await call.answered()
        except RequestFailed as error:
            print("refused:", error)
            return
        print("talking to", session.peer.uri)
        await deferLater(reactor, float(seconds))
        await session.bye()
        print("hung up")


if __name__ == "__main__":
    react(lambda *args: Deferred.fromCoroutine(main(*args)), sys.argv[1:])
