"""
What a REGISTER asks for. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from sipsorcery.registrar.errors import Refused
from sipsorcery.sip import grammar
from sipsorcery.sip.address import STAR, Address
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import (
    CALL_ID,
    CONTACT,
    CSEQ,
    EXPIRES,
    PATH,
    REQUIRE,
    SUPPORTED,
    TO,
    UNSUPPORTED,
    USER_AGENT,
    VIA,
)
from sipsorcery.sip.request import Request
from sipsorcery.sip.uri import SIPURI, parse_uri

#: The extensions that a request may require of us.
EXTENSIONS = ("path", "outbound", "gruu")
#: The methods that we answer.
METHODS = ("REGISTER", "OPTIONS")

# Characters. The longest URI of a phone that we know has 300; the record of an account
# with 10 contacts stays below 64 KiB.
_MAX_URI = 1024
_MAX_PARAMETERS = 2048
_MAX_CALL_ID = 256
_MAX_INSTANCE = 256
# RFC 3261 knows no limit; a phone has one contact, a gateway a few.
_MAX_CONTACTS = 20
# As many proxies as a request could pass, each with a token in its URI.
_MAX_PATH = 10
# Only its beginning tells phones apart.
_MAX_USER_AGENT = 128
# "Malformed values SHOULD be treated as equivalent to 3600" (RFC 3261, 20.10).
_MALFORMED = 3600
# The highest reg-id (RFC 5626, 4.2).
_MAX_REG_ID = 2**31 - 1


class Asked(msgspec.Struct, frozen=True, gc=False):
    """
    One contact of a request.

    :ivar text: the URI as spelled.
    :ivar expires: the seconds that are asked for; None: whatever we give.
    :ivar parameters: as in a `Binding`.
    :ivar reg_id: 0 without outbound.
    """

    text: str
    address: Address
    expires: int | None = None
    q: float | None = None
    parameters: str = ""
    instance: str = ""
    reg_id: int = 0


class Registration(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """
    One REGISTER, read.

    :ivar contacts: none in a request that only asks.
    :ivar removes_all: whether it is ``Contact: *``.
    :ivar path: the URIs of the Path, the nearest to us first.
    :ivar wants_outbound: whether there is a flow to be kept (:rfc:`5626`).
    :ivar wants_gruu: whether the phone understands GRUUs.
    """

    to: SIPURI
    call_id: str
    cseq: int
    contacts: tuple[Asked, ...] = ()
    removes_all: bool = False
    path: tuple[str, ...] = ()
    user_agent: str = ""
    wants_outbound: bool = False
    wants_gruu: bool = False


def check_request(request: Request) -> None:
    """
    See whether a request is for a registrar at all, before anybody is asked for.

    :raises Refused: with 405, or 420 (:rfc:`3261#section-8.2`).
    """
    if request.method not in METHODS:
        raise Refused(405, fields=[("Allow", ", ".join(METHODS))])
    unknown = [each for each in request.all(REQUIRE) if each.lower() not in EXTENSIONS]
    if unknown:
        raise Refused(420, fields=[("Unsupported", ", ".join(unknown))])


# Phones name the domain that they register at, which are few.
_registrar = lru_cache(maxsize=256)(parse_uri)


def read_aor(request: Request) -> SIPURI:
    """
    Read the address-of-record, which is the To (:rfc:`3261#section-10.2`).

    :raises Refused: with 400, if it has no user or the Request-URI has one, or 416.
    """
    to = request[TO].uri
    if not isinstance(to, SIPURI):
        raise Refused(416, "the address-of-record is no SIP URI")
    if not to.user:
        raise Refused(400, "the address-of-record has no user")
    registrar = _registrar(request.request_uri)
    if not isinstance(registrar, SIPURI):
        raise Refused(416, "the registrar is no SIP URI")
    if registrar.user is not None:
        # "The userinfo and "@" components of the SIP URI MUST NOT be present" (10.2).
        raise Refused(400, "the Request-URI of a registrar has a user")
    return to


def read_registration(
    request: Request, to: SIPURI, *, is_trusted: bool
) -> Registration:
    """
    Read what a REGISTER asks for.

    :param is_trusted: whether it came by a proxy of ours, which is no stranger's.
    :raises Refused: if it cannot be done for what it is.
    :raises ParseError: if a field breaks its grammar.
    """
    supported = _supported(request)
    path = _read_path(request, supported, is_trusted)
    contacts, removes_all = _read_contacts(request)
    is_outbound = _is_outbound(request, supported, path, contacts)
    if not is_outbound:
        contacts = tuple(map(_without_flow, contacts))
    call_id = _checked(request[CALL_ID], _MAX_CALL_ID, "Call-ID")
    return Registration(
        to=to,
        call_id=call_id,
        cseq=request[CSEQ].number,
        contacts=contacts,
        removes_all=removes_all,
        path=path,
        user_agent=_user_agent(request),
        wants_outbound=is_outbound,
        wants_gruu="gruu" in supported,
    )


def _supported(request: Request) -> frozenset[str]:
    # What all() has found is kept, nothing too: REQUIRE is not looked for again.
    both = request.all(SUPPORTED) + request.all(REQUIRE)
    return frozenset(each.lower() for each in both) if both else frozenset()


def _read_contacts(request: Request) -> tuple[tuple[Asked, ...], bool]:
    """
    Read the contacts, and whether they are the star.
    """
    values = request.all(CONTACT)
    if STAR in values:
        # "The REGISTER-specific Contact header field value of "*" applies to all
        # registrations, but it MUST NOT be used unless the Expires header field is
        # present with a value of '0'" (10.2.2).
        if len(values) > 1 or _read_expires(request) != 0:
            raise Refused(400, "'Contact: *' goes with 'Expires: 0' and nothing else")
        return (), True
    if len(values) > _MAX_CONTACTS:
        raise Refused(403, f"more than {_MAX_CONTACTS} contacts")
    expires = _read_expires(request) if values else None
    return tuple(
        _read_contact(value, expires) for value in values if isinstance(value, Address)
    ), False


def _read_expires(request: Request) -> int | None:
    try:
        return request.get(EXPIRES)
    except ParseError:
        return _seconds(request.get("Expires") or "")


def _seconds(text: str) -> int:
    """
    Read what is no number of seconds as phones write them.
    """
    # "values greater than 2**32-1 SHOULD be treated as equivalent to 2**32-1" (20.10).
    return grammar.MAX_SECONDS if text.isascii() and text.isdigit() else _MALFORMED


def _read_contact(value: Address, expires: int | None) -> Asked:
    uri, parameters = value.uri, value.parameters
    if isinstance(uri, SIPURI) and "gr" in uri.parameters:
        # It leads back here, and from here to itself (RFC 5627).
        raise Refused(403, "a GRUU cannot be a contact")
    text = _checked(str(uri), _MAX_URI, "URI of a contact")
    if not parameters:
        return Asked(text, value, expires)
    if "expires" in parameters:
        try:
            expires = value.expires
        except ParseError:
            expires = _seconds(parameters.get("expires") or "")
    instance = parameters.get("+sip.instance")
    instance = "" if instance is None else grammar.unquote(instance)
    _checked(instance, _MAX_INSTANCE, "instance")
    rest = str(parameters.remove("expires", "q", "pub-gruu", "temp-gruu"))
    _checked(rest, _MAX_PARAMETERS, "list of parameters of a contact")
    reg_id = _read_reg_id(parameters.get("reg-id")) if instance else 0
    return Asked(text, value, expires, value.q, rest, instance, reg_id)


def _checked(text: str, limit: int, what: str) -> str:
    """
    Give a text that can be stored.

    :raises Refused: with 400.
    """
    if len(text) > limit:
        raise Refused(400, f"the {what} is too long")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            # "SIP messages are text and use the UTF-8 charset" (RFC 3261, 7).
            raise Refused(400, f"the {what} is not in UTF-8") from None
    return text


def _user_agent(request: Request) -> str:
    """
    Give the beginning of what the phone calls itself, in whatever charset.
    """
    text = (request.get(USER_AGENT) or "")[:_MAX_USER_AGENT]
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _read_reg_id(text: str | None) -> int:
    """
    Read a reg-id; without an instance it counts for nothing.
    """
    if text is None:
        return 0
    number = grammar.number(text, _MAX_REG_ID, "reg-id")
    if number == 0:
        raise ParseError("reg-id is 0")
    return number


def _read_path(
    request: Request, supported: frozenset[str], is_trusted: bool
) -> tuple[str, ...]:
    if PATH not in request:
        return ()
    if not is_trusted and "path" not in supported:
        # What RFC 3327, 5.3 recommends: the phone may not know of this proxy.
        raise Refused(420, "there is a Path", [(UNSUPPORTED, "path")])
    values = request.all(PATH)
    if len(values) > _MAX_PATH:
        raise Refused(400, f"a Path of more than {_MAX_PATH} proxies")
    if not all(isinstance(value.uri, SIPURI) for value in values):
        raise Refused(400, "the Path has what is no SIP URI")
    return tuple(_checked(str(value.uri), _MAX_URI, "Path") for value in values)


def _is_outbound(
    request: Request,
    supported: frozenset[str],
    path: Sequence[str],
    contacts: Sequence[Asked],
) -> bool:
    """
    Tell whether the flows that contacts name can be kept (:rfc:`5626#section-6`).

    :raises Refused: with 439, if the proxy that they begin at does not know how.
    """
    flows = [each for each in contacts if each.reg_id]
    if not flows or "outbound" not in supported:
        return False
    if len([each for each in flows if each.expires != 0]) > 1:
        raise Refused(400, "more than one contact has a reg-id")
    if path:
        if "ob" in SIPURI.parse(path[-1]).parameters:
            return True
    elif len(request.all(VIA)) == 1 and not _requires(request, "outbound"):
        # It came from the phone straight to us. We keep no flows, so it is a
        # registration like any other, and the answer does not say otherwise.
        return False
    raise Refused(439)


def _requires(request: Request, extension: str) -> bool:
    return extension in (each.lower() for each in request.all(REQUIRE))


def _without_flow(asked: Asked) -> Asked:
    if not asked.reg_id:
        return asked
    return Asked(
        asked.text,
        asked.address,
        asked.expires,
        asked.q,
        asked.parameters,
        asked.instance,
    )
