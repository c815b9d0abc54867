"""
The states of the four machines.
"""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """
    Name what a transaction waits for. No machine has all of these.
    """

    Calling = "Calling"  #: INVITE client: any response
    Trying = "Trying"  #: non-INVITE client: any response; server: the user's answer
    Proceeding = "Proceeding"  #: the final response
    Accepted = "Accepted"  #: more 2xx to an INVITE, or its ACK (:rfc:`6026`)
    Completed = "Completed"  #: the peer's repetitions; INVITE server: the ACK
    Confirmed = "Confirmed"  #: INVITE server: repetitions of the ACK
    Terminated = "Terminated"  #: nothing
