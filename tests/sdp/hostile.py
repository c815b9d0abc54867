"""
Bodies made to cost as much as their length allows, and everything done to them.
"""

from __future__ import annotations

from collections.abc import Callable

from sipsorcery.sdp import (
    PCMU,
    TELEPHONE_EVENT,
    Connection,
    Media,
    Origin,
    SessionDescription,
    check_answer,
    create_answer,
    hold,
    reissue,
    replace_addresses,
)

HEAD = b"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"
AUDIO = b"m=audio 4000 RTP/AVP 0\r\n"
OWN = Origin("-", "20518", 1, "203.0.113.1")
LOCAL = SessionDescription.create(
    OWN,
    Connection("203.0.113.1"),
    [Media("audio", 4000).with_codecs([PCMU, TELEPHONE_EVENT])],
)


def look(value: object, names: str) -> None:
    """
    Ask for attributes, in case asking fails or takes long.
    """
    for name in names.split():
        getattr(value, name)


def read_everything(body: bytes) -> None:
    """
    Do to a body all that a server might.

    :raises sipsorcery.sdp.SDPError: if the body is refused, or nothing in it fits us.
    """
    description = SessionDescription.parse(body)
    if bytes(description) != body:
        raise AssertionError("an untouched description was changed")
    look(description, "origin name bandwidth own_connection information attributes")
    for media in description.media:
        look(media, "codecs direction connection address is_held ptime mid rtcp")
        look(media, "bandwidth attributes information heading")
        media.fmtp("t38")
        for codec in media.codecs:
            look(codec, "parameters rtpmap")
    moved = replace_addresses(
        description, "2001:db8::1", where=lambda old: True, origin=True
    )
    for changed in (moved, hold(moved), reissue(moved, OWN, LOCAL)):
        SessionDescription.parse(bytes(changed))
    answer = create_answer(description, LOCAL)
    check_answer(SessionDescription.parse(bytes(answer)), description)


def shape(unit: bytes, head: bytes = HEAD) -> Callable[[int], bytes]:
    """
    Make a shape of one piece, put after *head* as often as the length allows.
    """
    return lambda length: head + unit * ((length - len(head)) // len(unit))


def line(start: bytes, filler: bytes) -> bytes:
    """
    Make a line of nearly 8 KiB.
    """
    return start + filler * ((8100 - len(start)) // len(filler)) + b"\r\n"


def _formats(length: int) -> bytes:
    """
    Make sections with all formats that RTP has, each with its attributes.
    """
    numbers = range(128)
    section = b"m=audio 9 RTP/AVP " + b" ".join(b"%d" % n for n in numbers) + b"\r\n"
    section += b"".join(
        b"a=rtpmap:%d H264/90000\r\n"
        b"a=fmtp:%d packetization-mode=%d;profile-level-id=42e01f\r\n" % (n, n, n)
        for n in reversed(numbers)
    )
    return shape(section)(length)


#: Shapes by name: a length in octets gives a body of nearly that length.
SHAPES: dict[str, Callable[[int], bytes]] = {
    "attributes": shape(AUDIO + b"a=rtpmap:0 A-codec-of-long-name/8000\r\n" * 100),
    "long attributes": shape(line(b"a=fmtp:0 ", b"a=b;"), HEAD + AUDIO),
    "separators": shape(line(b"a=fmtp:0 ", b";"), HEAD + AUDIO),
    "colons": shape(line(b"a=x", b":"), HEAD + AUDIO),
    "sections": shape(AUDIO + b"i=" + b"x" * 980 + b"\r\n"),
    "formats": _formats,
    "session lines": shape(b"i=" + b"x" * 60 + b"\r\n"),
    "session lines and sections": lambda length: (
        shape(b"i=" + b"x" * 30 + b"\r\n")(length - 64 * len(AUDIO)) + AUDIO * 64
    ),
    "connections": shape(b"c=IN IP4 224.2.1.1/127/65535     \r\n", HEAD + AUDIO),
    "groups in a row": shape(b"c=IN IP6 ff15::ffff:ffff:101/65535\r\n", HEAD + AUDIO),
    "bandwidth": shape(b"b=X-BANDWIDTH:18446744073709551615\r\n"),
    "rtcp": shape(AUDIO + b"a=rtcp:65535 IN IP4 192.168.200.100\r\n" * 100),
    "blanks in m": shape(line(b"m=audio ", b" ") + AUDIO),
    "blanks in values": shape(line(b"a=", b" "), HEAD + AUDIO),
    "digits in m": shape(line(b"m=audio ", b"9")),
    "digits in o": shape(line(b"o=- ", b"9"), b"v=0\r\n"),
    "colons in c": shape(line(b"c=IN IP6 ", b":"), HEAD + AUDIO),
    "dots in c": shape(line(b"c=IN IP4 ", b"1."), HEAD + AUDIO),
    "slashes in c": shape(line(b"c=IN IP4 1.1.1.1", b"/"), HEAD + AUDIO),
    "blanks before lines": shape(line(b"", b" ")),
    "stray lines": shape(b"stray" * 8 + b"\r\n"),
    "blank lines": shape(b"\n"),
    "no line": shape(b"\xff"),
    "nul": shape(b"\0"),
    "carriage returns": shape(b"\r"),
}
