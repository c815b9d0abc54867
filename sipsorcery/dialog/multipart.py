"""
Session descriptions in multipart bodies (:rfc:`5621`).
"""

from __future__ import annotations

from dataclasses import dataclass

from sipsorcery.sip.fields import CONTENT_ENCODING
from sipsorcery.sip.multipart import Part, parse_multipart
from sipsorcery.sip.parameterised import MediaType, Parameterised

#: The media type of session descriptions.
SDP = MediaType("application", "sdp")

# Those that leave the octets as they are; nothing else belongs into SIP, whose bodies
# may be binary (RFC 3261, 7.4.1).
_TRANSFER_ENCODINGS = ("7bit", "8bit", "binary")


@dataclass(frozen=True, slots=True)
class Content:
    """
    Say what has been found in a body.

    :ivar description: the octets of the session description; None: there is none.
    :ivar is_understood: whether we can act on all that has to be acted upon.
    """

    description: bytes | None = None
    is_understood: bool = True


_NOT_UNDERSTOOD = Content(is_understood=False)


def read_multipart(type: MediaType, body: bytes) -> Content:
    """
    Look for the session description in a multipart body.

    :param type: of the body.
    :raises ParseError: of `sipsorcery.sip`, if a part breaks the grammar.
    """
    return _choose(type, parse_multipart(type, body))


def is_optional(disposition: Parameterised | None) -> bool:
    """
    Tell whether a body may be passed over by who does not understand it.

    "If this parameter is missing, the value "required" SHOULD be assumed"
    (:rfc:`3261#section-20.11`).
    """
    if disposition is None:
        return False
    return (disposition.parameters.get("handling") or "").lower() == "optional"


def is_for_session(disposition: Parameterised | None) -> bool:
    """
    Tell whether a body that is a session description is meant as one.
    """
    return disposition is None or disposition.word.lower() == "session"


def _choose(type: MediaType, parts: tuple[Part, ...]) -> Content:
    match type.subtype:
        case "alternative":
            # The last one that is understood is the best (RFC 2046, 5.1.4).
            contents = [_read(part) for part in reversed(parts)]
            return next((c for c in contents if c.is_understood), _NOT_UNDERSTOOD)
        case "related":
            return _read(_root(type, parts))  # what it refers to is its own business
        case _:
            return _join([_read(part) for part in parts])


def _root(type: MediaType, parts: tuple[Part, ...]) -> Part:
    start = (type.parameters.get("start") or "").strip('"').strip("<>")
    return next((part for part in parts if start == part.content_id), parts[0])


def _join(contents: list[Content]) -> Content:
    found = [one.description for one in contents if one.description is not None]
    return Content(
        found[0] if found else None, all(one.is_understood for one in contents)
    )


def _read(part: Part) -> Content:
    content = _read_required(part)
    if not content.is_understood and is_optional(part.disposition):
        return Content(content.description)
    return content


def _read_required(part: Part) -> Content:
    type = part.content_type
    if type.type == "multipart":
        return _choose(type, part.parts())
    if SDP.includes(type) and is_for_session(part.disposition) and _is_plain(part):
        return Content(part.body)
    return _NOT_UNDERSTOOD


def _is_plain(part: Part) -> bool:
    coding = part.get(CONTENT_ENCODING)
    encoding = part.get("Content-Transfer-Encoding")
    return (coding is None or coding.lower() == "identity") and (
        encoding is None or encoding.lower() in _TRANSFER_ENCODINGS
    )
