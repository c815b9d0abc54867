"""
Reading the accounts of other servers.

Pure: files come as text, accounts and faults go out. `Accounts.adopt` adds them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sipsorcery.sip.digest import Algorithm, compute_ha1
from sipsorcery.sip.errors import excerpt

_MD5 = re.compile("[0-9a-f]{32}")
_SHA_256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Imported:
    """
    An account of another server.

    :ivar place: where it was read, for a `Fault`.
    :ivar domain: the realm.
    """

    place: str
    username: str
    domain: str
    ha1_md5: str | None = field(default=None, repr=False)
    ha1_sha_256: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Fault:
    """
    An account that cannot be imported, and why, in a sentence.
    """

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


def read_htdigest(text: str) -> Iterator[Imported | Fault]:
    """
    Read a file of ``htdigest``: a line ``USER:REALM:HA1`` for each account.
    """
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        place = f"line {number}"
        username, _, rest = line.strip().partition(":")
        realm, _, ha1 = rest.rpartition(":")
        if username and realm:
            yield _import(place, username, realm, ha1)
        else:
            yield Fault(place, "expected USER:REALM:HA1")


def read_subscribers(text: str) -> Iterator[Imported | Fault]:
    """
    Read rows of Kamailio's table ``subscriber`` that were printed with its columns.

    Such as by ``sqlite3 -header -csv``, or, with tabs, by ``mysql --batch``.
    """
    first, _, _ = text.partition("\n")
    dialect = "excel-tab" if "\t" in first else "excel"
    rows = csv.DictReader(text.splitlines(), dialect=dialect, restval="")
    try:
        for row in rows:
            yield read_subscriber(row, f"line {rows.line_num}")
    except csv.Error as error:
        yield Fault(f"line {rows.line_num}", f"this is no table: {error}")


def read_subscriber(row: Mapping[str, str | None], place: str) -> Imported | Fault:
    """
    Read one row of Kamailio's table ``subscriber``.

    ``ha1`` is what counts where there is one. A password in clear beside it gives the
    HA1 of the other algorithm, if it is the same password; it is not kept. ``ha1b``,
    for phones that send the domain in the user name, has no use here.
    """
    username, domain = row.get("username") or "", row.get("domain") or ""
    if not username or not domain:
        return Fault(place, "there is no username, or no domain")
    ha1, password = row.get("ha1") or "", row.get("password") or ""
    if not password:
        return _import(place, username, domain, ha1)
    made = Imported(
        place,
        username,
        domain,
        compute_ha1(username, domain, password, Algorithm.MD5),
        compute_ha1(username, domain, password, Algorithm.SHA_256),
    )
    if not ha1 or ha1.lower() in (made.ha1_md5, made.ha1_sha_256):
        return made
    return _import(place, username, domain, ha1)


def split(read: Iterable[Imported | Fault]) -> tuple[list[Imported], list[Fault]]:
    """
    Part the accounts from the faults.
    """
    accounts: list[Imported] = []
    faults: list[Fault] = []
    for each in read:
        if isinstance(each, Imported):
            accounts.append(each)
        else:
            faults.append(each)
    return accounts, faults


def _import(place: str, username: str, domain: str, ha1: str) -> Imported | Fault:
    ha1 = ha1.strip().lower()
    if _MD5.fullmatch(ha1):
        return Imported(place, username, domain, ha1_md5=ha1)
    if _SHA_256.fullmatch(ha1):
        return Imported(place, username, domain, ha1_sha_256=ha1)
    return Fault(place, f"the HA1 of {excerpt(username)} is none of MD5 or SHA-256")
