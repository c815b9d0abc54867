"""
Services that have ended: dialplans that still use them go on without.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from sipsorcery.appserver.hosting.guest import Arguments, Guest, HostFunction

_ENDED = {
    "google_voice_call": "Google Voice has no way for it any more",
    "google_voice_sms": "Google Voice has no way for it any more",
    "google_contact_lookup": "the contacts of Google cannot be asked any more",
    "gtalk": "Google Talk has ended",
}


def ended(guest: Guest) -> Mapping[str, HostFunction]:
    """
    Give the functions of a run.
    """
    return {name: partial(_note, guest, name) for name in _ENDED}


async def _note(guest: Guest, name: str, arguments: Arguments) -> None:
    guest.note(f"{name} does nothing: {_ENDED[name]}")
