"""
What passes between a dialplan in Python and its host. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from math import isfinite
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from pydantic_monty import ClassInstance

from sipsorcery.appserver.plans.engine import PlanRequest, Value
from sipsorcery.appserver.python.declarations import DECLARED
from sipsorcery.sip import grammar
from sipsorcery.sip.address import Address
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.uri import SIPURI, URI, parse_uri

# What one argument may hold in all: more than any function of ours has a use for, and
# little enough that a flood of it hurts nobody.
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
# How it names all others, which it only has to tell apart; a run that goes on in
# another process takes some along.
_FIRST_ID = uuid4().int >> 32 << 32
_COUNT = count()
_CLASSES = {name: type(name, (), {}) for name in DECLARED}


def to_value(given: object) -> Value:
    """
    Take a value that a dialplan hands over.

    :raises TypeError: if it is none that can leave the dialplan.
    :raises ValueError: if it is too large.
    """
    return _Taking().take(given, _MAX_DEPTH)


@dataclass(slots=True)
class _Taking:
    """
    Takes one argument, and counts all of it.

    A list of lists may hold one and the same list a thousand times, which is little to
    a dialplan, and as much to whoever walks through it as if each were another one.
    """

    items: int = _MAX_ITEMS
    characters: int = _MAX_TEXT

    def take(self, given: object, depth: int) -> Value:
        if given is None or isinstance(given, bool):
            return given
        if isinstance(given, float):
            if not isfinite(given):
                raise ValueError("a number that is none")
            return given
        if isinstance(given, str):
            return self._text(given)
        if isinstance(given, int):
            if abs(given) > _MAX_INT:
                raise ValueError("a number that is too large")
            return given
        if isinstance(given, list | tuple | dict):
            self.items -= len(given)
            if self.items < 0 or not depth:
                raise ValueError("a list or mapping that is too large")
            if isinstance(given, dict):
                if not all(isinstance(key, str) for key in given):
                    raise TypeError("a mapping whose keys are no texts")
                return {
                    self._text(key): self.take(each, depth - 1)
                    for key, each in given.items()
                }
            return [self.take(each, depth - 1) for each in given]
        raise TypeError(f"a {type(given).__name__} cannot leave the dialplan")

    def _text(self, text: str) -> str:
        self.characters -= len(text)
        if self.characters < 0:
            raise ValueError(f"texts of more than {_MAX_TEXT} characters")
        return text


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
    # To draw each would give the interpreter lock away, with threads that want it.
    id = _IDS.get(name) or UUID(int=_FIRST_ID + next(_COUNT))
    return ClassInstance(made, eager_attrs=eager, lazy_attrs=lazy, id=id)
