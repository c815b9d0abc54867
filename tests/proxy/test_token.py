"""
Tests for `sipsorcery.proxy.token`.
"""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.proxy.errors import Refused
from sipsorcery.proxy.token import (
    INSIDE,
    ConnectionFlow,
    DatagramFlow,
    OutwardFlow,
    Token,
    TokenFlow,
    Tokens,
    Use,
    call_mark,
)
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.secrets import Key

OLD = Key(1, b"o" * 32, 0.0)
NEW = Key(2, b"n" * 32, 100.0)
A = DatagramFlow(
    Endpoint.parse("udp:203.0.113.1:5060"), Endpoint.parse("udp:198.51.100.7:33000")
)
B = ConnectionFlow(0, b"8 octets", 42)

_ports = st.integers(0, 65535)


def _datagram_flows(addresses: st.SearchStrategy[str]) -> st.SearchStrategy[TokenFlow]:
    ends = st.builds(Endpoint, st.just(Transport.UDP), addresses, _ports)
    return st.builds(DatagramFlow, ends, ends)


flows: st.SearchStrategy[TokenFlow] = st.one_of(
    st.just(INSIDE),
    st.text().map(call_mark).map(OutwardFlow),
    _datagram_flows(st.ip_addresses(v=4).map(str)),
    _datagram_flows(st.ip_addresses(v=6).map(str)),
    st.builds(
        ConnectionFlow,
        st.integers(0, 2**16 - 1),
        st.binary(min_size=8, max_size=8),
        st.integers(0, 2**64 - 1),
    ),
)


class TokensTests(SynchronousTestCase):
    """
    Tokens as they travel.
    """

    def setUp(self) -> None:
        self.tokens = Tokens([OLD])

    def assert_refused(self, text: str, tokens: Tokens | None = None) -> None:
        """
        Check that a text is no token of ours.
        """
        with self.assertRaises(Refused) as caught:
            (tokens or self.tokens).read(text)
        self.assertEqual(caught.exception.status, 403)

    @given(st.sampled_from(Use), flows)
    def test_round_trip(self, use: Use, flow: TokenFlow) -> None:
        """
        What a token was made of is what it says.
        """
        text = Tokens([OLD]).write(use, flow)
        self.assertEqual(Tokens([OLD]).read(text), Token(use, flow))

    @given(st.sampled_from(Use), flows)
    def test_same_for_the_same(self, use: Use, flow: TokenFlow) -> None:
        """
        A token holds no time and nothing random: a request that is sent again gets
        the same one, in every process that has the secrets.
        """
        self.assertEqual(
            Tokens([OLD]).write(use, flow), Tokens([OLD, NEW]).write(use, flow)
        )

    @given(flows)
    def test_is_a_user_part(self, flow: TokenFlow) -> None:
        """
        A token stands in a URI as it is, without escapes.
        """
        text = Tokens([OLD]).write(Use.RECORD_ROUTE, flow)
        self.assertIsNotNone(re.fullmatch("[A-Za-z0-9_-]+", text))
        self.assertEqual(SIPURI.parse(f"sip:{text}@127.0.0.1:5059;lr").user, text)

    def test_use_is_part_of_it(self) -> None:
        """
        Tokens of one flow for two uses are two tokens.
        """
        texts = {self.tokens.write(use, A) for use in Use}
        self.assertEqual(len(texts), len(Use))

    def test_every_character_counts(self) -> None:
        """
        A token with any character changed, left out or doubled is refused.
        """
        for flow in (A, B, INSIDE):
            text = self.tokens.write(Use.RECORD_ROUTE, flow)
            for place, old in enumerate(text):
                for new in "AZaz09_-=.~ %":
                    if new != old:
                        self.assert_refused(text[:place] + new + text[place + 1 :])
                self.assert_refused(text[:place] + text[place + 1 :])
                self.assert_refused(text[:place] + old + text[place:])

    def test_every_length(self) -> None:
        """
        A token that is cut, padded or followed by more is refused.
        """
        text = self.tokens.write(Use.PATH, B)
        for length in range(len(text)):
            self.assert_refused(text[:length])
        for more in ("A", "=", "==", "\n", "A" * 1000):
            self.assert_refused(text + more)

    @given(st.text(max_size=200))
    def test_any_text(self, text: str) -> None:
        """
        Whatever else stands there is no token.
        """
        self.assert_refused(text, Tokens([OLD]))

    def test_rotation(self) -> None:
        """
        The first key signs; a token of an older one is good as long as that is known.
        """
        text = self.tokens.write(Use.PATH, A)
        both = Tokens([NEW, OLD])
        self.assertEqual(both.read(text), Token(Use.PATH, A))
        self.assertNotEqual(both.write(Use.PATH, A), text)
        self.assert_refused(text, Tokens([NEW]))

    def test_identifier_is_not_the_key(self) -> None:
        """
        Another secret under the same identifier verifies nothing.
        """
        other = Tokens([Key(OLD.identifier, b"x" * 32, 0.0)])
        self.assert_refused(self.tokens.write(Use.PATH, A), other)


class TokenTests(SynchronousTestCase):
    """
    Who may use a token.
    """

    def is_refused(self, use: Use, *, is_trusted: bool, in_dialog: bool) -> bool:
        """
        Tell whether a token is refused.
        """
        try:
            Token(use, A).check(is_trusted=is_trusted, in_dialog=in_dialog)
        except Refused as refused:
            self.assertEqual(refused.status, 403)
            return True
        return False

    def test_inside(self) -> None:
        """
        A role may use any token.
        """
        for use in (Use.PATH, Use.RECORD_ROUTE):
            for in_dialog in (True, False):
                self.assertFalse(
                    self.is_refused(use, is_trusted=True, in_dialog=in_dialog)
                )

    def test_via(self) -> None:
        """
        A token of a Via, which every server on the way reads, is good for no request.
        """
        for is_trusted in (True, False):
            self.assertTrue(
                self.is_refused(Use.VIA, is_trusted=is_trusted, in_dialog=True)
            )

    def test_path_from_outside(self) -> None:
        """
        A token of a Path, which only the registrar was told, is refused from outside.
        """
        for in_dialog in (True, False):
            self.assertTrue(
                self.is_refused(Use.PATH, is_trusted=False, in_dialog=in_dialog)
            )

    def test_record_route_from_outside(self) -> None:
        """
        A token of a Record-Route is good for requests in a dialog alone.
        """
        use = Use.RECORD_ROUTE
        self.assertFalse(self.is_refused(use, is_trusted=False, in_dialog=True))
        self.assertTrue(self.is_refused(use, is_trusted=False, in_dialog=False))
