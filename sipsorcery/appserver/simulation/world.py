"""
What there is around a dialplan, and what everybody does, in a simulation. Pure.

The same fields can be written in a file, in TOML or JSON::

    at = "Sat 23:10"
    time_zone = "Europe/Dublin"

    [legs]
    "101@example.com" = "busy after 3 s"
    "0044*@trunk" = "answer after 5 s"
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, TypeAlias

import msgspec

from sipsorcery.appserver.outside.enum import ENUMError, read_question
from sipsorcery.appserver.plans.time_zone import find_zone
from sipsorcery.appserver.simulation.behaviour import Behaviour
from sipsorcery.appserver.simulation.errors import WorldError
from sipsorcery.sip.errors import ParseError, excerpt
from sipsorcery.sip.uri import SIPURI

#: Characters of a file: a page of the web for each of a hundred addresses.
MAX_FILE = 1024 * 1024
#: Entries of a table: more than anybody wants to write.
MAX_ENTRIES = 1000

_ADDRESS = re.compile(r"[^@\s*]+@[^@\s*]+")

# Characters of a name, a number, an address; and of a page or a script.
_Name: TypeAlias = Annotated[str, msgspec.Meta(max_length=256)]
_Text: TypeAlias = Annotated[str, msgspec.Meta(max_length=256 * 1024)]
_Entries = msgspec.Meta(max_length=MAX_ENTRIES)
_Names: TypeAlias = Annotated[Sequence[_Name], _Entries]


class WorldAccount(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """
    An account here.

    :ivar owner: "": the user whose call is simulated.
    :ivar in_dialplan: the dialplan of calls to it; "": they ring its phones.
    :ivar disabled: why it is; "": it is not.
    """

    owner: _Name = ""
    in_dialplan: _Name = ""
    disabled: _Name = ""


class WorldProvider(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """
    An account of the owner somewhere else.
    """

    server: _Name
    username: _Name = ""
    from_uri: _Name = ""


class WorldPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    A dialplan beside the one that is tried.

    :ivar owner: "": the user whose call is simulated.
    """

    script: _Text
    kind: Literal["python", "lines", "wizard"] = "python"
    owner: _Name = ""


class World(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    The world of a simulated call.

    Where there is a service around, such as on the command line, its accounts,
    bindings, providers and tables are there unless the world says otherwise. Nothing
    is sent and nothing is stored, whatever the dialplan does.

    :ivar at: when the call is made, such as ``Sat 23:10``; "": now.
    :ivar time_zone: of the owner; "": the one they have, else UTC.
    :ivar domains: those that are served beside those of the accounts.
    :ivar accounts: those here, by ``user@domain``. Whoever has bindings, or does
        something by its very address, is one without being named here.
    :ivar bindings: the contacts of accounts, by ``user@domain``.
    :ivar legs: what those do who are called, by ``user@host``, where the host is also
        the name of a provider. One ``*`` in each half stands for anything, ``*`` alone
        for everybody, and the first that fits counts. Who is called and has nothing to
        do answers after five seconds; an account without a binding that has something
        to do is reached as if it had one.
    :ivar providers: by their names; a text is the server of one.
    :ivar plans: other dialplans, by their names.
    :ivar enum: the URIs that ENUM gives, by ``number.domain``.
    :ivar web: the pages of the web, by their URLs; any other is not there.
    :ivar values: what the dialplans of the owner have kept.
    :ivar lookup: the tables of the owner, as the setting ``lookup`` has them.
    :ivar has_mail: whether there is a mail server.
    :ivar gives_up: seconds after which the caller hangs up; 0: never.
    """

    at: _Name = ""
    time_zone: _Name = ""
    domains: _Names = ()
    accounts: Annotated[Mapping[_Name, WorldAccount], _Entries] = {}
    bindings: Annotated[Mapping[_Name, _Names], _Entries] = {}
    legs: Annotated[Mapping[_Name, _Name], _Entries] = {}
    providers: Annotated[Mapping[_Name, WorldProvider | _Name], _Entries] = {}
    plans: Annotated[Mapping[_Name, WorldPlan], _Entries] = {}
    enum: Annotated[Mapping[_Name, _Name], _Entries] = {}
    web: Annotated[Mapping[_Text, _Text], _Entries] = {}
    values: Annotated[Mapping[_Name, _Text], _Entries] = {}
    lookup: Annotated[Mapping[_Name, Mapping[_Name, _Name] | _Names], _Entries] = {}
    has_mail: bool = True
    gives_up: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 0

    @classmethod
    def read(cls, text: str) -> World:
        """
        Read a world that is written in TOML, or in JSON.

        :raises WorldError: saying what is wrong, and the path to it.
        """
        if len(text) > MAX_FILE:
            raise WorldError(f"a world has at most {MAX_FILE} characters")
        module = msgspec.json if text.lstrip()[:1] == "{" else msgspec.toml
        try:
            world: World = module.decode(text, type=cls)
        except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError) as error:
            raise WorldError(str(error)) from None
        world.check()
        return world

    def checked(self) -> World:
        """
        Give it as it would be read from a file: plain mappings will do for all tables.

        :raises WorldError: as `read`.
        """
        try:
            world = msgspec.convert(msgspec.to_builtins(self), World)
        except (msgspec.ValidationError, TypeError) as error:
            raise WorldError(str(error)) from None
        world.check()
        return world

    def check(self) -> None:
        """
        Look for what the types cannot tell.

        :raises WorldError: with the path to it.
        """
        self.behaviours()
        if self.time_zone and find_zone(self.time_zone).key != self.time_zone:
            raise _fault(
                f"there is no time zone {excerpt(self.time_zone)}", "time_zone"
            )
        for table in ("accounts", "bindings"):
            for address in getattr(self, table):
                if not _ADDRESS.fullmatch(address):
                    raise _fault(
                        f"{excerpt(address)} is not like 101@example.com", table
                    )
        for address, contacts in self.bindings.items():
            for contact in contacts:
                _check_contact(contact, f"bindings[{excerpt(address)}]")
        for number in self.enum:
            _check_number(number)

    def provider(self, name: str) -> WorldProvider | None:
        """
        Find a provider; upper and lower case do not differ.
        """
        named = {each.lower(): found for each, found in self.providers.items()}
        found = named.get(name.lower())
        return WorldProvider(server=found) if isinstance(found, str) else found

    def behaviours(self) -> list[tuple[str, Behaviour]]:
        """
        Give what everybody does, by the pattern of who it is.

        :raises WorldError: naming the entry that nobody could follow.
        """
        found = []
        for pattern, text in self.legs.items():
            try:
                found.append((pattern, Behaviour.parse(text)))
            except WorldError as error:
                raise _fault(str(error), f"legs[{excerpt(pattern)}]") from None
        return found


def fits(pattern: str, address: str) -> bool:
    """
    Tell whether a pattern of `World.legs` is for an address, ``user@host``.
    """
    pattern = pattern.removeprefix("sip:").lower()
    user, at, host = pattern.rpartition("@")
    if not at:
        user, host = "*", pattern
    its_user, _, its_host = address.lower().rpartition("@")
    return _fits(user, its_user) and _fits(host, its_host)


def _fits(pattern: str, text: str) -> bool:
    start, star, end = pattern.partition("*")
    if not star:
        return text == pattern
    is_long = len(text) >= len(start) + len(end)
    return is_long and text.startswith(start) and text.endswith(end)


def _check_contact(contact: str, path: str) -> None:
    try:
        SIPURI.parse(contact)
    except ParseError as error:
        text = f"{excerpt(contact)} is no contact: {error.text}"
        raise _fault(text, path) from None


def _check_number(number: str) -> None:
    try:
        read_question(number)
    except ENUMError as error:
        raise _fault(f"{excerpt(number)}: {error}", "enum") from None


def _fault(text: str, path: str) -> WorldError:
    return WorldError(f"{text} - at `$.{path}`")
