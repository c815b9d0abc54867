"""
Pages for dialplans, from a real web server.
"""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.trial.unittest import TestCase
from twisted.web import resource, server
from twisted.web.http import Request

from sipsorcery.appserver.outside.addresses import is_public
from sipsorcery.appserver.outside.web import MAX_PAGE, Web, WebError

_HOST = "127.0.0.1"


class Page(resource.Resource):
    """
    A page with a status, fields and a body; None: it never ends.
    """

    isLeaf = True

    def __init__(
        self, body: bytes | None, status: int = 200, location: str = ""
    ) -> None:
        super().__init__()
        self._body = body
        self._status = status
        self._location = location

    def render(self, request: Request) -> Any:
        """
        Send the page.
        """
        request.setResponseCode(self._status)
        if self._location:
            request.setHeader("location", self._location)
        if self._body is None:
            request.write(b"wait")
            return server.NOT_DONE_YET
        return self._body


class WebTests(TestCase):
    def setUp(self) -> None:
        self.root = resource.Resource()
        loop: Any = reactor
        site = server.Site(self.root)
        site.displayTracebacks = False
        port = loop.listenTCP(0, site, interface=_HOST)
        self.addCleanup(port.stopListening)
        self.url = f"http://{_HOST}:{port.getHost().port}/"
        self.web = Web(reactor, lambda host: host == _HOST)

    def page(self, name: str, *given: Any) -> str:
        """
        Put a page up, and give its URL.
        """
        self.root.putChild(name.encode(), Page(*given))
        return self.url + name

    def refused(self, url: str, text: str, web: Web | None = None) -> Deferred[None]:
        """
        Check that there is no page, and that the reason is told.
        """

        async def get() -> None:
            try:
                page = await (web or self.web).get(url, 0.5)
            except WebError as error:
                self.assertIn(text, str(error))
            else:
                self.fail(f"{url} gives {page}")

        return maybeDeferred(Deferred.fromCoroutine, get())

    async def test_page(self) -> None:
        """
        A page is given as text, whatever is no UTF-8 in it.
        """
        page = await self.web.get(self.page("a", b"caf\xc3\xa9 \xff"))
        self.assertEqual(page, "café \N{REPLACEMENT CHARACTER}")

    async def test_long(self) -> None:
        """
        Of a long page the beginning is given.
        """
        page = await self.web.get(self.page("a", b"x" * 100_000))
        self.assertEqual(len(page), MAX_PAGE)

    async def test_redirection(self) -> None:
        """
        A redirection is followed, and an endless one is not.
        """
        self.page("b", b"there")
        page = await self.web.get(self.page("a", b"", 302, "/b"))
        self.assertEqual(page, "there")
        await self.refused(self.page("c", b"", 302, "/c"), "redirections")

    async def test_refused(self) -> None:
        """
        Other schemes, passwords, and what is no URL are not asked.
        """
        for url in (
            "file:///etc/passwd",
            "ftp://example.org/",
            "http://",
            "http://user:word@example.org/",
            "http://example.org:0/",
            "http://exa mple.org/",
            "http://[::1/",
            "http://example.org:99999/",
            "",
        ):
            await self.refused(url, "")

    async def test_failures(self) -> None:
        """
        An error of the server, silence and a closed port are told.
        """
        await self.refused(self.page("a", b"", 404), "404")
        await self.refused(self.page("b", None), "too long")
        await self.refused(f"http://{_HOST}:1/", "no answer")

    async def test_private(self) -> None:
        """
        No address of ours is reached, by whatever name, nor by a redirection.
        """
        careful = Web(reactor, is_public)
        page = self.page("a", b"secret")
        port = page.split(":")[2]
        for url in (page, f"http://localhost:{port}", f"http://[::ffff:7f00:1]:{port}"):
            await self.refused(url, "public network", careful)
        moved = self.page("b", b"", 302, page.replace(_HOST, "127.0.0.2"))
        await self.refused(moved, "public network")
