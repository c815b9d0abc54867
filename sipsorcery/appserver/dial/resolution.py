"""
From a dial string to what is called: accounts, providers and anybody else. Pure.

What is stored is looked up through `Lookup`; nothing is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Protocol

from sipsorcery.access.contacts import Contact
from sipsorcery.appserver.dial.destination import FromTemplate
from sipsorcery.appserver.dial.dial_string import MAX_LEGS, Credentials, DialString, Leg
from sipsorcery.appserver.dial.extra_fields import MAX_FIELDS, check_field
from sipsorcery.appserver.dial.options import LegOptions
from sipsorcery.appserver.dial.template import (
    Caller,
    Template,
    as_host,
    as_text,
    as_user,
)
from sipsorcery.appserver.errors import DialStringError, DressError, UnusableValue
from sipsorcery.sip import grammar
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import (
    SWITCHBOARD_LINE_NAME,
    SWITCHBOARD_ORIGINAL_CALL_ID,
    SWITCHBOARD_OWNER,
)
from sipsorcery.sip.parameters import NONE
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.directory.account import Account
from sipsorcery.store.directory.providers import Provider
from sipsorcery.ua.account import FIRST_REALM

#: Redirections of one leg that are followed: what a phone does that sends its calls to
#: another one, twice over.
MAX_REDIRECTS = 3

_ANONYMOUS = SIPURI("sip", "anonymous", "anonymous.invalid")


class Lookup(Protocol):
    """
    Finds what dial strings name, for one owner.
    """

    async def domain(self, host: str) -> str | None:
        """
        Give the canonical name of a domain that we serve; None for any other.
        """

    async def find_called(self, username: str, domain: str) -> Account | None:
        """
        Find the account that a call is for, ``trunk.user`` among them.
        """

    async def contacts(self, account: Account) -> Sequence[Contact]:
        """
        Give where an account is registered.
        """

    async def provider(self, name: str) -> Provider | None:
        """
        Find a provider of the owner.
        """


class Kind(Enum):
    """
    Name what a leg leads to.
    """

    CONTACT = "a binding of an account here"
    PLAN = "the incoming dialplan of an account here"
    PROVIDER = "an account of the owner somewhere else"
    ANYBODY = "a URI for which we have no account"


@dataclass(frozen=True, slots=True)
class Situation:
    """
    What is known of the call that a dialplan runs for.

    :ivar sender: the URI of the caller's From; None: there is none.
    :ivar network_id: that of the caller; "": they have none.
    :ivar plan: owner and name of the dialplan that runs now.
    :ivar from_parts: display name, user and host of From as the dialplan wants them;
        None: as the caller has them.
    """

    caller: Caller
    sender: SIPURI | None = None
    network_id: str = ""
    plan: tuple[str, str] = ("", "")
    from_parts: tuple[str | None, str | None, str | None] = (None, None, None)


@dataclass(frozen=True, slots=True)
class Target:
    """
    One leg that can be called.

    :ivar to: the URI of To.
    :ivar sender_name: the display name of From; None: the caller's; "": none.
    :ivar route: what the request has to pass, the nearest first.
    :ivar alternatives: other ways to the same phone, for when this one fails.
    :ivar account: whom it is for, if that is somebody here.
    :ivar realms: those whose challenges the credentials answer.
    :ivar rewrites_sdp: whether addresses in session descriptions are replaced.
    :ivar headers: lines to add.
    :ivar content: type and body in place of what the caller sends; None: that.
    :ivar redirects: how many redirections have led here.
    """

    kind: Kind
    uri: SIPURI
    to: SIPURI
    sender: SIPURI
    options: LegOptions
    sender_name: str | None = None
    route: tuple[SIPURI, ...] = ()
    alternatives: tuple[Contact, ...] = ()
    account: Account | None = None
    credentials: Credentials | None = None
    realms: tuple[str, ...] = ()
    rewrites_sdp: bool = True
    headers: tuple[str, ...] = ()
    content: tuple[str, bytes] | None = None
    redirects: int = 0


@dataclass(frozen=True, slots=True)
class Omission:
    """
    Says why a leg of the dial string is not called.

    :ivar status: what a caller is told if there is no other leg.
    """

    leg: str
    reason: str
    status: int = 480


@dataclass(frozen=True, slots=True)
class Resolved:
    """
    What a dial string comes to.
    """

    stages: tuple[tuple[Target, ...], ...]
    omissions: tuple[Omission, ...] = field(default=())


async def resolve(
    dial_string: DialString, situation: Situation, lookup: Lookup
) -> Resolved:
    """
    Find the targets of each leg: an account here, a provider, or else anybody.

    A leg that leads nowhere is left out with the reason, and so are the targets beyond
    the limit of legs; a stage of which nothing is left is left out, too.
    """
    stages: list[tuple[Target, ...]] = []
    omissions: list[Omission] = []
    room = MAX_LEGS
    for stage in dial_string.stages:
        found: list[Target] = []
        for leg in stage:
            status = 480
            try:
                targets = await _resolve_leg(leg, situation, lookup)
            except UnusableValue as error:
                targets, reason = [], str(error)
            except _NoTarget as error:
                targets, reason, status = [], str(error), error.status
            else:
                reason = f"there are more than {MAX_LEGS} legs"
            if not targets or len(targets) > room:
                omissions.append(Omission(str(leg), reason, status))
            found += targets[:room]
            room -= len(targets[:room])
        if found:
            stages.append(tuple(found))
    return Resolved(tuple(stages), tuple(omissions))


async def redirect(
    target: Target, contact: SIPURI, situation: Situation, lookup: Lookup
) -> Sequence[Target]:
    """
    Find where a redirection leads; nowhere after too many of them.

    The options stay, so that the call is limited and billed as before. Credentials,
    headers and the route were for the one who has redirected, and are left out.
    """
    if target.redirects >= MAX_REDIRECTS:
        return ()
    options = replace(target.options, delay=0)
    domain = await lookup.domain(contact.host)
    try:
        if domain is not None:
            found = await _local(contact, domain, options, situation, lookup)
        else:
            found = [_anybody(contact, options, situation)]
    except (_NoTarget, UnusableValue):
        return ()
    return [replace(each, redirects=target.redirects + 1) for each in found][:MAX_LEGS]


class _NoTarget(Exception):
    """
    Says why a leg leads nowhere.
    """

    def __init__(self, text: str, status: int = 480) -> None:
        super().__init__(text)
        self.status = status


async def _resolve_leg(leg: Leg, situation: Situation, lookup: Lookup) -> list[Target]:
    uri = leg.destination.fill(situation.caller)
    if leg.credentials is not None or leg.route is not None:
        return [_as_written(leg, uri, situation)]
    domain = await lookup.domain(uri.host)
    if domain is not None:
        found = await _local(uri, domain, leg.options, situation, lookup)
        return [_sent_by(leg, each, situation) for each in found]
    if leg.sender is not None:
        return [_as_written(leg, uri, situation)]
    provider = await lookup.provider(uri.host)
    if provider is not None:
        return [_through(provider, uri, leg.options, situation)]
    return [_anybody(uri, leg.options, situation)]


async def _local(
    uri: SIPURI,
    domain: str,
    options: LegOptions,
    situation: Situation,
    lookup: Lookup,
) -> list[Target]:
    username = grammar.unescape(uri.user or "")
    account = await lookup.find_called(username, domain) if username else None
    if account is None:
        raise _NoTarget("there is no such account", 404)
    if account.disabled:
        raise _NoTarget("the account is disabled")
    to = SIPURI("sip", uri.user, domain)
    base = _anybody(uri, options, situation)
    # The dialplan of the callee that runs already does not run again, so that it can
    # dial the callee's phones.
    if account.in_dialplan and situation.plan != (account.owner, account.in_dialplan):
        return [replace(base, kind=Kind.PLAN, uri=to, to=to, account=account)]
    contacts = await lookup.contacts(account)
    if not contacts:
        raise _NoTarget("the account is not registered")
    is_near = bool(account.network_id) and account.network_id == situation.network_id
    return [
        replace(
            base,
            kind=Kind.CONTACT,
            uri=each.uri,
            to=to,
            route=each.path,
            alternatives=each.alternatives,
            account=account,
            rewrites_sdp=options.rewrites_sdp and not is_near,
        )
        for each in contacts
    ]


def _through(
    provider: Provider, uri: SIPURI, options: LegOptions, situation: Situation
) -> Target:
    if provider.is_read_only:
        raise _NoTarget("the provider cannot be called through")
    try:
        server = SIPURI.parse(_with_scheme(provider.server))
        name, sender = _provider_sender(provider, server, situation)
        route = (
            (SIPURI.parse(_with_scheme(provider.outbound_proxy)).with_parameter("lr"),)
            if provider.outbound_proxy
            else ()
        )
        headers = tuple(
            _custom(line, situation) for line in provider.custom_headers[:MAX_FIELDS]
        )
    except (ParseError, DialStringError, DressError) as error:
        raise _NoTarget(f"the provider is not set up: {error}") from None
    parameters = server.parameters
    for name, value in uri.parameters:
        if name not in parameters:
            parameters = parameters.set(name, value)
    called = server._replace(
        user=uri.user, parameters=parameters, headers=server.headers or uri.headers
    )
    password = provider.password or ""
    return Target(
        Kind.PROVIDER,
        called,
        called._replace(parameters=NONE, headers=()),
        _changed(sender, options, situation),
        options,
        name if options.from_name is None else _name(options, situation),
        route,
        credentials=Credentials(provider.auth_username or provider.username, password)
        if password
        else None,
        realms=_realms(provider.register_realm),
        rewrites_sdp=options.rewrites_sdp,
        headers=(*headers, *_switchboard(options, situation)),
    )


def _custom(line: str, situation: Situation) -> str:
    """
    Make the line of a header that the owner of a provider wants in calls to it.

    :raises DressError: if it is not for users to set.
    """
    name, _, text = line.partition(":")
    value = Template.parse(text).fill(situation.caller, as_text)
    check_field(name.strip(), value)
    return f"{name.strip()}: {value}"


def _provider_sender(
    provider: Provider, server: SIPURI, situation: Situation
) -> tuple[str, SIPURI]:
    """
    Give the From that the provider wants: its own, else the account there.
    """
    if provider.from_uri:
        return FromTemplate.parse(provider.from_uri).fill(situation.caller)
    sender = SIPURI("sip", provider.username, server.host, server.port)
    return situation.from_parts[0] or "", _parted(sender, situation)


def _anybody(uri: SIPURI, options: LegOptions, situation: Situation) -> Target:
    return Target(
        Kind.ANYBODY,
        uri,
        SIPURI(uri.scheme, uri.user, uri.host, uri.port),
        _changed(
            _parted(situation.sender or _ANONYMOUS, situation), options, situation
        ),
        options,
        _name(options, situation),
        rewrites_sdp=options.rewrites_sdp,
        headers=_switchboard(options, situation),
    )


def _as_written(leg: Leg, uri: SIPURI, situation: Situation) -> Target:
    base = _anybody(uri, leg.options, situation)
    name, sender = base.sender_name, base.sender
    if leg.sender is not None:
        name, sender = leg.sender.fill(situation.caller)
    return replace(
        base,
        sender=sender,
        sender_name=name,
        credentials=leg.credentials,
        realms=_realms(),
        route=() if leg.route is None else (leg.route,),
    )


def _sent_by(leg: Leg, target: Target, situation: Situation) -> Target:
    """
    Give a target the From that the dial string itself holds.
    """
    if leg.sender is None:
        return target
    name, sender = leg.sender.fill(situation.caller)
    return replace(target, sender=sender, sender_name=name)


def _parted(sender: SIPURI, situation: Situation) -> SIPURI:
    """
    Give From the user part and the host that the dialplan wants.
    """
    _, user, host = situation.from_parts
    if user is not None:
        sender = sender._replace(user=user or None)
    return sender if host is None else sender._replace(host=host, port=None)


def _changed(sender: SIPURI, options: LegOptions, situation: Situation) -> SIPURI:
    """
    Give From the user part and the host that the options want.
    """
    if options.from_user:
        user = options.from_user.fill(situation.caller, as_user)
        sender = sender._replace(user=user or None)
    if options.from_host:
        host = options.from_host.fill(situation.caller, as_host)
        sender = sender._replace(host=host, port=None)
    try:
        return SIPURI.parse(str(sender))
    except ParseError as error:
        raise UnusableValue(f"the options make no From: {error.text}") from None


def _name(options: LegOptions, situation: Situation) -> str | None:
    if options.from_name is None:
        return situation.from_parts[0]
    return options.from_name.fill(situation.caller, as_text)


def _switchboard(options: LegOptions, situation: Situation) -> tuple[str, ...]:
    """
    Give the lines that tell a switchboard where a call is from.
    """
    wanted = (
        (SWITCHBOARD_LINE_NAME, options.line_name),
        (SWITCHBOARD_ORIGINAL_CALL_ID, options.original_call_id),
        (SWITCHBOARD_OWNER, options.switchboard_owner),
    )
    return tuple(
        f"{field.name}: {template.fill(situation.caller, as_text)}"
        for field, template in wanted
        if template is not None
    )


def _realms(known: str = "") -> tuple[str, ...]:
    """
    Say whose challenges the credentials for a server answer.

    Hardly a provider's realm is the name of its host. So the one that asks first on a
    leg is the provider's; another one that asks behind it, such as a callee, is not.

    :param known: the one that its owner has told us, and then no other; "": none.
    """
    return (known or FIRST_REALM,)


def _with_scheme(text: str) -> str:
    text = text.strip()
    return text if text[:4].lower() in ("sip:", "sips") else f"sip:{text}"
