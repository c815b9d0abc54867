"""
Tests for `sipsorcery.monitor.ladder`: what stands in a ladder.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.event import Event, EventKind
from sipsorcery.monitor.ladder import Ladder, ladder_of
from sipsorcery.monitor.ladder.ladder import Arrow, Gap, Note, Tone
from tests.monitor.ladder.events import ALICE, START, message, raw, told

BOB = Endpoint.parse("udp:198.51.100.8:5060")
SERVER_INSIDE = Endpoint.parse("udp:127.0.0.1:5065")


def arrows(ladder: Ladder) -> list[Arrow]:
    """
    Give the messages of a ladder.
    """
    return [row for row in ladder.rows if isinstance(row, Arrow)]


def labels(*events: Event) -> list[str]:
    """
    Give what stands at the messages.
    """
    return [each.label for each in arrows(ladder_of(events))]


def notes(*events: Event) -> list[str]:
    """
    Give what stands between the messages.
    """
    return [row.text for row in ladder_of(events).rows if isinstance(row, Note)]


def answer(
    status: str, *fields: str, time: float = START + 1, cseq: str = "1 INVITE"
) -> Event:
    """
    Make an answer to the caller.
    """
    called = "<sip:101@example.com>;tag=2"
    return message(
        f"SIP/2.0 {status}",
        *fields,
        time=time,
        received=False,
        cseq=cseq,
        called=called,
    )


class LabelTests(SynchronousTestCase):
    """
    What is said about a message.
    """

    def test_requests_and_answers(self) -> None:
        """
        A request has its method, and an answer its status; if it is to anything but an
        INVITE, that too.
        """
        bye = message("BYE sip:101@example.com SIP/2.0", cseq="2 BYE")
        gone = answer("200 OK", cseq="2 BYE")
        self.assertEqual(
            labels(message(), answer("486 Busy Here"), bye, gone),
            ["INVITE", "BYE", "486 Busy Here", "200 OK (BYE)"],
        )

    def test_bodies(self) -> None:
        """
        A session description is marked, and so is what it holds; the status that a
        NOTIFY brings is shown.
        """
        sdp = "Content-Type: application/sdp"
        for field, body, mark in (
            (sdp, b"v=0\r\na=sendrecv\r\n", "SDP"),
            (sdp, b"v=0\r\na=sendonly\r\n", "SDP sendonly"),
            (sdp, b"v=0\na=inactive\n", "SDP inactive"),
            (sdp, b"v=0\r\nc=IN IP4 0.0.0.0\r\n", "SDP held"),
            ("Content-Type: multipart/mixed;boundary=x", b"application/sdp", "SDP"),
            ("Content-Type: message/sipfrag", b"SIP/2.0 200 OK\r\n", "200 OK"),
            ("Content-Type: application/dtmf-relay", b"Signal=1", "dtmf-relay"),
            ("Content-Type: (", b"12345", "5 bytes"),
        ):
            self.assertEqual(
                labels(message("INVITE sip:a SIP/2.0", field, body=body)),
                [f"INVITE ({mark})"],
            )

    def test_reasons(self) -> None:
        """
        Fields that say why are shown; where a redirection leads, too.
        """
        ladder = ladder_of(
            [
                answer(
                    "302 Moved Temporarily",
                    'Reason: Q.850;cause=16;text="Bye"',
                    "Contact: <sip:102@example.com>",
                    "Server: X",
                )
            ]
        )
        self.assertEqual(
            arrows(ladder)[0].remarks,
            ('Reason: Q.850;cause=16;text="Bye"', "Contact: <sip:102@example.com>"),
        )

    def test_unreadable(self) -> None:
        """
        What cannot be read has its row as well.
        """
        self.assertEqual(labels(raw(b"\xff\x00 nothing")), ["unreadable, 10 bytes"])
        broken = raw(b"INVITE sip:a SIP/2.0\r\nCSeq: ?\r\nFrom: <\r\n\r\n")
        self.assertEqual(labels(broken), ["INVITE"])

    def test_challenge(self) -> None:
        """
        To be asked for a password is no failure, and to hang up no success.
        """
        for status, cseq, tone in (
            ("407 Proxy Authentication Required", "1 INVITE", Tone.PROGRESS),
            ("180 Ringing", "1 INVITE", Tone.PROGRESS),
            ("486 Busy Here", "1 INVITE", Tone.FAILURE),
            ("200 OK", "1 INVITE", Tone.SUCCESS),
            ("200 OK", "2 BYE", Tone.PROGRESS),
        ):
            self.assertIs(arrows(ladder_of([answer(status, cseq=cseq)]))[0].tone, tone)


class FoldTests(SynchronousTestCase):
    """
    What comes again.
    """

    def test_repeated(self) -> None:
        """
        A message that is sent again has one row, and says when it was sent.
        """
        times = (START, START + 0.5, START + 1.5)
        ladder = ladder_of([message(time=time) for time in times])
        self.assertEqual([row.times for row in arrows(ladder)], [times])
        self.assertEqual(arrows(ladder)[0].repeats, 1.5)

    def test_changed_field(self) -> None:
        """
        Fields that phones change when they send something again do not matter.
        """
        again = message(
            "INVITE sip:101@example.com SIP/2.0", "Timestamp: 2", time=START + 1
        )
        self.assertEqual(len(labels(message(), again)), 1)

    def test_not_repeated(self) -> None:
        """
        Another transaction, another body, another way or another target is no
        repetition.
        """
        events = [
            message(),
            message(branch="z9hG4bK2"),
            message(cseq="2 INVITE"),
            message(body=b"v=0"),
            message(received=False),
            message(remote=BOB),
        ]
        self.assertEqual(len(labels(*events)), len(events))


class ColumnTests(SynchronousTestCase):
    """
    Who takes part.
    """

    def names(self, *events: Event, inside: bool = False) -> list[str]:
        """
        Give the names above the columns.
        """
        ladder = ladder_of(events, inside=inside)
        return [each.name for each in ladder.participants]

    def leg(self, called: str = "<sip:101@example.com>") -> Event:
        """
        Give an INVITE that we send to Bob.
        """
        return message(
            remote=BOB, received=False, call_id="two", time=START + 0.1, called=called
        )

    def test_both_legs(self) -> None:
        """
        Caller, we, callee: each with the address-of-record that the messages name.
        """
        events = [message(), self.leg()]
        self.assertEqual(self.names(*events), ["100", "sipsorcery", "101"])
        self.assertEqual(
            [(row.source, row.target, row.leg) for row in arrows(ladder_of(events))],
            [(0, 1, 0), (1, 2, 1)],
        )
        self.assertEqual(ladder_of(events).legs, ("one", "two"))

    def test_domains(self) -> None:
        """
        A domain is named where there are several.
        """
        abroad = self.leg(called="<sip:+44@example.net>")
        self.assertEqual(
            self.names(message(), abroad),
            ["100@example.com", "sipsorcery", "+44@example.net"],
        )

    def test_no_name(self) -> None:
        """
        Who says nothing useful is shown by the address, and two of a name are told
        apart.
        """
        hidden = message(sender='"A" <sip:anonymous@anonymous.invalid>;tag=1')
        self.assertEqual(self.names(hidden)[0], str(ALICE))
        address = message(sender="<sip:7@192.0.2.9>;tag=1")
        self.assertEqual(self.names(address)[0], "7")
        self.assertEqual(
            self.names(message(), self.leg(called="<sip:100@example.com>")),
            ["100 (1)", "sipsorcery", "100 (2)"],
        )

    def test_inside(self) -> None:
        """
        What goes between servers of ours is folded, or shown with a column for each.
        """
        events = [
            message(),
            message(remote=SERVER_INSIDE, received=False, role="appserver"),
            told(EventKind.DIALPLAN_STEP, "dials 101", plan="main"),
        ]
        self.assertEqual(self.names(*events), ["100", "sipsorcery"])
        self.assertEqual(ladder_of(events).folded, 1)
        self.assertEqual(
            self.names(*events, inside=True), ["100", "proxy", "app server"]
        )
        shown = ladder_of(events, inside=True)
        self.assertEqual(shown.folded, 0)
        self.assertEqual(
            [row.column for row in shown.rows if isinstance(row, Note)], [2]
        )

    def test_many(self) -> None:
        """
        Beyond a dozen columns the others share one; no message is left out.
        """
        events = [
            message(remote=Endpoint.parse(f"udp:192.0.2.{host}:5060"), received=False)
            for host in range(2, 60)
        ]
        ladder = ladder_of(events)
        self.assertEqual(len(ladder.participants), 13)
        self.assertEqual(ladder.participants[-1].name, "others")
        self.assertEqual(len(arrows(ladder)), len(events))


class NoteTests(SynchronousTestCase):
    """
    What stands between the messages.
    """

    def test_steps(self) -> None:
        """
        A step has the name of its dialplan, and stands at its time.
        """
        step = told(EventKind.DIALPLAN_STEP, "dials 101", time=START + 1, plan="main")
        ladder = ladder_of([answer("200 OK", time=START + 2), step, message()])
        self.assertIsInstance(ladder.rows[1], Note)
        self.assertEqual(notes(step), ["main: dials 101"])

    def test_retelling(self) -> None:
        """
        What retells a message is said where that is missing, and not otherwise.
        """
        rings = told(EventKind.LEG_PROGRESS, "101: 180 Ringing")
        self.assertEqual(notes(rings), ["101: 180 Ringing"])
        self.assertEqual(notes(rings, message()), [])
        self.assertEqual(notes(told(EventKind.OWNER_KNOWN, "it is joe's")), [])

    def test_failed_leg(self) -> None:
        """
        That a leg has failed is said if it is not seen: nobody has answered it.
        """
        failed = told(EventKind.LEG_FAILED, "101: 408", status="408")
        self.assertEqual(notes(message(), failed), ["101: 408"])
        self.assertEqual(notes(message(), failed, answer("408 Timeout")), [])


class OutcomeTests(SynchronousTestCase):
    """
    The lines above.
    """

    def test_title(self) -> None:
        """
        The server says who calls whom, or else the first request.
        """
        self.assertEqual(
            ladder_of([message()]).title,
            "sip:100@example.com calls sip:101@example.com",
        )
        started = told(EventKind.CALL_STARTED, "100 calls the door")
        self.assertEqual(ladder_of([message(), started]).title, "100 calls the door")

    def test_outcome(self) -> None:
        """
        What the caller is told in the end counts, not the challenge before it.
        """
        asked = answer("407 Proxy Authentication Required")
        end = answer("200 OK", time=START + 3.0)
        bye = message("BYE sip:a SIP/2.0", time=START + 74.0, cseq="3 BYE")
        for events, outcome in (
            ([], ""),
            ([message()], "no final answer"),
            ([message(), asked], "407 Proxy Authentication Required after 1.0 s"),
            ([message(), asked, end], "200 OK after 3.0 s"),
            (
                [message(), end, bye],
                "200 OK after 3.0 s, ended by 100 after 1 min 11 s",
            ),
            (
                [message(), answer("486 Busy Here", time=START + 0.25)],
                "486 Busy Here after 250 ms",
            ),
        ):
            self.assertEqual(ladder_of(events).outcome, outcome)


class HostileTests(SynchronousTestCase):
    """
    What strangers send.
    """

    def test_bounds(self) -> None:
        """
        Of too many messages those in the middle are left out, and it is said how many.
        """
        events = [message(cseq=f"{n} INVITE", time=START + n) for n in range(1, 2001)]
        rows = ladder_of(events).rows
        (gap,) = [row for row in rows if isinstance(row, Gap)]
        self.assertEqual(len(rows) - 1 + gap.count, len(events))
        last = rows[-1]
        assert isinstance(last, Arrow)
        self.assertEqual(last.time, START + 2000)

    def test_controls(self) -> None:
        """
        Nothing that a terminal obeys gets into a ladder, and nothing without end.
        """
        evil = "\x1b[2Jx\u202e\x9b31m" + "y" * 5000
        ladder = ladder_of(
            [
                message(sender=f'"{evil}" <sip:100@example.com>;tag=1'),
                answer(f"486 {evil}", f"Reason: {evil}"),
                told(EventKind.DIALPLAN_STEP, evil, plan=evil),
                told(EventKind.CALL_STARTED, evil),
            ]
        )
        said = repr(ladder)
        for character in ("\x1b", "\x9b", "\u202e"):
            self.assertNotIn(character, _texts(ladder))
        self.assertLess(len(said), 10_000)

    @given(st.lists(st.binary(max_size=200), max_size=8))
    def test_anything(self, messages: list[bytes]) -> None:
        """
        Whatever comes, there is a ladder of it.
        """
        ladder = ladder_of([raw(data) for data in messages])
        self.assertEqual(sum(len(row.times) for row in arrows(ladder)), len(messages))


def _texts(ladder: Ladder) -> str:
    """
    Join every text of a ladder.
    """
    texts = [ladder.title, ladder.outcome, *ladder.legs]
    texts += [each.name for each in ladder.participants]
    for row in ladder.rows:
        if isinstance(row, Arrow):
            texts += [row.label, *row.remarks, *row.details]
        elif isinstance(row, Note):
            texts.append(row.text)
    return "".join(texts)
