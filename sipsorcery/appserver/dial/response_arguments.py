"""
What a dialplan says in a response, beside its status. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from sipsorcery.appserver.dial.extra_fields import MAX_FIELDS, check_field
from sipsorcery.appserver.plans.engine import Value
from sipsorcery.dialog.refusal import FieldValue
from sipsorcery.sip.address import Address
from sipsorcery.sip.fields import CONTACT
from sipsorcery.sip.uri import SIPURI


def read_fields(status: int, arguments: Mapping[str, Value]) -> tuple[FieldValue, ...]:
    """
    Read the fields of a final response, with the Contact of a redirection.

    :raises DressError: if a dialplan may not say that.
    :raises ParseError: if a redirection leads to no URI.
    """
    fields: list[FieldValue] = []
    lines, to = arguments.get("headers"), arguments.get("redirect_to")
    for line in lines[:MAX_FIELDS] if isinstance(lines, list) else ():
        name, _, value = str(line).partition(":")
        check_field(name.strip(), value.strip())
        fields.append((name.strip(), value.strip()))
    if status < 400:
        uri = SIPURI.parse(to if isinstance(to, str) else "")
        fields.append((CONTACT, Address(uri)))
    return tuple(fields)
