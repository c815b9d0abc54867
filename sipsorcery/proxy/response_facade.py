"""
What a script is given beside a response.
"""

from __future__ import annotations

from twisted.logger import Logger

from sipsorcery.endpoint import Endpoint
from sipsorcery.proxy.arrival import Arrival
from sipsorcery.proxy.nat import Nat
from sipsorcery.sip.response import Response


class ResponseSys:
    """
    The ``sys`` of a script, for one response.
    """

    _log = Logger()

    def __init__(self, arrival: Arrival, response: Response, nat: Nat) -> None:
        self._arrival = arrival
        self._response = response
        self._nat = nat

    @property
    def received_from(self) -> Endpoint:
        """
        Give the address that the response came from.
        """
        return self._arrival.remote

    @property
    def received_on(self) -> Endpoint:
        """
        Give the address of ours that it came to.
        """
        return self._arrival.local

    @property
    def is_trusted(self) -> bool:
        """
        Tell whether it came from one of our roles, inside.
        """
        return self._arrival.is_trusted

    @property
    def is_trunk(self) -> bool:
        """
        Tell whether it came from a neighbour that the configuration names.
        """
        return self._arrival.is_trunk

    def log(self, message: str) -> None:
        """
        Write a line to the log.
        """
        self._log.info("{message}", message=message)

    def fix_contact(self) -> bool:
        """
        Put the address that it came from into its Contact, see `Sys.fix_contact`.
        """
        return self._nat.fix_contact(self._response, self._arrival)

    def fix_sdp(self) -> bool:
        """
        Put the address that it came from into its SDP, see `Sys.fix_sdp`.
        """
        return self._nat.fix_sdp(self._response, self._arrival)
