"""
Tests for `sipsorcery.proxy.owners`, with all that brings a request to its dialogue.
"""

from __future__ import annotations

from sipsorcery.access.dialogue_names import new_identifier
from sipsorcery.endpoint import Endpoint
from tests.proxy.world import EVIL, PHONE_A, PROXY, SERVER, Peer, ProxyWorld

FIRST = Endpoint.parse(f"udp:{SERVER}:5065")
SECOND = Endpoint.parse(f"udp:{SERVER}:5066")


class OwnersTests(ProxyWorld):
    """
    Requests within calls, to the Contact that the application server has given.
    """

    def setUp(self) -> None:
        super().setUp()
        self.roles["appserver"] = FIRST
        self.roles["appserver 2"] = SECOND
        self.trusted.update((FIRST, SECOND))
        self.first = Peer(self, SERVER, 5065)
        self.second = Peer(self, SERVER, 5066)

    def contact(self, server: Endpoint, host: str = PROXY) -> str:
        """
        Give the Contact of a new dialogue at a server.
        """
        return f"sip:{self.names.write(server, new_identifier())}@{host}"

    def test_without_route(self) -> None:
        """
        A phone that ignores Record-Route reaches the server that has its dialogue,
        without any credentials, and gets the answer.
        """
        uri = self.contact(SECOND)
        for number, method in enumerate(("INVITE", "ACK", "INFO", "BYE")):
            self.a.send(self.a.make(method, uri, branch=f"{number}", to_tag="us"))
            request = self.second.request()
            self.assertEqual((request.method, request.request_uri), (method, uri))
            if method != "ACK":
                self.second.send(request.respond(200), to="10.0.0.1", port=5059)
                self.assertEqual(self.a.statuses(), [200])
        self.assertEqual(self.first.inbox, [])

    def test_told_where_it_came_from(self) -> None:
        """
        The server is told the real source of the request, as with any other.
        """
        self.a.send(self.a.make("BYE", self.contact(FIRST), to_tag="us"))
        request = self.first.request()
        self.assertEqual(request.get("Proxy-ReceivedFrom"), f"udp:{PHONE_A}:33000")

    def test_with_route(self) -> None:
        """
        Where the Routes lead inside, the name says to which server.
        """
        uri = self.contact(SECOND)
        self.a.send(
            self.a.make("INVITE", self.contact(FIRST), f"Contact: <sip:{PHONE_A}>")
        )
        routes = self.first.request().all("Record-Route")
        line = "Route: " + ", ".join(reversed(list(routes)))
        self.a.send(self.a.make("BYE", uri, line, branch="2", to_tag="us"))
        self.assertEqual(self.second.request().method, "BYE")

    def test_server_is_gone(self) -> None:
        """
        The dialogue of a server that is no more goes to another one.
        """
        gone = Endpoint.parse(f"udp:{SERVER}:5099")
        self.a.send(self.a.make("BYE", self.contact(gone), to_tag="us"))
        self.assertEqual(self.first.request().method, "BYE")

    def test_new_call(self) -> None:
        """
        A request outside of dialogs to a dialogue, such as an INVITE that replaces it,
        goes there, too.
        """
        self.a.send(self.a.make("INVITE", self.contact(SECOND)))
        self.assertEqual(self.second.request().method, "INVITE")

    def test_by_address(self) -> None:
        """
        Nobody is led to a server inside by its address, neither by one that is trusted.
        """
        for uri in (f"sip:{SERVER}:5066", f"sip:100@{SERVER}:5066;transport=udp"):
            for method in ("OPTIONS", "INVITE", "BYE"):
                request = self.first.make(method, uri, to_tag="us")
                self.first.send(request, to="10.0.0.1", port=5059)
                self.assertEqual(self.first.statuses()[-1], 403)
        route = f"Route: <sip:10.0.0.1:5059;lr>, <sip:{SERVER}:5066;lr>"
        request = self.first.make("BYE", f"sip:{PHONE_A}", route, to_tag="us")
        self.first.send(request, to="10.0.0.1", port=5059)
        self.assertEqual(self.first.statuses(), [403])
        self.assertEqual(self.second.inbox, [])

    def test_elsewhere(self) -> None:
        """
        A name of ours at somebody else's host is nothing of ours.
        """
        uri = self.contact(FIRST, EVIL)
        self.a.send(self.a.make("BYE", uri, to_tag="us"))
        self.assertEqual(self.a.statuses(), [403])
        self.assertEqual(self.first.inbox, [])

    def test_forged(self) -> None:
        """
        A name that is not ours is that of a user who does not exist.
        """
        uri = self.contact(FIRST)
        forged = uri.replace("dlg.", "dlg.A", 1)
        self.a.send(self.a.make("BYE", forged, to_tag="us"))
        self.assertEqual(self.a.statuses(), [404])
        self.assertEqual(self.first.inbox, [])
