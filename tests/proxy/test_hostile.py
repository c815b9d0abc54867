"""
Tests of a whole proxy against whatever may come.
"""

from __future__ import annotations

from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogPublisher

from sipsorcery.proxy.token import INSIDE, Tokens, Use
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.secrets import Purpose, Secrets
from tests.proxy.house import PROXY
from tests.proxy.test_accounts import AccountsCase

_METHODS = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "REGISTER", "MESSAGE", "x")
_HOSTS = (
    *("example.com", PROXY, "127.0.0.1:5059", "127.0.0.1:5001", "192.0.2.80"),
    *("[::1]", "0.0.0.0", "evil.example", "[", "", "255.255.255.255"),
)
_FIELDS = (
    *("Via", "From", "To", "Call-ID", "CSeq", "Max-Forwards", "Route", "Contact"),
    *("Record-Route", "Path", "Proxy-Authorization", "Proxy-Require", "Privacy"),
    *("Content-Length", "Content-Type", "P-Asserted-Identity", "Proxy-SendFrom"),
    *("User-Agent", "Expires", "Require", "Timestamp"),
)
_ADDRESSES = st.sampled_from(
    ["198.51.100.7", "198.51.100.12", "192.0.2.80", "203.0.113.77"]
)


class HostileTests(AccountsCase):
    """
    Messages that nobody means well with.
    """

    config = "[limits]\npackets = ''\nban = 0"
    count = 0

    def setUp(self) -> None:
        super().setUp()
        contact = SIPURI.parse("sip:bob@198.51.100.7:33000")
        self.place("sip:bob@example.com", str(contact))
        secrets = Secrets(self.data_dir)
        secrets.load()
        self.tokens = Tokens(secrets.keys(Purpose.FLOW))
        self.failures: list[LogEvent] = []
        observer = cast(ILogObserver, self.note)
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        self.addCleanup(self.assert_serves)

    def note(self, event: LogEvent) -> None:
        """
        Keep what the log has of faults of ours.
        """
        if event["log_level"] >= LogLevel.error:
            self.failures.append(event)

    @settings(max_examples=150, deadline=None)
    @given(st.data())
    def test_anything(self, data: st.DataObject) -> None:
        """
        Whatever comes, from wherever, on whichever socket, is answered or dropped; no
        code of ours fails, and the next request is served.
        """
        draw = data.draw
        method = draw(st.sampled_from(_METHODS))
        lines = [draw(self.start_lines(method))]
        usual = self.usual(method)
        lines += draw(st.sampled_from([usual, usual, usual, usual[1:], []]))
        lines += draw(st.lists(self.fields(), max_size=4))
        text = "\r\n".join(lines) + "\r\n\r\n" + draw(st.text(max_size=20))
        source = (draw(_ADDRESSES), draw(st.sampled_from([5060, 33000, 5065])))
        to = draw(st.sampled_from([(PROXY, 5060), ("127.0.0.1", 5059)]))
        octets = bytearray(text.encode("utf-8", "surrogatepass"))
        for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
            octets[draw(st.integers(0, len(octets) - 1))] = draw(st.integers(0, 255))
        self.network.send(bytes(octets), source, to)
        self.settle()
        self.assertEqual(self.failures, [], octets)
        self.assertEqual(self.flushLoggedErrors(), [])

    def assert_serves(self) -> None:
        """
        Check that whoever comes afterwards is served.
        """
        self.network.advance(200)
        self.c.send(self.c.make("OPTIONS", "sip:example.com"))
        self.assertEqual(self.c.response().status, 200)
        self.assertEqual(self.failures, [])

    def usual(self, method: str) -> list[str]:
        """
        Give the fields that make a request whole.
        """
        self.count += 1
        branch = f"z9hG4bK{self.count // 2}"  # some twice
        return [
            f"Via: SIP/2.0/UDP 198.51.100.7:33000;branch={branch};rport",
            "From: <sip:mallory@elsewhere.example>;tag=m",
            "To: <sip:bob@example.com>",
            "Call-ID: usual",
            f"CSeq: 1 {method}",
            "Max-Forwards: 70",
        ]

    def uris(self) -> st.SearchStrategy[str]:
        """
        Make URIs, some with tokens of ours.
        """
        tokens = [self.tokens.write(use, INSIDE) for use in Use]
        users = st.sampled_from(["", "bob@", "nobody@", *(f"{one}@" for one in tokens)])
        parameters = st.sampled_from(
            ["", ";lr", ";transport=tcp", ";maddr=192.0.2.80", ";lr;ob", ";gr=x", ";;"]
        )
        schemes = st.sampled_from(["sip:", "sips:", "tel:", "SIP:", ""])
        return st.builds(
            "{}{}{}{}".format, schemes, users, st.sampled_from(_HOSTS), parameters
        )

    def start_lines(self, method: str) -> st.SearchStrategy[str]:
        """
        Make request lines and status lines.
        """
        request = st.builds(f"{method} {{}} SIP/2.0".format, self.uris())
        bob = st.just(f"{method} sip:bob@example.com SIP/2.0")
        response = st.builds("SIP/2.0 {} x".format, st.integers(90, 710))
        return st.one_of(request, request, bob, response, st.text(max_size=40))

    def fields(self) -> st.SearchStrategy[str]:
        """
        Make fields.
        """
        values = st.one_of(
            st.builds("<{}>".format, self.uris()),
            st.builds("<{}>;tag=x;expires=1".format, self.uris()),
            st.builds(
                "SIP/2.0/{} {};branch=z9hG4bK{}".format,
                st.sampled_from(["UDP", "TCP", "x"]),
                st.sampled_from(_HOSTS),
                st.text(max_size=8),
            ),
            st.builds(
                "{} {}".format, st.integers(-1, 2**33), st.sampled_from(_METHODS)
            ),
            st.text(max_size=40),
        )
        return st.builds("{}: {}".format, st.sampled_from(_FIELDS), values)
