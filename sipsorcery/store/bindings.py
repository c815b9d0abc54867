"""
The bindings of an address-of-record: where its phones are.

The registrar writes them; whoever sends requests to users reads them. All bindings of
one address-of-record are one record of the live state, so that they change together
or not at all (:rfc:`3261#section-10.3`, step 7), under the key ``sip:user@domain``
with the domain in lower case.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from sipsorcery.store.live.kind import Kind
from sipsorcery.store.live.record import Record

#: Seconds that a binding outlives its expiry: a phone that refreshes at the last
#: moment, and maybe has to repeat its request, stays reachable meanwhile.
GRACE = 10.0


class Binding(msgspec.Struct, frozen=True, gc=False, array_like=True, kw_only=True):
    """
    One contact of an address-of-record.

    The texts are as the phone has written them, so that it finds them again in the
    answer; where requests go in truth is for `path` and `target` to say.

    :ivar contact: the URI.
    :ivar expiry: until when it holds, in seconds since the epoch.
    :ivar call_id: of the REGISTER that was last to change it, as is `cseq`.
    :ivar path: the URIs that requests have to pass, the nearest to us first
        (:rfc:`3327`).
    :ivar target: the URI that requests are for, where that is not the contact: because
        no proxy of ours knows the way back through a NAT. Empty: the contact.
    :ivar parameters: those of the Contact field but for ``expires`` and ``q``, with
        the semicolons.
    :ivar q: the preference, 0 to 1; None: not said, which is as good as 1.
    :ivar instance: of ``+sip.instance``, without quotes; empty: none.
    :ivar reg_id: the flow of that instance (:rfc:`5626`); 0: without outbound.
    :ivar received: the phone's own address as an `Endpoint`: whence its request came.
    :ivar received_on: where a proxy of ours received that; empty: we did.
    :ivar user_agent: what the phone calls itself.
    :ivar updated: when it was last registered or refreshed.
    :ivar created: when it was first registered.
    :ivar keeps_alive: whether we have to keep the way through a NAT open.
    """

    contact: str
    expiry: float
    call_id: str
    cseq: int
    path: tuple[str, ...] = ()
    target: str = ""
    parameters: str = ""
    q: float | None = None
    instance: str = ""
    reg_id: int = 0
    received: str = ""
    received_on: str = ""
    user_agent: str = ""
    updated: float = 0.0
    created: float = 0.0
    keeps_alive: bool = False

    @property
    def flow_tokens(self) -> tuple[str, ...]:
        """
        The user parts of the path: a proxy of ours writes the tokens of flows there.
        """
        return tuple(_user(uri) for uri in self.path if "@" in uri)


class Bindings(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """
    All bindings of one address-of-record, in the order they were made.
    """

    all: tuple[Binding, ...] = ()

    def __iter__(self) -> Iterator[Binding]:
        """
        Give them one by one.
        """
        return iter(self.all)

    def __len__(self) -> int:
        return len(self.all)

    def current(self, now: float) -> tuple[Binding, ...]:
        """
        Give those that requests can be sent to.

        :param now: seconds since the epoch.
        """
        ended = now - GRACE
        for each in self.all:
            if each.expiry <= ended:
                return tuple(each for each in self.all if each.expiry > ended)
        return self.all


#: What the live state calls them.
BINDINGS = Kind("binding", Bindings)


def make_record(aor: str, bindings: Bindings, owner: str, version: int = 0) -> Record:
    """
    Make the record of an address-of-record that has bindings.

    It goes with its last binding. It is due when the first one goes, if others stay.

    :param owner: the user of the directory that the account belongs to.
    :param version: of the record that this one shall replace; 0: of none.
    """
    expiries = [each.expiry for each in bindings]
    first, last = min(expiries) + GRACE, max(expiries) + GRACE
    due = None if first == last else first
    return Record(
        BINDINGS.name, aor, BINDINGS.write(bindings), last, owner, due, version
    )


def _user(uri: str) -> str:
    return uri.partition(":")[2].partition("@")[0]
