"""
Tests for `sipsorcery.transport.location.reading`.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import TimeoutError as TimedOut
from twisted.names import dns, error
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.transport.location.limits import LocationLimits
from sipsorcery.transport.location.reading import read_failure, read_sections
from sipsorcery.transport.location.records import (
    NAPTR,
    SRV,
    Answer,
    Kind,
    Outcome,
    Question,
)
from tests.transport.location.zones import records

LIMITS = LocationLimits(records=3, aliases=2)


def read(
    kind: Kind, name: str, answers: str, authority: str = "", additional: str = ""
) -> Answer:
    """
    Read an answer to one question.
    """
    sections = (records(answers), records(authority), records(additional))
    return read_sections(Question(kind, name), sections, LIMITS)


class SectionsTests(SynchronousTestCase):
    """
    What a resolver found.
    """

    def test_addresses(self) -> None:
        """
        Addresses come in their shortest form, with the lowest TTL.
        """
        answer = read(Kind.A, "a.b", "a.b 60 A 192.0.2.1\na.b 30 A 192.0.2.2")
        self.assertEqual(answer.addresses, ("192.0.2.1", "192.0.2.2"))
        self.assertEqual((answer.outcome, answer.ttl), (Outcome.FOUND, 30))
        answer = read(Kind.AAAA, "a.b", "a.b AAAA 2001:db8:0:0::1")
        self.assertEqual(answer.addresses, ("2001:db8::1",))

    def test_naptr(self) -> None:
        """
        A NAPTR record has six fields; the root as replacement is none.
        """
        answer = read(Kind.NAPTR, "a.b", "a.b NAPTR 1 2 s SIP+D2U - _sip._udp.C.d")
        self.assertEqual(
            answer.naptr, (NAPTR(1, 2, "s", "SIP+D2U", "", "_sip._udp.c.d"),)
        )
        answer = read(Kind.NAPTR, "a.b", "a.b NAPTR 1 2 u E2U+sip !a!b! .")
        self.assertEqual(answer.naptr, (NAPTR(1, 2, "u", "E2U+sip", "!a!b!", ""),))

    def test_srv(self) -> None:
        """
        A SRV record has a server, and the root for none.
        """
        answer = read(Kind.SRV, "a.b", "a.b SRV 1 2 3 C.d\na.b SRV 0 0 0 .")
        self.assertEqual(answer.srv, (SRV(1, 2, 3, "c.d"), SRV(0, 0, 0, "")))

    def test_additional(self) -> None:
        """
        The addresses of the servers count, and for how long they hold; others do not.
        """
        answer = read(
            Kind.SRV,
            "a.b",
            "a.b 60 SRV 0 0 1 c.d",
            additional="""
                C.d 20 A 192.0.2.1
                c.d 40 AAAA 2001:db8::1
                victim.example 1 A 203.0.113.1
            """,
        )
        self.assertEqual(answer.additional, {"c.d": ("192.0.2.1", "2001:db8::1")})
        self.assertEqual(answer.ttl, 20)

    def test_alias(self) -> None:
        """
        An alias is followed within the answer, whatever the order; its TTL counts.
        """
        answer = read(
            Kind.A,
            "a.b",
            "e.f 60 A 192.0.2.1\nC.d CNAME e.F\na.B CNAME c.d",
        )
        self.assertEqual(answer.addresses, ("192.0.2.1",))

    def test_alias_without_records(self) -> None:
        """
        An alias to elsewhere is given as what to ask for next.
        """
        answer = read(Kind.A, "a.b", "a.b 60 CNAME c.d\nc.d 30 CNAME e.f")
        self.assertEqual((answer.alias, answer.ttl), ("e.f", 30))
        answer = read(Kind.A, "a.b", "a.b CNAME c.d\nc.d CNAME a.b")
        self.assertEqual(answer.addresses, ())

    def test_aliases_have_an_end(self) -> None:
        """
        No more aliases than the limit are followed.
        """
        chain = "a CNAME b\nb CNAME c\nc CNAME d\nd A 192.0.2.1"
        self.assertEqual(read(Kind.A, "a", chain).alias, "c")

    def test_not_asked_for(self) -> None:
        """
        Records of other names, types and classes are nothing to us.
        """
        stranger = records("a.b A 192.0.2.3")[0]
        stranger.cls = dns.CH
        others = records("c.d A 192.0.2.1\na.b AAAA 2001:db8::1")
        answers = [stranger, *others]
        answer = read_sections(Question(Kind.A, "a.b"), (answers, [], []), LIMITS)
        self.assertEqual((answer.outcome, answer.addresses), (Outcome.ABSENT, ()))

    def test_absence(self) -> None:
        """
        An empty answer holds for the lower of the SOA's two times (RFC 2308, 3).
        """
        for soa, ttl in (
            ("b 60 SOA 30", 30),
            ("b 30 SOA 60", 30),
            ("b NAPTR 0 0 - - - .", None),
            ("", None),
        ):
            answer = read(Kind.A, "a.b", "", soa)
            self.assertEqual((answer.outcome, answer.ttl), (Outcome.ABSENT, ttl))
            self.assertEqual(answer.said, "no such records")

    def test_absurd_count(self) -> None:
        """
        No more records are read than the limit, of any kind.
        """
        many = range(1000)
        addresses = "\n".join(f"a.b A 192.0.{n >> 8}.{n & 255}" for n in many)
        self.assertEqual(len(read(Kind.A, "a.b", addresses).addresses), 3)
        servers = "\n".join(f"a.b SRV 0 0 {n} c.d" for n in many)
        along = "\n".join(f"c.d A 192.0.{n >> 8}.{n & 255}" for n in many)
        answer = read(Kind.SRV, "a.b", servers, additional=along)
        self.assertEqual(len(answer.srv), 3)
        self.assertEqual(len(answer.additional["c.d"]), 3)
        several = "\n".join(f"a.b SRV 0 0 {n} h{n}.d" for n in range(3))
        along = "\n".join(f"h{n % 3}.d A 192.0.2.{n}" for n in range(99))
        answer = read(Kind.SRV, "a.b", several, additional=along)
        self.assertEqual(sum(map(len, answer.additional.values())), 3)
        rules = "\n".join(f"a.b NAPTR {n} 0 s SIP+D2U - c.d" for n in many)
        self.assertEqual(len(read(Kind.NAPTR, "a.b", rules).naptr), 3)

    def test_long_words(self) -> None:
        """
        Of the words of a NAPTR record no more is kept than any that counts has.
        """
        word = "x" * 255
        answer = read(Kind.NAPTR, "a.b", f"a.b NAPTR 0 0 {word} {word} {word} .")
        self.assertEqual({len(text) for text in answer.naptr[0][2:5]}, {16})

    def test_broken(self) -> None:
        """
        What cannot be a name, or was not understood, leads nowhere.
        """
        for name in (b"a b.c", b"\xff\xfe", b"a..b", b"x" * 64):
            payload = dns.Record_SRV(0, 0, 5060, name)
            header = dns.RRHeader("a.b", dns.SRV, dns.IN, 60, payload)
            answer = read_sections(
                Question(Kind.SRV, "a.b"), ([header], [], []), LIMITS
            )
            self.assertEqual(answer.srv, (), name)
        unknown = dns.UnknownRecord(b"\x00")
        for kind, code in (
            (Kind.A, dns.A),
            (Kind.SRV, dns.SRV),
            (Kind.NAPTR, dns.NAPTR),
        ):
            header = dns.RRHeader("a.b", code, dns.IN, 60)
            header.payload = unknown
            answer = read_sections(Question(kind, "a.b"), ([header], [], []), LIMITS)
            self.assertEqual((answer.addresses, answer.srv), ((), ()))
        junk = dns.Record_NAPTR(1, 2, b"\xff", b"\xfe", b"", b"a..b", ttl=1)
        header = dns.RRHeader("a.b", dns.NAPTR, dns.IN, 60, junk)
        answer = read_sections(Question(Kind.NAPTR, "a.b"), ([header], [], []), LIMITS)
        self.assertEqual(answer.naptr[0].replacement, "")


class DamagedTests(SynchronousTestCase):
    """
    Answers that arrive damaged, or were made to do damage.
    """

    @given(st.sampled_from(list(Kind)), st.data())
    def test_any_bytes(self, kind: Kind, data: st.DataObject) -> None:
        """
        Whatever Twisted can read of them makes an answer, within the limits.
        """
        message = dns.Message(answer=1)
        message.answers = records(
            """
            a.b A 192.0.2.1
            a.b AAAA 2001:db8::1
            a.b CNAME c.d
            a.b SRV 1 2 3 c.d
            c.d NAPTR 1 2 s SIP+D2U - e.f
            """
        )
        message.authority = records("b SOA 60")
        message.additional = records("c.d A 192.0.2.1")
        damaged = bytearray(message.toStr())
        places = st.integers(12, len(damaged) - 1)  # behind the header
        for place in data.draw(st.lists(places, min_size=1, max_size=8)):
            damaged[place] = data.draw(st.integers(0, 255))
        received = dns.Message()
        try:
            received.fromStr(bytes(damaged))
        except (EOFError, ValueError):  # Twisted drops it
            return
        sections = (received.answers, received.authority, received.additional)
        answer = read_sections(Question(kind, "a.b"), sections, LIMITS)
        self.assertLessEqual(len(answer.addresses + answer.srv + answer.naptr), 3)


class FailureTests(SynchronousTestCase):
    """
    What a resolver failed with.
    """

    def test_outcomes(self) -> None:
        """
        Some failures say that there is nothing, some that the server does not do it,
        others nothing at all.
        """
        message = dns.Message()
        for failure, outcome, said in (
            (error.DNSNameError(message), Outcome.ABSENT, "no such name"),
            (error.DNSNameError(), Outcome.ABSENT, "no such name"),
            (error.DomainError("a"), Outcome.ABSENT, "no such name"),
            (error.AuthoritativeDomainError("a"), Outcome.ABSENT, "no such name"),
            (error.DNSServerError(message), Outcome.FAILED, "the DNS server failed"),
            (error.DNSUnknownError(), Outcome.FAILED, "the DNS server gave"),
            (error.DNSFormatError(), Outcome.REFUSED, "the DNS server does not under"),
            (
                error.DNSNotImplementedError(),
                Outcome.REFUSED,
                "the DNS server does not",
            ),
            (error.DNSQueryRefusedError(), Outcome.REFUSED, "the DNS server refuses"),
            (error.DNSQueryTimeoutError(7), Outcome.FAILED, "no answer"),
            (TimedOut(), Outcome.FAILED, "no answer"),
            (OSError("Too many open files"), Outcome.FAILED, "OSError 'Too many"),
        ):
            answer = read_failure(failure)
            self.assertEqual(answer.outcome, outcome, failure)
            self.assertIn(said, answer.said)

    def test_absent_name(self) -> None:
        """
        A name that does not exist lacks for as long as the SOA record says.
        """
        message = dns.Message()
        message.authority = records("b 60 SOA 30")
        self.assertEqual(read_failure(error.DNSNameError(message)).ttl, 30)
