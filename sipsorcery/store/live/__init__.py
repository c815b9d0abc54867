"""
Live state: records that expire, which servers write while they work.

A role says what its records hold with a `Kind` and uses them through `LiveStore`; where
they are kept, `LocalStore` here or a store that several machines share, is not for the
role to know.
"""

from sipsorcery.store.live.acting import sweep, take_due
from sipsorcery.store.live.interface import LiveReader, LiveStore
from sipsorcery.store.live.kind import Kind
from sipsorcery.store.live.lease import Lease, Leases
from sipsorcery.store.live.local import LocalStore
from sipsorcery.store.live.reader import LocalReader
from sipsorcery.store.live.record import Record

__all__ = [
    "Kind",
    "Lease",
    "Leases",
    "LiveReader",
    "LiveStore",
    "LocalReader",
    "LocalStore",
    "Record",
    "sweep",
    "take_due",
]
