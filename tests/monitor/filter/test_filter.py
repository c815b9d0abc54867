"""
Tests for `sipsorcery.monitor.filter.filter`.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.errors import FilterError
from sipsorcery.monitor.event import Direction, Event, EventKind, Trace
from sipsorcery.monitor.filter.filter import Filter, Viewer

JOE = Viewer("joe")
ADMIN = Viewer("root", is_admin=True)
NOW = 1_000_000.0
HERE = Endpoint.parse("udp:192.0.2.1:5060")
THERE = Endpoint.parse("udp:198.51.100.7:33000")


def event(kind: EventKind, owner: str, message: str = "", **detail: str) -> Event:
    """
    Make an event of the application server.
    """
    return Event(
        time=NOW,
        server="appserver",
        kind=kind,
        owner=owner,
        message=message,
        call_id="c1",
        dialogue="17",
        detail=detail,
    )


def trace(
    first: str, cseq: str, owner: str, direction: Direction = Direction.RECEIVED
) -> Event:
    """
    Make a trace of the proxy.
    """
    data = (
        f"{first}\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\n"
        f"From: <sip:joe@a>;tag=1\r\nTo: <sip:b@a>\r\nCall-ID: c1\r\n"
        f"CSeq: {cseq}\r\nContent-Length: 0\r\n\r\n"
    ).encode()
    return Event(
        time=NOW,
        server="proxy",
        kind=EventKind.SIP_TRACE,
        owner=owner,
        call_id="c1",
        remote=THERE,
        trace=Trace(data, direction, HERE, THERE),
    )


# The events of the vectors, by the letters that these use.
EVENTS = {
    "D": event(EventKind.DIALPLAN_STEP, "joe", "dialling foo bar"),
    "D2": event(EventKind.DIALPLAN_STEP, "ann"),
    "T": trace("INVITE sip:joe@a SIP/2.0", "1 INVITE", "joe"),
    "T2": trace("INVITE sip:joe@a SIP/2.0", "1 INVITE", "ann"),
    "R": trace("REGISTER sip:a SIP/2.0", "1 REGISTER", "joe"),
    "E": event(EventKind.CALL_REFUSED, "joe", status="486"),
    "N": trace("INVITE sip:joe@a SIP/2.0", "1 INVITE", ""),
}

VECTORS = (
    ("event *", JOE, "D E"),
    ("event *", ADMIN, "D D2 E"),
    ("", JOE, "D E"),
    ("event full", JOE, "T R"),
    ("event full and request invite", JOE, "T"),
    ("event 9", JOE, "T R"),
    ("event 9 and request invite", JOE, "T"),
    ("event 53", JOE, "D"),
    ("event dialplan", JOE, "D"),
    ("event trouble", JOE, "E"),
    ("server 11", JOE, "D E"),
    ("event  *", JOE, "D E"),
    ("EVENT *", JOE, "D E"),
    ('event * and regex "foo bar"', JOE, "D"),
    # Beyond the original.
    ("event full", ADMIN, "T T2 R N"),
    ("event * and user ANN", ADMIN, "D2"),
    ("event full and user *", JOE, "T R"),
    ("event 52", JOE, ""),
    ("basetype console", JOE, "D E"),
    ("event dialplan or event full", JOE, "D T R"),
    ("not event dialplan", JOE, "E"),
    ("(event dialplan or event full) and not method REGISTER", JOE, "D T"),
    ("event * and (status 4xx)", JOE, "E"),
    ("status 400-485", JOE, ""),
    ("method invite", JOE, "T"),
    ("direction in", JOE, "T R"),
    ("direction sent", JOE, ""),
    ("event full and ipaddress 198.51", JOE, "T R"),
    ("event full and ipaddr 198.51.100.0/24", JOE, "T R"),
    ("event full and ipaddr 10.0.0.0/8", JOE, ""),
    ("event full and ipserver 192.0.2.", JOE, "T R"),
    ("callid c1", JOE, "D E"),
    ("callid 17", JOE, "D E"),
    ("callid c2", JOE, ""),
    ("since 10m", JOE, "D E"),
    ("since 2038-01-01T00:00:00", JOE, ""),
    ("(regex foo(x|.bar))", JOE, "D"),
    ("duration 60 and file log and event 53", JOE, "D"),
)

FAULTS = (
    ("event * and regex foo bar", 22, "'and' or 'or' is expected"),
    ("event * and regex (", 18, "no regular expression"),
    ("event 9 and event *", 12, "stands twice"),
    ("event * and user ann", 17, "of your own only"),
    ("event dialplam", 6, "did you mean 'dialplan'"),
    ("evnt *", 0, "Did you mean 'event'"),
    ("event", 5, "a value is missing"),
    ("event * and", 11, "the end"),
    ("(event *", 8, "')' is expected"),
    ("event *)", 6, "no event"),
    ('regex "a', 6, "quotes do not end"),
    ("ipaddr 10.0.0.0/99", 7, "no network"),
    ("status 999", 7, "no status"),
    ("since yesterday", 6, "no time"),
    ("duration 9999", 9, "4320"),
    ("file a/b", 5, "name of a file"),
    ("request foo", 8, "kind of request"),
    ("server 11x", 7, "no server"),
    ("direction up", 10, "no direction"),
    ("dialog joe", 7, "no SIP address"),
    ("(" * 21 + "event *" + ")" * 21, 20, "levels"),
    ("not " * 500 + "event *", 80, "2000"),
)


class FilterTests(SynchronousTestCase):
    """
    What filters show.
    """

    def shown(self, text: str, viewer: Viewer) -> str:
        """
        Give the letters of the events that a filter shows.
        """
        chosen = Filter.parse(text, viewer, now=NOW)
        return " ".join(name for name, each in EVENTS.items() if chosen.matches(each))

    def test_vectors(self) -> None:
        """
        Filters of the original show what they have shown, but nothing of others.
        """
        for text, viewer, expected in VECTORS:
            self.assertEqual(
                set(self.shown(text, viewer).split()), set(expected.split()), text
            )

    def test_faults(self) -> None:
        """
        What is no filter is refused at once, with the place and the reason.
        """
        for text, position, reason in FAULTS:
            with self.assertRaises(FilterError) as caught:
                Filter.parse(text, JOE, now=NOW)
            self.assertIn(reason, caught.exception.text, text)
            if len(text) <= 2000:
                self.assertEqual(caught.exception.position, position, text)

    def test_machine(self) -> None:
        """
        Sessions of machines follow dialogues and bindings by their address.
        """
        answered = event(EventKind.CALL_ANSWERED, "joe", account="joe@a")
        ended = event(EventKind.CALL_ENDED, "joe", account="joe@a")
        added = event(EventKind.BINDING_ADDED, "joe", aor="sip:100@a")
        others = event(EventKind.BINDING_ADDED, "ann", aor="sip:100@a")
        for text, expected in (
            ("basetype machine and event *", [answered, ended, added]),
            ("dialog sip:*@a", [answered, ended]),
            ("dialog sip:*@a and machineevent 7,x", [answered]),
            ("presence sip:100@a", [added]),
            ("presence sip:101@a", []),
        ):
            chosen = Filter.parse(text, JOE, now=NOW)
            shown = [e for e in (answered, ended, added, others) if chosen.matches(e)]
            self.assertEqual(shown, expected, text)

    def test_nobody(self) -> None:
        """
        A viewer without a name does not own what nobody owns.
        """
        chosen = Filter.parse("event full", Viewer(""), now=NOW)
        self.assertFalse(chosen.matches(EVENTS["N"]))


_ITEMS = st.sampled_from(
    (
        "event *",
        "event full",
        "event 9",
        "basetype machine",
        "user *",
        "user joe",
        "regex .*",
        "request invite",
        "server 11",
        "callid c1",
        "method INVITE",
        "direction in",
        "ipaddr *",
        "dialog sip:*@a",
        "presence sip:*@a",
        "since 1d",
        "status 1xx",
    )
)
_FILTERS = st.recursive(
    _ITEMS,
    lambda inner: st.one_of(
        inner.map(lambda text: f"not ({text})"),
        st.tuples(inner, st.sampled_from(("and", "or")), inner).map(
            lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"
        ),
    ),
    max_leaves=6,
)
_EVENTS = st.builds(
    event,
    st.sampled_from(EventKind),
    st.sampled_from(("", "ann", "joe", "JOE", "joe ", "*")),
    st.text(),
    aor=st.just("sip:joe@a"),
) | st.builds(
    trace,
    st.just("INVITE sip:joe@a SIP/2.0"),
    st.just("1 INVITE"),
    st.sampled_from(("", "ann", "joe", "JOE")),
)


class IsolationTests(SynchronousTestCase):
    """
    The wall between users.
    """

    @given(_FILTERS, st.lists(_EVENTS, min_size=1, max_size=20))
    def test_nobody_sees_what_is_others(self, text: str, events: list[Event]) -> None:
        """
        Whatever the filter, a user is shown nothing that is not their own.
        """
        chosen = Filter.parse(text, JOE, now=NOW)
        self.assertLessEqual({e.owner for e in events if chosen.matches(e)}, {"joe"})

    @given(_FILTERS, _EVENTS)
    def test_own_events_are_as_for_administrators(self, text: str, each: Event) -> None:
        """
        Of what is a user's, they see with a filter what an administrator sees with it.
        """
        own, all_ = (Filter.parse(text, who, now=NOW) for who in (JOE, ADMIN))
        if each.owner == "joe":
            self.assertEqual(own.matches(each), all_.matches(each))

    @given(st.text(max_size=60))
    def test_any_text(self, text: str) -> None:
        """
        Any text is a filter or has a fault at a place inside it.
        """
        try:
            Filter.parse(text, JOE, now=NOW)
        except FilterError as error:
            self.assertTrue(0 <= error.position <= len(text))
