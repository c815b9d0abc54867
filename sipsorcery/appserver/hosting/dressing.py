"""
Changing what is said in the INVITEs of a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sipsorcery.appserver.hosting.arguments import part, text
from sipsorcery.appserver.hosting.guest import Arguments, Guest, HostFunction


def dressing(guest: Guest) -> Mapping[str, HostFunction]:
    """
    Give the functions of a run.
    """
    own = _Dressing(guest)
    return {
        "set_custom_sip_header": own.set_field,
        "remove_custom_sip_header": own.remove_field,
        "clear_custom_sip_headers": own.clear_fields,
        "set_from_header": own.set_sender,
        "clear_from_header": own.clear_sender,
        "set_custom_content": own.set_content,
        "clear_custom_body": own.clear_content,
    }


@dataclass(frozen=True, slots=True)
class _Dressing:
    """
    Each raises `DressError` for what cannot be said.
    """

    guest: Guest

    async def set_field(self, arguments: Arguments) -> None:
        self.guest.dress.set_field(text(arguments, "name"), text(arguments, "value"))

    async def remove_field(self, arguments: Arguments) -> None:
        self.guest.dress.remove_field(text(arguments, "name"))

    async def clear_fields(self, arguments: Arguments) -> None:
        self.guest.dress.fields.clear()

    async def set_sender(self, arguments: Arguments) -> None:
        self.guest.dress.set_sender(
            part(arguments, "name"), part(arguments, "user"), part(arguments, "host")
        )

    async def clear_sender(self, arguments: Arguments) -> None:
        self.guest.dress.from_parts = (None, None, None)

    async def set_content(self, arguments: Arguments) -> None:
        type = text(arguments, "content_type", "application/sdp")
        self.guest.dress.set_content(type, text(arguments, "body"))

    async def clear_content(self, arguments: Arguments) -> None:
        self.guest.dress.content = None
