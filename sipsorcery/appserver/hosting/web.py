"""
Asking web services: pages, and who somebody is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from functools import partial
from typing import Protocol

import msgspec

from sipsorcery.appserver.hosting.arguments import number, text
from sipsorcery.appserver.hosting.guest import Arguments, Guest, HostFunction
from sipsorcery.appserver.outside.web import WebError
from sipsorcery.appserver.plans.engine import Value

#: Pages that a run gets.
MAX_PAGES = 10
_SECONDS = 10.0


class Pages(Protocol):
    """
    Gets pages: `sipsorcery.appserver.outside.web.Web`.
    """

    def get(
        self, url: str, seconds: float = _SECONDS, *, token: str = ""
    ) -> Awaitable[str]:
        """
        Get the beginning of a page.
        """


class _Contact(msgspec.Struct):
    """
    What a contact book answers; it may say more.
    """

    person_name: str = ""
    company_name: str = ""
    picture_url: str = ""


class WebFunctions:
    """
    Gets pages for dialplans.
    """

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def of(self, guest: Guest) -> Mapping[str, HostFunction]:
        """
        Give the functions of a run.
        """
        return {
            "web_get": partial(self._get, guest),
            "crm.lookup_contact": partial(self._look_up, guest),
        }

    async def _get(self, guest: Guest, arguments: Arguments) -> Value:
        seconds = number(arguments, "seconds", _SECONDS)
        return await self._page(guest, text(arguments, "url"), seconds)

    async def _look_up(self, guest: Guest, arguments: Arguments) -> Value:
        token = text(arguments, "token")
        page = await self._page(guest, text(arguments, "url"), _SECONDS, token)
        if page is None:
            return None
        try:
            contact = msgspec.json.decode(page, type=_Contact)
        except (msgspec.MsgspecError, UnicodeEncodeError) as error:
            guest.note(f"the contact book has answered something else: {error}")
            return None
        return {
            "person_name": contact.person_name,
            "company_name": contact.company_name,
            "picture_url": contact.picture_url,
        }

    async def _page(
        self, guest: Guest, url: str, seconds: float, token: str = ""
    ) -> str | None:
        if not guest.may_use("web_get", MAX_PAGES):
            guest.note(f"gets no page: a run gets {MAX_PAGES} at most")
            return None
        try:
            return await self._pages.get(url, seconds, token=token)
        except WebError as error:
            guest.note(f"gets no page: {error}")
            return None
