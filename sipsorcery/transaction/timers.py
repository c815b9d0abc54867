"""
The timers of SIP (:rfc:`3261`, Table 4, and :rfc:`6026`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Timers:
    """
    How long each timer runs, in seconds.

    The lettered ones are for unreliable transports. On reliable ones nothing is
    repeated, so Timers A, E and G do not run, and there is nobody to wait for with
    Timers D, I, J and K.

    :ivar t1: estimate of a round trip.
    :ivar t2: the longest time between repetitions of a request other than INVITE, and
        of a response to an INVITE.
    :ivar t4: how long a message stays in the network at most.
    :ivar timer_d: how long a client goes on to acknowledge repetitions of a failure: as
        long as the server may send them, whose T1 is not known here.
    :ivar trying: how long the user may take before an INVITE is answered by a 100
        (:rfc:`3261#section-17.2.1`).
    """

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0
    timer_d: float = 32.0
    trying: float = 0.2

    @property
    def timer_a(self) -> float:
        """
        Until an INVITE is repeated for the first time.
        """
        return self.t1

    @property
    def timer_b(self) -> float:
        """
        Until an INVITE without any response is given up.
        """
        return 64 * self.t1

    @property
    def timer_e(self) -> float:
        """
        Until another request is repeated for the first time.
        """
        return self.t1

    @property
    def timer_f(self) -> float:
        """
        Until another request without a final response is given up.
        """
        return 64 * self.t1

    @property
    def timer_g(self) -> float:
        """
        Until the failure of an INVITE is repeated for the first time.
        """
        return self.t1

    @property
    def timer_h(self) -> float:
        """
        Until a failure without an ACK is given up.
        """
        return 64 * self.t1

    @property
    def timer_i(self) -> float:
        """
        How long repetitions of an ACK are absorbed.
        """
        return self.t4

    @property
    def timer_j(self) -> float:
        """
        How long repetitions of a request other than INVITE are answered.
        """
        return 64 * self.t1

    @property
    def timer_k(self) -> float:
        """
        How long repetitions of a response are absorbed.
        """
        return self.t4

    @property
    def timer_l(self) -> float:
        """
        How long repetitions of an accepted INVITE are absorbed.
        """
        return 64 * self.t1

    @property
    def timer_m(self) -> float:
        """
        How long more 2xx, of other forks or repeated, are taken.
        """
        return 64 * self.t1

    @property
    def trying_non_invite(self) -> float:
        """
        Until a request other than INVITE is answered by a 100, and not sooner.

        That is "the amount of time it takes a client transaction's Timer E to be reset
        to T2" (:rfc:`4320#section-4.1`): 3.5 seconds.
        """
        return _reset_to(self.t2, self.timer_e)


@lru_cache(maxsize=16)  # asked for each request; a program has one set of timers
def _reset_to(longest: float, first: float) -> float:
    total, interval = 0.0, first
    while interval < longest:
        total += interval
        interval *= 2
    return total
