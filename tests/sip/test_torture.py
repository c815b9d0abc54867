"""
The torture tests of RFC 4475, every file of them.

The table says of each file whether a server accepts it, or at which stage it is refused
and with which status; ``test_torture_values`` says what is read of the accepted ones.
What happens to those further on (405, 415, 416, 420, 483 and so on) is decided by
roles, from these values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.address import Address
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import (
    ACCEPT,
    AUTHORIZATION,
    CALL_ID,
    CONTACT,
    CONTENT_TYPE,
    CSEQ,
    DATE,
    EXPIRES,
    MAX_FORWARDS,
    PROXY_REQUIRE,
    RECORD_ROUTE,
    REQUIRE,
    RETRY_AFTER,
    ROUTE,
    SUBJECT,
    VIA,
    WARNING,
    Field,
)
from sipsorcery.sip.framing import Framer
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import error_response
from tests.sip import test_torture_values
from tests.sip.test_torture_values import load
from tests.vectors import vectors


@dataclass(frozen=True)
class Accepted:
    """
    A message that passes ``parse`` and the ``check`` of whoever *uses* these fields.
    """

    section: str
    uses: tuple[Field[Any], ...] = (CONTACT,)


@dataclass(frozen=True)
class Refused:
    """
    A message that ``parse`` refuses, or the ``check`` of whoever *uses* these fields.
    """

    section: str
    stage: str
    uses: tuple[Field[Any], ...] = ()
    status: int = 400


TABLE: dict[str, Accepted | Refused] = {
    "wsinv": Accepted("3.1.1.1", (CONTACT, ROUTE, CONTENT_TYPE, SUBJECT)),
    "intmeth": Accepted("3.1.1.2"),
    "esc01": Accepted("3.1.1.3"),
    "escnull": Accepted("3.1.1.4"),
    "esc02": Accepted("3.1.1.5"),
    "lwsdisp": Accepted("3.1.1.6"),
    "longreq": Accepted("3.1.1.7"),
    "dblreq": Accepted("3.1.1.8"),
    "semiuri": Accepted("3.1.1.9", (ACCEPT,)),
    "transports": Accepted("3.1.1.10"),
    "mpart01": Accepted("3.1.1.11", (CONTACT, ROUTE, DATE, CONTENT_TYPE)),
    "unreason": Accepted("3.1.1.12"),
    "noreason": Accepted("3.1.1.13"),
    "badinv01": Refused("3.1.2.1", "check"),
    "clerr": Refused("3.1.2.2", "parse"),
    "ncl": Refused("3.1.2.3", "parse"),
    "scalar02": Refused("3.1.2.4", "check"),
    "scalarlg": Refused("3.1.2.5", "check"),
    "quotbal": Refused("3.1.2.6", "check"),
    "ltgtruri": Refused("3.1.2.7", "check"),
    "lwsruri": Refused("3.1.2.8", "parse"),
    # To mend the next two is allowed, too; but then proxies on the way may disagree
    # about what the Request-URI is.
    "lwsstart": Refused("3.1.2.9", "parse"),
    "trws": Refused("3.1.2.10", "parse"),
    "escruri": Refused("3.1.2.11", "check"),
    "baddate": Refused("3.1.2.12", "check", (DATE,)),
    "regbadct": Refused("3.1.2.13", "check", (CONTACT,)),
    # Here the RFC leaves it free to drop the blanks, which nothing else can mean.
    "badaspec": Accepted("3.1.2.14"),
    "baddn": Refused("3.1.2.15", "check"),
    "badvers": Refused("3.1.2.16", "parse", status=505),
    "mismatch01": Refused("3.1.2.17", "check"),
    "mismatch02": Refused("3.1.2.18", "check"),
    "bigcode": Refused("3.1.2.19", "parse"),
    "badbranch": Accepted("3.2.1"),
    "insuf": Refused("3.3.1", "check"),
    "unkscm": Accepted("3.3.2"),
    "novelsc": Accepted("3.3.3"),
    "unksm2": Accepted("3.3.4"),
    "bext01": Accepted("3.3.5", (REQUIRE, PROXY_REQUIRE)),
    "invut": Accepted("3.3.6", (CONTACT, CONTENT_TYPE)),
    "regaut01": Accepted("3.3.7", (CONTACT, AUTHORIZATION)),
    "multi01": Refused("3.3.8", "check"),
    "mcl01": Refused("3.3.9", "parse"),
    "bcast": Accepted("3.3.10"),
    "zeromf": Accepted("3.3.11"),
    "cparam01": Accepted("3.3.12"),
    "cparam02": Accepted("3.3.13"),
    "regescrt": Accepted("3.3.14"),
    "sdp01": Accepted("3.3.15", (CONTACT, ACCEPT)),
    "inv2543": Accepted("3.4.1", (CONTACT, RECORD_ROUTE)),
    # In the archive, but of no section: a request line without version, no CSeq, no
    # Via, a line without colon.
    "test": Refused("-", "parse"),
}

_COPIED = {"v": "via", "f": "from", "t": "to", "i": "call-id", "cseq": "cseq"}


def refuse(data: bytes, stage: Refused) -> ParseError:
    """
    Return the error that *data* is refused with, at the *stage* at which it must be.
    """
    try:
        message = parse(data)
    except ParseError as error:
        assert stage.stage == "parse", error
        return error
    assert stage.stage == "check", "not refused by parse"
    try:
        message.check(*stage.uses)
    except ParseError as error:
        return error
    raise AssertionError("not refused at all")


class TableTests(SynchronousTestCase):
    """
    What holds for all files.
    """

    def test_every_file_is_named(self) -> None:
        """
        The table names the files that there are, and all of them.
        """
        files = {path.stem for path in (vectors() / "rfc4475").glob("*.dat")}
        self.assertEqual(set(TABLE), files)
        self.assertEqual(len(files), 50)

    def test_every_accepted_file_has_values(self) -> None:
        """
        What is read of an accepted file is said by a test of its name.
        """
        named = {
            name.removeprefix("test_")
            for name in dir(test_torture_values.AcceptedTests)
        }
        accepted = {name for name, case in TABLE.items() if isinstance(case, Accepted)}
        self.assertEqual(accepted - named, set())

    def test_accepted(self) -> None:
        """
        Whoever ends an accepted message finds all that it uses in order.
        """
        for name, case in TABLE.items():
            if isinstance(case, Accepted):
                parse(load(name)).check(*case.uses)

    def test_refused(self) -> None:
        """
        All others are refused at their stage with their status.
        """
        for name, case in TABLE.items():
            if isinstance(case, Refused):
                error = refuse(load(name), case)
                self.assertEqual(error.status, case.status, name)

    def test_octets_survive(self) -> None:
        """
        What was parsed is written byte for byte as it came.
        """
        for name, case in TABLE.items():
            if isinstance(case, Refused) and case.stage == "parse":
                continue
            data = load(name)
            written = parse(data).to_bytes()
            if name == "dblreq":
                data = data[: data.index(b"\r\n\r\n") + 4]
            elif name == "baddn":  # no blank line in the archive
                data = data.rstrip(b"\r\n") + b"\r\n\r\n"
            elif name == "inv2543":
                head, _, body = data.partition(b"\r\n\r\n")
                length = b"\r\nContent-Length: %d\r\n\r\n" % len(body)
                data = head + length + body
            elif name == "multi01":  # whose archive has an empty line too many
                data = data[: data.index(b"v=0") + 154]
            self.assertEqual(written, data, name)

    def test_answers(self) -> None:
        """
        A refused request is answered with its own Via, From, To, Call-ID and CSeq, as
        far as it has them; what it has twice is answered once.
        """
        for name, case in TABLE.items():
            if isinstance(case, Accepted) or name in ("scalarlg", "bigcode", "test"):
                continue
            answer = error_response(refuse(load(name), case))
            assert answer is not None, name
            self.assertEqual(answer.status, case.status)
            copied = answer.head.split("\r\n")[1:-2]
            self.assertEqual(copied, self._to_copy(load(name)), name)
            self.assertEqual(parse(answer.to_bytes()).body, b"")

    def _to_copy(self, data: bytes) -> list[str]:
        found: dict[str, str] = {}
        for line in data.decode().partition("\r\n\r\n")[0].split("\r\n")[1:]:
            name = line.partition(":")[0].strip().lower()
            found.setdefault(_COPIED.get(name, name), line)
        return [found[name] for name in _COPIED.values() if name in found]

    def test_no_answers(self) -> None:
        """
        A refused response is not answered, nor a request without Via.
        """
        for name in ("scalarlg", "bigcode", "test"):
            case = TABLE[name]
            assert isinstance(case, Refused)
            self.assertIsNone(error_response(refuse(load(name), case)), name)


class RefusedTests(SynchronousTestCase):
    """
    What is refused for several reasons, or only by some.
    """

    def test_scalar02(self) -> None:
        """
        Every one of the overlarge numbers is refused.
        """
        message = parse(load("scalar02"))
        fields: tuple[Field[Any], ...] = (CSEQ, MAX_FORWARDS, EXPIRES)
        for field in fields:
            with self.assertRaises(ParseError):
                message.get(field)
        contact = message[CONTACT]
        assert isinstance(contact, Address)
        with self.assertRaises(ParseError):
            _ = contact.expires

    def test_scalarlg(self) -> None:
        """
        So is every one in a response.
        """
        message = parse(load("scalarlg"))
        fields: tuple[Field[Any], ...] = (CSEQ, RETRY_AFTER, WARNING)
        for field in fields:
            with self.assertRaises(ParseError):
                message.get(field)

    def test_badinv01(self) -> None:
        """
        Stray separators are refused in Via and in Contact.
        """
        message = parse(load("badinv01"))
        fields: tuple[Field[Any], ...] = (VIA, CONTACT)
        for field in fields:
            with self.assertRaises(ParseError):
                message.all(field)

    def test_baddate(self) -> None:
        """
        A bad Date is no fault to who does not look at it.
        """
        parse(load("baddate")).check(CONTACT, CONTENT_TYPE)

    def test_escruri(self) -> None:
        """
        A header of the Request-URI never becomes one of the message.
        """
        message = parse(load("escruri"))
        self.assertNotIn(ROUTE, message)
        self.assertEqual(message.all(ROUTE), ())

    def test_baddn(self) -> None:
        """
        The file of the archive lacks its blank line, and is read all the same.
        """
        self.assertEqual(parse(load("baddn"))[CALL_ID], "baddn.31415@c.example.com")

    def test_multi01(self) -> None:
        """
        Each field that may not be doubled is a reason of its own.
        """
        data = load("multi01")
        for name in (b"From", b"To", b"Call-ID", b"CSeq", b"Max-Forwards"):
            lines = data.split(b"\r\n")
            seen: set[bytes] = set()
            kept = []
            for line in lines:
                start = line.partition(b":")[0]
                if start != name and start in seen and line:
                    continue
                seen.add(start)
                kept.append(line)
            with self.assertRaises(ParseError, msg=name):
                parse(b"\r\n".join(kept).replace(b"l: 154\r\n", b"")).check()

    def test_lengths_on_a_stream(self) -> None:
        """
        A body that is too short is waited for on a stream; a length that is none, or
        two, ends it.
        """
        framer = Framer()
        self.assertEqual(framer.receive(load("clerr"), 0.0), [])
        self.assertFalse(framer.broken)
        for name in ("ncl", "mcl01"):
            framer = Framer()
            (error,) = framer.receive(load(name), 0.0)
            self.assertIsInstance(error, ParseError)
            self.assertTrue(framer.broken)
