"""
What the answer to a REGISTER tells the phone. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

from sipsorcery.registrar.core import Outcome
from sipsorcery.registrar.registration import EXTENSIONS, METHODS, Registration
from sipsorcery.registrar.rules import Rules
from sipsorcery.sip.scalars import write_date
from sipsorcery.store.bindings import Binding

#: A field of an answer, as text.
Line = tuple[str, str]


class MakesGRUUs(Protocol):
    """
    Make GRUUs, as `GRUUs` does.
    """

    def public(self, aor: str, instance: str) -> str:
        """
        Make the public GRUU of a phone.
        """

    def temporary(self, aor: str, instance: str, call_id: str) -> str:
        """
        Make a temporary one.
        """


class Answers:
    """
    Puts together the fields of answers.

    :param service_route: see `Registrar.service_route` of the configuration.
    :param flow_timer: after how many seconds of silence a connection is closed
        (:rfc:`5626#section-5.4`).
    """

    def __init__(
        self, gruus: MakesGRUUs, service_route: Sequence[str] = (), flow_timer: int = 90
    ) -> None:
        self._gruus = gruus
        self._service_route = ", ".join(f"<{each}>" for each in service_route)
        self._flow_timer = str(flow_timer)

    def registered(
        self, aor: str, asked: Registration, outcome: Outcome, rules: Rules, now: float
    ) -> list[Line]:
        """
        Write the fields of a 200.

        :param now: seconds since the epoch.
        """
        listed = outcome.bindings.all
        if not rules.contact_list and asked.contacts:
            listed = outcome.own
        fields = [
            ("Contact", self._contact(aor, each, asked.wants_gruu, now))
            for each in listed
            if each.expiry > now
        ]
        if asked.path:
            # "The registrar copies the Path header field values" (RFC 3327, 5.3).
            path = ", ".join(f"<{uri}>" for uri in asked.path)
            fields.append(("Path", path))
        if self._service_route:
            fields.append(("Service-Route", self._service_route))
        if asked.wants_outbound:
            fields.append(("Require", "outbound"))
            fields.append(("Flow-Timer", self._flow_timer))
        fields.append(("Date", date(int(now))))
        return fields

    def _contact(self, aor: str, binding: Binding, wants_gruu: bool, now: float) -> str:
        # "Each Contact value MUST feature an "expires" parameter" (RFC 3261, 10.3).
        text = f"<{binding.contact}>{binding.parameters}"
        if binding.q is not None:
            text += f";q={binding.q:.3g}"
        if wants_gruu and binding.instance:
            text += "".join(self._gruu_parameters(aor, binding))
        return f"{text};expires={max(1, round(binding.expiry - now))}"

    def _gruu_parameters(self, aor: str, binding: Binding) -> Iterator[str]:
        instance = binding.instance
        temporary = self._gruus.temporary(aor, instance, binding.call_id)
        yield f';pub-gruu="{self._gruus.public(aor, instance)}"'
        yield f';temp-gruu="{temporary}"'


@lru_cache(maxsize=2)  # the same for all that is answered within one second
def date(second: int) -> str:
    """
    Write the Date field, by which phones without a clock set theirs.
    """
    return write_date(datetime.fromtimestamp(second, UTC))


def options() -> list[Line]:
    """
    Write the fields of the answer to an OPTIONS.
    """
    return [("Allow", ", ".join(METHODS)), ("Supported", ", ".join(EXTENSIONS))]
