"""
Getting pages of the public web.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin, urlsplit

from twisted.internet import defer
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import (
    TCP4ClientEndpoint,
    TCP6ClientEndpoint,
    wrapClientTLS,
)
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IResolutionReceiver,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.ssl import optionsForClientTLS
from twisted.python.failure import Failure
from twisted.web.client import URI, Agent, ResponseFailed
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory, IResponse
from zope.interface import implementer

from sipsorcery import __version__
from sipsorcery.appserver.errors import AppServerError

#: Bytes of a page that a dialplan gets.
MAX_PAGE = 8192
#: Redirections that are followed.
MAX_REDIRECTIONS = 3
#: Seconds until a page is given up, however much longer a dialplan would wait.
MAX_SECONDS = 30.0

_MAX_URL = 2048
_PORTS = {"http": 80, "https": 443}
_MOVED = frozenset({301, 302, 303, 307, 308})


class WebError(AppServerError):
    """
    Says why there is no page.
    """


class Web:
    """
    Gets pages, and reaches no address but those that it may.

    A host is resolved once; its address is judged, and that very address is connected
    to, so that no second answer of a name server leads elsewhere. Redirections are
    judged like the first URL.

    :param is_allowed: tells whether an IP address may be reached.
    """

    def __init__(
        self,
        reactor: Any,
        is_allowed: Callable[[str], bool],
        *,
        resolver: IHostnameResolver | None = None,
        trust: Any = None,
    ) -> None:
        self._reactor = reactor
        endpoints = _Endpoints(reactor, is_allowed, resolver, trust)
        self._agent = Agent.usingEndpointFactory(reactor, endpoints)

    async def get(self, url: str, seconds: float = 10.0, *, token: str = "") -> str:
        """
        Get the beginning of a page, as text.

        :param token: proves who asks (:rfc:`6750`); no redirection takes it along.

        :raises WebError: if there is none.
        """
        getting = Deferred.fromCoroutine(self._follow(url, token))
        getting.addTimeout(min(max(seconds, 0.1), MAX_SECONDS), self._reactor)
        try:
            body = await getting
        except WebError:
            raise
        except (defer.TimeoutError, defer.CancelledError):
            raise WebError("it took too long") from None
        except (ConnectError, DNSLookupError, ResponseFailed, OSError) as error:
            raise WebError(f"there is no answer: {_sentence(error)}") from None
        except Exception as error:  # whatever a strange server makes of it
            raise WebError(f"it cannot be read: {_sentence(error)}") from None
        return body.decode("utf-8", "replace")

    async def _follow(self, url: str, token: str) -> bytes:
        headers = _HEADERS
        if token:
            headers = _HEADERS.copy()
            headers.addRawHeader("Authorization", f"Bearer {_checked(token)}")
        for _ in range(MAX_REDIRECTIONS + 1):
            _check(url)
            response: IResponse = await self._agent.request(
                b"GET", url.encode("ascii"), headers
            )
            headers = _HEADERS
            moved = response.headers.getRawHeaders(b"location")
            if response.code in _MOVED and moved:
                _drop(response)
                url = urljoin(url, moved[0].decode("latin-1"))
                continue
            if not 200 <= response.code < 300:
                _drop(response)
                raise WebError(f"the server says {response.code}")
            return await _read(response)
        raise WebError("there are too many redirections")


_HEADERS = Headers({"User-Agent": [f"sipsorcery/{__version__}"]})


def _checked(token: str) -> str:
    if not token.isascii() or not token.isprintable() or len(token) > _MAX_URL:
        raise WebError("it is no token")
    return token


def _check(url: str) -> None:
    """
    Judge what can be judged of a URL without asking anybody.
    """
    if len(url) > _MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise WebError("it is no URL")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise WebError("it is no URL") from None
    if parts.scheme not in _PORTS or not host:
        raise WebError("only http and https can be asked")
    if parts.username is not None or parts.password is not None:
        raise WebError("a URL with a password in it is not asked")
    if port == 0:
        raise WebError("there is no port 0")


@implementer(IAgentEndpointFactory)
class _Endpoints:
    """
    Makes endpoints that lead to addresses that were judged.
    """

    def __init__(
        self,
        reactor: Any,
        is_allowed: Callable[[str], bool],
        resolver: IHostnameResolver | None,
        trust: Any,
    ) -> None:
        self._reactor = reactor
        self._is_allowed = is_allowed
        self._resolver = resolver
        self._trust = trust

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        """
        Make the endpoint for a URL.
        """
        host = uri.host.decode("ascii").strip("[]")
        endpoint: IStreamClientEndpoint = _Judged(self, host, uri.port)
        if uri.scheme == b"https":
            options = optionsForClientTLS(host, trustRoot=self._trust)
            endpoint = wrapClientTLS(options, endpoint)
        return endpoint

    def resolve(self, host: str) -> Deferred[list[str]]:
        """
        Find the addresses of a host.
        """
        done: Deferred[list[str]] = Deferred()
        resolver: IHostnameResolver = self._resolver or self._reactor.nameResolver
        resolver.resolveHostName(_Addresses(done), host)
        return done

    async def connect(self, factory: Any, host: str, port: int) -> Any:
        """
        Connect to the first address of a host, if all are allowed.
        """
        addresses = await self.resolve(host)
        if not addresses:
            raise WebError("there is no such host")
        if not all(map(self._is_allowed, addresses)):
            raise WebError("its address is not in the public network")
        address = addresses[0]
        kind = TCP6ClientEndpoint if ":" in address else TCP4ClientEndpoint
        return await kind(self._reactor, address, port).connect(factory)


@implementer(IStreamClientEndpoint)
class _Judged:
    """
    Connects to a host whose addresses may all be reached.
    """

    def __init__(self, endpoints: _Endpoints, host: str, port: int) -> None:
        self._endpoints = endpoints
        self._host = host
        self._port = port

    def connect(self, factory: Any) -> Deferred[Any]:
        """
        Connect.
        """
        connecting = self._endpoints.connect(factory, self._host, self._port)
        return Deferred.fromCoroutine(connecting)


@implementer(IResolutionReceiver)
class _Addresses:
    """
    Gathers what a resolver finds.
    """

    def __init__(self, done: Deferred[list[str]]) -> None:
        self._found: list[str] = []
        self._done = done

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        """
        Wait for the addresses.
        """

    def addressResolved(self, address: IAddress) -> None:
        """
        Take an address.
        """
        if isinstance(address, IPv4Address | IPv6Address):
            self._found.append(address.host)

    def resolutionComplete(self) -> None:
        """
        Give all of them.
        """
        if not self._done.called:
            self._done.callback(self._found)


class _Reader(Protocol):
    """
    Reads the beginning of a body.
    """

    def __init__(self, done: Deferred[bytes]) -> None:
        self._data = b""
        self._done = done

    def dataReceived(self, data: bytes) -> None:
        """
        Keep what has room.
        """
        self._data += data[: MAX_PAGE - len(self._data)]
        if len(self._data) >= MAX_PAGE:
            self._finish()
            assert self.transport is not None  # it has brought this
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Give what has come.
        """
        self._finish()

    def _finish(self) -> None:
        if not self._done.called:
            self._done.callback(self._data)


def _read(response: IResponse) -> Deferred[bytes]:
    """
    Read a body; whoever waits no more closes the connection.
    """

    def close(_: Deferred[bytes]) -> None:
        if reader.transport is not None:
            reader.transport.loseConnection()

    done: Deferred[bytes] = Deferred(close)
    reader = _Reader(done)
    response.deliverBody(reader)
    return done


def _drop(response: IResponse) -> None:
    """
    Close the connection: nobody reads what comes.
    """
    reader = _Reader(Deferred())
    response.deliverBody(reader)
    if reader.transport is not None:
        reader.transport.loseConnection()


def _sentence(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
