"""
What passes between a dialplan in Python and its host. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from pydantic_monty import ClassInstance

from sipsorcery.appserver.plans.engine import PlanRequest, Value
from sipsorcery.appserver.python.declarations import DECLARED
from sipsorcery.sip import grammar
from sipsorcery.sip.address import Address
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.uri import SIPURI, URI, parse_uri

# What one argument may hold: more than any function of ours has a use for, and little
# enough that a flood of it hurts nobody.
_MAX_TEXT = 64 * 1024
_MAX_ITEMS = 1000
_MAX_DEPTH = 4
_MAX_INT = 2**53  # what JSON carries anywhere

#: How the interpreter names the objects that the host stands behind; the same in every
#: process, for a run may go on in another one.
HOSTS: Mapping[UUID, str] = {
    uuid5(NAMESPACE_URL, f"urn:sipsorcery:dialplan:{name}"): name
    for name in ("Sys", "Request", "Lookup", "CRM")
}
_IDS = {name: id for id, name in HOSTS.items()}
_CLASSES = {name: type(name, (), {}) for name in DECLARED}


def to_value(given: object, depth: int = _MAX_DEPTH) -> Value:
    """
    Take a value that a dialplan hands over.

    :raises TypeError: if it is none that can leave the dialplan.
    :raises ValueError: if it is too large.
    """
    if given is None or isinstance(given, bool | float):
        return given
    if isinstance(given, str):
        if len(given) > _MAX_TEXT:
            raise ValueError(f"a text of more than {_MAX_TEXT} characters")
        return given
    if isinstance(given, int):
        if abs(given) > _MAX_INT:
            raise ValueError("a number that is too large")
        return given
    if isinstance(given, list | tuple | dict):
        if len(given) > _MAX_ITEMS or not depth:
            raise ValueError("a list or mapping that is too large")
        if isinstance(given, dict):
            if not all(isinstance(key, str) for key in given):
                raise TypeError("a mapping whose keys are no texts")
            return {key: to_value(each, depth - 1) for key, each in given.items()}
        return [to_value(each, depth - 1) for each in given]
    raise TypeError(f"a {type(given).__name__} cannot leave the dialplan")


def to_object(value: Value, gives: str) -> Any:
    """
    Make what a dialplan gets of a value: an object where a class is declared.

    :param gives: the name of the class of a mapping, or of each in a list; "": none.
    """
    if not gives or value is None:
        return value
    if isinstance(value, Mapping):
        return _instance(gives, value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [to_object(each, gives) for each in value]
    return value


def make_inputs(request: PlanRequest) -> dict[str, Any]:
    """
    Make what a dialplan begins with: ``sys``, ``req``, ``lookup`` and ``crm``.
    """
    sys = {
        "username": request.owner,
        "dialplan_name": request.plan,
        "is_in": request.direction == "in",
        "is_out": request.direction == "out",
        "account": request.account,
    }
    lazy = [name for name in DECLARED["Sys"].attributes if name not in sys]
    return {
        "sys": _instance("Sys", sys, lazy),
        "req": _request(request),
        "lookup": _instance("Lookup", {}),
        "crm": _instance("CRM", {}),
    }


def field(request: PlanRequest, name: str) -> str | None:
    """
    Give the first value of a header field of the request.
    """
    folded = name.casefold()
    return next(
        (value for each, value in request.fields if each.casefold() == folded), None
    )


def _request(request: PlanRequest) -> ClassInstance:
    fields: dict[str, list[str]] = {}
    for name, value in request.fields:
        fields.setdefault(name, []).append(value)
    sender, to = _address(field(request, "From")), _address(field(request, "To"))
    return _instance(
        "Request",
        {
            "method": request.method,
            "uri": _uri(request.uri),
            "from_name": sender[0],
            "from_uri": sender[1],
            "to_name": to[0],
            "to_uri": to[1],
            "call_id": field(request, "Call-ID") or "",
            "user_agent": field(request, "User-Agent") or "",
            "fields": fields,
            "body": request.body.decode("utf-8", "replace"),
            "received_from": request.received,
        },
    )


def _address(text: str | None) -> tuple[str, ClassInstance]:
    try:
        address = Address.parse(text or "")
    except ParseError:
        return "", _uri("")
    return address.display_name or "", _uri(str(address.uri))


def _uri(text: str) -> ClassInstance:
    try:
        uri: URI | None = parse_uri(text)
    except ParseError:
        uri = None
    if not isinstance(uri, SIPURI):
        scheme, _, rest = text.partition(":")
        values = {"scheme": scheme, "user": rest, "host": "", "port": None}
        return _instance("URI", {**values, "parameters": {}, "text": text})
    return _instance(
        "URI",
        {
            "scheme": uri.scheme,
            "user": grammar.unescape(uri.user or ""),
            "host": uri.host,
            "port": uri.port,
            "parameters": {name: value or "" for name, value in uri.parameters},
            "text": text,
        },
    )


def _instance(
    name: str, values: Mapping[str, Any], lazy: Sequence[str] = ()
) -> ClassInstance:
    """
    Make an object of a class that the stub declares; what is not given is None.
    """
    made = _CLASSES[name]()
    eager = [each for each in DECLARED[name].attributes if each not in lazy]
    for each in eager:
        setattr(made, each, values.get(each))
    id = _IDS.get(name) or uuid4()
    return ClassInstance(made, eager_attrs=eager, lazy_attrs=lazy, id=id)
