"""
Who may send us packets before saying who they are, how many, and who may not. Pure.

Everything is counted by source: an address, or the network of one household. A flow
that has authenticated lately, a trunk and an allowed network pass whatever their source
has done. That matters most with UDP, where anybody can write anybody's address on a
packet: a ban that was got by forgery keeps new flows out for a while, and no phone that
is at work.

All tables are bounded, and what was touched longest ago goes first. Times are seconds
of one clock that does not go back.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TypeVar

from sipsorcery.access.networks import Networks, source_of
from sipsorcery.access.offences import OFFENCES, Ban, Offence
from sipsorcery.access.trunks import Trunks
from sipsorcery.config import Config
from sipsorcery.endpoint import Endpoint
from sipsorcery.transport.flow import Flow

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")

# An authenticated flow stays one for two of the longest registrations by default.
_LASTING = 7200.0
# Flows that are known: every phone of a large site, in some 35 MB.
_FLOWS = 100_000
# Strangers that are counted, in some 20 MB: as many as send a packet each within two
# seconds when a link of 200 Mbit/s is full of them.
_STRANGERS = 65_536
# Flows that are never banned and send much. Who forges such an address can have them
# asked for anew, no more.
_EXEMPT = 4096
# Sources that are banned, in some 5 MB.
_BANS = 16_384
# One that has a known phone may be an office with many: it gets so many times more.
_GENEROSITY = 10
# Whoever sends so many times more than allowed is banned at once; and whoever sends
# too much in so many periods one after the other. A hundred phones that come back after
# a power cut do neither: what is dropped of theirs they send again, ever more slowly.
_FLOOD = 10
_PERSISTENCE = 5
# No ban is longer; and a day after the last one the next is short again.
_DAY = 86_400.0
# Where nobody is banned otherwise, a ban that an administrator orders is as long as
# one is by default.
_ORDERED = 300.0


@dataclass(slots=True)
class _Stranger:
    since: float
    packets: int = 0
    excesses: int = 0  # periods in a row with too many


@dataclass(slots=True)
class _Record:
    since: float
    count: int = 0


class Guard:
    """
    Judges each packet by where it comes from.

    :param packets: how many a stranger may send, and in how many seconds; None: any.
    :param ban: seconds of the first ban of a source.
    :param allow: networks that are never counted nor banned.
    :param banned: is told of each ban.
    """

    def __init__(
        self,
        *,
        packets: tuple[int, float] | None = (60, 2.0),
        ban: float = 300.0,
        allow: Networks | None = None,
        trunks: Trunks | None = None,
        banned: Callable[[Ban], object] = lambda ban: None,
        flows: int = _FLOWS,
        strangers: int = _STRANGERS,
        bans: int = _BANS,
    ) -> None:
        self._limit, self._period = packets or (0, 0.0)
        self._first_ban = ban
        self._allow = allow or Networks(())
        self._trunks = trunks or Trunks(())
        self._tell = banned
        self._sizes = (flows, strangers, bans)
        # When a flow authenticated last, by address, for UDP and for connections; and
        # when any of a source did.
        self._datagrams: OrderedDict[tuple[str, int], float] = OrderedDict()
        self._connections: OrderedDict[tuple[str, int], float] = OrderedDict()
        self._homes: OrderedDict[str, float] = OrderedDict()
        self._strangers: OrderedDict[str, _Stranger] = OrderedDict()
        self._records: OrderedDict[tuple[str, Offence], _Record] = OrderedDict()
        # Flows of allowed networks and trunks, so that these are not asked each time.
        self._exempt: OrderedDict[tuple[str, int, int], None] = OrderedDict()
        # Also for a day after they have ended: the next one is twice as long.
        self._bans: OrderedDict[str, Ban] = OrderedDict()
        #: Packets that were not admitted.
        self.dropped = 0

    @classmethod
    def of_config(
        cls,
        config: Config,
        banned: Callable[[Ban], object] = lambda ban: None,
    ) -> Guard:
        """
        Make the guard that a configuration describes.
        """
        guard = cls(banned=banned)
        guard.reconfigure(config)
        return guard

    def reconfigure(self, config: Config) -> None:
        """
        Judge as another configuration says. Who is banned, or known, remains so.
        """
        limits = config.limits
        rate = limits.packets
        self._limit, self._period = (rate.count, rate.period) if rate else (0, 0.0)
        self._first_ban = limits.ban
        self._allow = Networks(limits.allow)
        self._trunks = Trunks(config.trunk)
        self._exempt.clear()

    def admit(self, flow: Flow, now: float) -> bool:
        """
        Tell whether to look at a packet; if not, it is dropped without a word.
        """
        address = flow.address
        known = self._connections if flow.number else self._datagrams
        then = known.get(address)
        if then is not None and now - then < _LASTING:
            return True
        if self._admit_stranger(address[0], flow, now):
            return True
        self.dropped += 1
        return False

    def note_authenticated(self, remote: Endpoint, now: float) -> None:
        """
        Remember that a flow has proved who it is.
        """
        is_stream = remote.transport.is_reliable
        known = self._connections if is_stream else self._datagrams
        flows, strangers, _ = self._sizes
        _put(known, (remote.host, remote.port), now, flows)
        _put(self._homes, source_of(remote.host), now, strangers)

    def note_failure(self, remote: Endpoint, offence: Offence, now: float) -> bool:
        """
        Count something that is no way to behave.

        :return: whether its source is banned for it, from now on.
        """
        source = source_of(remote.host)
        if self._is_free(remote, now) or self._is_banned(source, now):
            return False
        rule = OFFENCES[offence]
        record = self._records.get((source, offence))
        if record is None or now - record.since >= rule.period:
            record = _Record(now)
        record.count += 1
        _put(self._records, (source, offence), record, self._sizes[1])
        limit = rule.count * (_GENEROSITY if self._is_home(source, now) else 1)
        if record.count < limit:
            return False
        del self._records[source, offence]
        # What cannot have been forged is worth a longer ban each time.
        is_proven = rule.is_proven or remote.transport.is_reliable
        self._ban(source, offence, now, grows=is_proven)
        return True

    def forget(self, remote: Endpoint) -> None:
        """
        Forget a connection that is closed.
        """
        if remote.transport.is_reliable:
            self._connections.pop((remote.host, remote.port), None)

    def bans(self, now: float) -> list[Ban]:
        """
        List who is banned.
        """
        return [ban for ban in self._bans.values() if ban.until > now]

    def ban(self, host: str, seconds: float | None, now: float) -> str | None:
        """
        Ban a source because an administrator says so.

        :param seconds: None: as long as others are banned at first.
        :return: the source; None: it is never banned.
        """
        if self._allow.include(host):
            return None
        source = source_of(host)
        length = seconds or self._first_ban or _ORDERED
        ban = Ban(source, Offence.ORDER, now, now + length)
        _put(self._bans, source, ban, self._sizes[2])
        self._tell(ban)
        return source

    def is_banned(self, host: str, now: float) -> bool:
        """
        Tell whether a source is not listened to, whatever it has proved.
        """
        return self._is_banned(source_of(host), now) and not self._allow.include(host)

    def unban(self, host: str) -> bool:
        """
        Let a source in again, and forget what it has done.

        :param host: any address of it, or what `bans` shows.
        :return: whether it was banned.
        """
        source = source_of(host.removesuffix("/64"))
        self._strangers.pop(source, None)
        for offence in Offence:
            self._records.pop((source, offence), None)
        return self._bans.pop(source, None) is not None

    def explain(self, host: str, now: float) -> str:
        """
        Say in a sentence what becomes of packets of an address.
        """
        source = source_of(host)
        if self._allow.include(host):
            return f"{host} is in limits.allow and never banned"
        ban = self._bans.get(source)
        if ban is not None and ban.until > now:
            flows = (
                " but for its authenticated flows" if self._is_home(source, now) else ""
            )
            left = round(ban.until - now)
            return f"{source} is banned for {left} s more{flows}: {ban.offence}"
        if self._is_home(source, now):
            return f"{source} has authenticated flows"
        return f"{source} is a stranger"

    # Inside

    def _admit_stranger(self, host: str, flow: Flow, now: float) -> bool:
        source = source_of(host)
        stranger = self._strangers.get(source)
        if stranger is None:
            stranger = _Stranger(now)
            _put(self._strangers, source, stranger, self._sizes[1])
        if now - stranger.since >= self._period:
            self._begin_period(source, stranger, now)
        stranger.packets += 1
        if stranger.packets <= self._limit and source not in self._bans:
            return True
        return self._admit_suspect(source, stranger, flow, now)

    def _begin_period(self, source: str, stranger: _Stranger, now: float) -> None:
        is_next = now - stranger.since < 2 * self._period
        exceeded = stranger.packets > self._limit
        stranger.excesses = stranger.excesses + 1 if is_next and exceeded else 0
        stranger.since, stranger.packets = now, 0
        self._strangers.move_to_end(source)

    def _admit_suspect(
        self, source: str, stranger: _Stranger, flow: Flow, now: float
    ) -> bool:
        if self._is_exempt(flow):
            return True
        if self._is_banned(source, now):
            return False
        if not self._limit:
            return True
        limit = self._limit
        if self._is_home(source, now):
            limit *= _GENEROSITY
        if stranger.packets <= limit:
            return True
        if stranger.packets >= limit * _FLOOD or stranger.excesses >= _PERSISTENCE:
            self._ban(source, Offence.FLOOD, now, grows=bool(flow.number))
        return False

    def _is_exempt(self, flow: Flow) -> bool:
        key = (*flow.address, flow.number)
        if key in self._exempt:
            return True
        if self._allow.include(key[0]) or self._trunks.find(flow) is not None:
            _put(self._exempt, key, None, _EXEMPT)
            return True
        return False

    def _is_free(self, remote: Endpoint, now: float) -> bool:
        is_stream = remote.transport.is_reliable
        known = self._connections if is_stream else self._datagrams
        then = known.get((remote.host, remote.port))
        return (then is not None and now - then < _LASTING) or self._allow.include(
            remote.host
        )

    def _is_home(self, source: str, now: float) -> bool:
        then = self._homes.get(source)
        return then is not None and now - then < _LASTING

    def _is_banned(self, source: str, now: float) -> bool:
        ban = self._bans.get(source)
        return ban is not None and ban.until > now

    def _ban(self, source: str, offence: Offence, now: float, *, grows: bool) -> None:
        length = self._first_ban
        if not length:
            return
        before = self._bans.get(source)
        if grows and before is not None and now - before.until < _DAY:
            length = min(2 * (before.until - before.since), _DAY)
        ban = Ban(source, offence, now, now + max(length, self._first_ban))
        _put(self._bans, source, ban, self._sizes[2])
        stranger = self._strangers.get(source)
        if stranger is not None:
            stranger.excesses = 0
        self._tell(ban)


def _put(table: OrderedDict[_K, _V], key: _K, value: _V, size: int) -> None:
    table[key] = value
    table.move_to_end(key)
    if len(table) > size:
        table.popitem(last=False)
