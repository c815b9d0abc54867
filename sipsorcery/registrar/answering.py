"""
From a request to its answer: who it is, what is stored, what is said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from sipsorcery.access.decision import Allowed, Challenge, Decision, Refusal
from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.bus import Bus
from sipsorcery.monitor.event import Event, EventKind
from sipsorcery.registrar.answer import Answers, options
from sipsorcery.registrar.core import register
from sipsorcery.registrar.errors import Refused
from sipsorcery.registrar.flows import FlowIndex
from sipsorcery.registrar.locations import Locations
from sipsorcery.registrar.overload import overloaded
from sipsorcery.registrar.registration import (
    Registration,
    check_request,
    read_aor,
    read_registration,
)
from sipsorcery.registrar.rules import RuleBook
from sipsorcery.registrar.trust import Trust
from sipsorcery.sip import grammar
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import AUTHENTICATION_INFO, CALL_ID, VIA, Field
from sipsorcery.sip.request import Request
from sipsorcery.sip.status import reason_phrase
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.directory import Account
from sipsorcery.store.errors import StoreError


class Domains(Protocol):
    """
    Find the domains that we serve, as `Accounts` does.
    """

    async def domain(self, host: str) -> str | None:
        """
        Give the canonical name of a domain; None for one that is not ours.
        """


class Authenticates(Protocol):
    """
    Find out whose a request is, as `Authenticator` does.
    """

    async def authenticate(
        self,
        request: Request,
        *,
        source: Endpoint,
        domain: str,
        username: str | None,
        status: int,
    ) -> Decision:
        """
        Let a request pass, or say how it is to be answered.
        """


class Reply(msgspec.Struct, frozen=True, gc=False):
    """
    The final response to a request.
    """

    status: int
    reason: str | None = None
    fields: Sequence[tuple[Field[Any] | str, Any]] = ()


class Registrar:
    """
    Answers requests, one by one.

    :param clock: gives the seconds since the epoch.

    :ivar answers: may be others for the next request, as may the next two.
    """

    def __init__(
        self,
        domains: Domains,
        authenticator: Authenticates,
        locations: Locations,
        flows: FlowIndex,
        answers: Answers,
        rules: RuleBook,
        trust: Trust,
        bus: Bus,
        clock: Callable[[], float],
    ) -> None:
        self._domains = domains
        self._authenticator = authenticator
        self._locations = locations
        self._flows = flows
        self.answers = answers
        self.rules = rules
        self.trust = trust
        self._bus = bus
        self._clock = clock

    async def answer(self, request: Request, remote: Endpoint) -> Reply:
        """
        Answer a request that has been checked.

        :param remote: who has sent it to us.
        """
        try:
            check_request(request)
            if request.method == "OPTIONS":
                return Reply(200, None, options())
            return await self._register(request, remote)
        except Refused as refused:
            self._tell_failure(request, remote, refused.status, refused.reason)
            return Reply(refused.status, refused.reason, refused.fields)
        except ParseError as error:
            reason = f"{reason_phrase(error.status)}: {error.text}"
            self._tell_failure(request, remote, error.status, reason)
            return Reply(error.status, reason)
        except StoreError as error:
            # The phone comes back. To say 200 would be a promise that a crash breaks.
            self._tell_away(error)
            later = overloaded("registrations cannot be stored now")
            self._tell_failure(request, remote, later.status, later.reason)
            return Reply(later.status, later.reason, later.fields)

    async def _register(self, request: Request, remote: Endpoint) -> Reply:
        to = read_aor(request)
        origin = self.trust.origin(request, remote)
        asked = read_registration(request, to, is_trusted=origin.is_trusted)
        decision = await self._authenticator.authenticate(
            request,
            source=origin.source,
            domain=await self._domain(request, to),
            username=grammar.unescape(to.user or ""),
            status=401,
        )
        if not isinstance(decision, Allowed):
            return self._not_allowed(decision, request, origin.source)
        account = decision.account
        if origin.keeps_alive is not account.sends_keepalives or (
            origin.mangles_contact is not account.mangles_contact
        ):
            origin = msgspec.structs.replace(
                origin,
                keeps_alive=account.sends_keepalives,
                mangles_contact=account.mangles_contact,
            )
        if self._bus.wants(EventKind.OWNER_KNOWN):
            self._tell_owner(request, account)
        if asked.path and self._flows.has_closed(_tokens(asked)):
            raise Refused(430, "the connection of this request is closed already")
        rules = self.rules.of(asked.user_agent)
        now = self._clock()
        outcome = await self._locations.change(
            account.aor,
            account.owner,
            lambda stored: register(asked, stored, rules, origin, now),
        )
        if self._bus.wants(EventKind.REGISTER_SUCCESS):
            self._tell_success(asked, account, origin.source, len(outcome.bindings))
        fields = self.answers.registered(account.aor, asked, outcome, rules, now)
        if decision.info is not None:
            fields.append((AUTHENTICATION_INFO.name, str(decision.info)))
        return Reply(200, None, fields)

    async def _domain(self, request: Request, to: SIPURI) -> str:
        """
        Find the domain of the address-of-record, which is ours as the Request-URI is.

        :raises Refused: with 403.
        """
        domain = await self._domains.domain(to.host)
        uri = request.uri
        host = uri.host if isinstance(uri, SIPURI) else ""
        if domain is None or (
            host != to.host and await self._domains.domain(host) is None
        ):
            raise Refused(403, "this domain is not served here")
        return domain

    def _not_allowed(
        self, decision: Challenge | Refusal, request: Request, source: Endpoint
    ) -> Reply:
        status = decision.status
        reason = reason_phrase(status)
        if isinstance(decision, Refusal):
            if decision.text is not None:
                reason = f"{reason}: {decision.text}"
            self._tell_failure(request, source, status, reason)
        elif self._bus.wants(EventKind.REGISTER_IN_PROGRESS):
            self._emit(EventKind.REGISTER_IN_PROGRESS, request, source, reason)
        return Reply(status, reason, decision.fields)

    # Events

    def _tell_owner(self, request: Request, account: Account) -> None:
        # Of a stranger's own Via, which came straight to us, there are no traces.
        self._bus.emit(
            Event(
                time=self._clock(),
                server="registrar",
                kind=EventKind.OWNER_KNOWN,
                owner=account.owner,
                call_id=request.get(CALL_ID) or "",
                message=f"this request is of {account.aor}",
                detail={"branch": request[VIA].branch or ""},
            )
        )

    def _tell_success(
        self, asked: Registration, account: Account, source: Endpoint, count: int
    ) -> None:
        self._bus.emit(
            Event(
                time=self._clock(),
                server="registrar",
                kind=EventKind.REGISTER_SUCCESS,
                owner=account.owner,
                call_id=asked.call_id,
                remote=source,
                message=f"{account.aor} has {count} contacts",
                detail={"aor": account.aor, "contacts": str(count)},
            )
        )

    def _tell_failure(
        self, request: Request, source: Endpoint, status: int, reason: str
    ) -> None:
        if self._bus.wants(EventKind.REGISTER_FAILURE):
            message = f"{status} {reason}"
            self._emit(EventKind.REGISTER_FAILURE, request, source, message, status)

    def _emit(
        self,
        kind: EventKind,
        request: Request,
        source: Endpoint,
        message: str,
        status: int | None = None,
    ) -> None:
        # Nobody has proved to be the owner, so that only administrators see it.
        detail = {"aor": _name(request)}
        if status is not None:
            detail["status"] = str(status)
        self._bus.emit(
            Event(
                time=self._clock(),
                server="registrar",
                kind=kind,
                call_id=request.get(CALL_ID) or "",
                remote=source,
                message=message,
                detail=detail,
            )
        )

    def _tell_away(self, error: StoreError) -> None:
        if self._bus.wants(EventKind.STORE_UNAVAILABLE):
            self._bus.emit(
                Event(
                    time=self._clock(),
                    server="registrar",
                    kind=EventKind.STORE_UNAVAILABLE,
                    message=str(error),
                    detail={"store": "bindings"},
                )
            )


def _name(request: Request) -> str:
    try:
        return read_aor(request).aor
    except (ParseError, Refused):
        return ""


def _tokens(asked: Registration) -> list[str]:
    return [uri.partition(":")[2].partition("@")[0] for uri in asked.path]
