"""
Where a request goes.
"""

from __future__ import annotations

from dataclasses import dataclass

from sipsorcery.endpoint import Endpoint
from sipsorcery.transport.identity import Expectation, TLSVerify


@dataclass(frozen=True, slots=True)
class Target:
    """
    One address to try, as the location of a server gives it (:rfc:`3263`).

    :ivar expectation: what the certificate has to prove; without TLS it is not read.
        None: that it belongs to the address itself.
    """

    endpoint: Endpoint
    expectation: Expectation | None = None

    @property
    def expected(self) -> Expectation | None:
        """
        Give what the certificate has to prove, None where there is none to show.
        """
        if not self.endpoint.transport.is_secure:
            return None
        return self.expectation or Expectation(self.endpoint.host, TLSVerify.TARGET)

    def __str__(self) -> str:
        return str(self.endpoint)
