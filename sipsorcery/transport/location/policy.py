"""
What servers have to prove over TLS, by the SIP domain that they serve. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sipsorcery.transport.identity import Expectation, TLSVerify, canonical
from sipsorcery.transport.location.names import read_address


@dataclass(frozen=True, slots=True)
class TLSRule:
    """
    One rule; its fields are those of `Expectation`.
    """

    verify: TLSVerify = TLSVerify.DOMAIN
    wildcards: bool = False
    pins: frozenset[str] = frozenset()

    def expectation(self, domain: str, host: str) -> Expectation:
        """
        Say what the certificate of one server has to prove.

        :param domain: the host of the URI, whatever DNS made of it: whoever can forge
            DNS must not choose what is proved (:rfc:`5922#section-4`).
        :param host: the host that DNS gave for it.
        """
        match self.verify:
            case TLSVerify.TARGET:
                return Expectation(host, self.verify, wildcards=self.wildcards)
            case TLSVerify.DOMAIN if read_address(domain):
                # A certificate names an address as that of a host, not as a domain.
                return Expectation(domain, TLSVerify.TARGET)
            case _:
                return Expectation(domain, self.verify, self.pins, self.wildcards)


@dataclass(frozen=True, slots=True)
class TLSPolicy:
    """
    The rule for every domain.

    :ivar default: that of domains without one of their own.
    :ivar exceptions: the others', by domain, in lower case.
    """

    default: TLSRule = TLSRule()
    exceptions: Mapping[str, TLSRule] = field(default_factory=dict)

    def expectation(self, domain: str, host: str) -> Expectation:
        """
        Say what the certificate of a server has to prove; see `TLSRule.expectation`.
        """
        rule = self.exceptions.get(canonical(domain), self.default)
        return rule.expectation(domain, host)
