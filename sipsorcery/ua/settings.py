"""
What a user agent can be told, and every bound of it, in one place.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sipsorcery import __version__
from sipsorcery.transaction.timers import Timers
from sipsorcery.transport.certificates import TLSSettings
from sipsorcery.transport.limits import TransportLimits
from sipsorcery.transport.location.policy import TLSPolicy
from sipsorcery.transport.transactions.drive import TransactionLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAgentSettings:
    """
    Say how a user agent behaves. Times are in seconds, sizes in bytes.

    :ivar product: for User-Agent and Server; empty: neither is sent.
    :ivar udp_mtu: a longer request goes by TCP where the choice is ours
        (:rfc:`3261#section-18.1.1`); 0: never.
    :ivar ring_time: how long a call of ours may ring before it is cancelled.
    :ivar answer_time: how long a call to us may wait for our answer; then it is
        refused.
    :ivar target_time: how long a target may say nothing at all before the next one is
        tried, if there is one.
    :ivar session_expires: the interval of session timers that we ask for
        (:rfc:`4028`); 0: none.
    :ivar any_body: whether bodies of any type are let in; who passes them on to others
        need not understand them.
    :ivar timers: those of transactions; mind that both ends should have the same.
    """

    product: str = f"sipsorcery/{__version__}"
    udp_mtu: int = 1300
    # What callers bear, and what most servers allow.
    ring_time: float = 180.0
    # Longer than callers bear, so that it ends the calls that we have forgotten, and
    # those whose callers have vanished without a CANCEL.
    answer_time: float = 300.0
    # A server that lives has said 100 by then, even if the first two INVITEs were lost.
    target_time: float = 4.0
    session_expires: int = 1800
    any_body: bool = False
    timers: Timers = field(default_factory=Timers)
    tls: TLSSettings = field(default_factory=TLSSettings)
    tls_policy: TLSPolicy = field(default_factory=TLSPolicy)
    transport_limits: TransportLimits = field(default_factory=TransportLimits)
    transaction_limits: TransactionLimits = field(default_factory=TransactionLimits)

    # Dialogs held, early ones included; some 13 kB each, half of it the INVITE that the
    # application's call keeps, so 1.3 GB at the very worst.
    dialogs: int = 100_000
    # Redirections followed in one call (3xx): as many as a chain of call diversions
    # can reasonably have.
    redirections: int = 5
    # Contacts of one redirection that are tried, the best ones first.
    contacts: int = 8
    # Provisional responses kept for who does not read them: one rings every minute.
    responses: int = 64
    # How long `stop` waits for the peers to answer what ends everything.
    stop_time: float = 2.0
