"""
The dispatch file: which application servers there are, and which may get new calls.

It has the format of the original, a line ``PRIORITY,ENDPOINT`` for each server:

.. code-block:: text

    # comments are ours
    100,udp:127.0.0.1:5070
    0,udp:127.0.0.1:5071
    -1,udp:127.0.0.1:5072
    25,udp:127.0.0.1:5073

100 says to use it, 0 that it gets no new calls for now, -1 that nobody but the operator
changes this, and 1 to 99 are weights beside the 100 of the others.

What Kamailio calls ``dispatcher.list`` is read, too: ``SET URI FLAGS PRIORITY ATTRS``.
Of its flags, 1 (inactive) is our 0 and 4 (disabled) our -1; of its attributes,
``weight`` and ``rweight`` are weights. What would change who gets a call there, and
does not here, is reported. Lines of the original are of set 1. Pure, but for `read` and
`write`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.sip.errors import excerpt
from sipsorcery.store.files import replace_private

#: The priority of a server that gets its full share of new calls.
USE = 100
#: That of one which finishes what it has.
DRAIN = 0
#: That of one which the operator has taken out: no supervisor changes it.
NEVER = -1

# Servers of one file, and octets of it: more than a proxy could probe in time.
_MAX_SERVERS = 1000
_MAX_SIZE = 256 * 1024

_LINE = re.compile(r"\s*([+-]?[0-9]{1,9})\s*,\s*(\S+)\s*")
_KAMAILIO = re.compile(
    r"(?P<set>[0-9]{1,9})\s+(?P<uri>sips?:\S+)"
    r"(?:\s+(?P<flags>[0-9]{1,9})(?:\s+(?P<priority>[0-9]{1,9})(?:\s+(?P<attrs>.*))?)?)?",
    re.IGNORECASE,
)
_WEIGHT = re.compile(r"(?:^|;)\s*r?weight=([0-9]{1,9})\s*(?:;|$)")
_MOST_CALLS = re.compile(r"(?:^|;)\s*maxload=[1-9]")
# Flags of Kamailio: inactive, or disabled by the operator (ds_flags of its dispatcher).
_INACTIVE, _DISABLED = 1, 4
# In a URI without a port.
_PORT, _TLS_PORT = 5060, 5061


#: The set of lines that name none.
FIRST_SET = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """
    One server of one set; it may be in others, too.
    """

    endpoint: Endpoint
    priority: int
    set: int = FIRST_SET


@dataclass(frozen=True, slots=True)
class Fault:
    """
    What is wrong with a line: that it is skipped, or what of it says nothing here.
    """

    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class Listing:
    """
    What a file says.
    """

    entries: tuple[Entry, ...]
    faults: tuple[Fault, ...] = ()


def parse(text: str) -> Listing:
    """
    Read the content of a file; what is wrong with a line harms no other.
    """
    entries: dict[tuple[int, Endpoint], Entry] = {}
    faults: list[Fault] = []
    for number, line in enumerate(text.splitlines(), 1):
        content = line.partition("#")[0].strip()
        if not content:
            continue
        try:
            entry = _parse_line(content)
            key = entry.set, entry.endpoint
            if key in entries:
                raise ValueError(f"{entry.endpoint} is there already")
            if len(entries) == _MAX_SERVERS:
                raise ValueError(f"there are {_MAX_SERVERS} servers already")
        except ValueError as error:
            faults.append(Fault(number, str(error)))
        else:
            entries[key] = entry
            faults += (Fault(number, text) for text in _unheeded(content))
    return Listing(tuple(entries.values()), tuple(faults))


def read(file: Path) -> Listing:
    """
    Read a file.

    :raises OSError: if it cannot be read.
    :raises ValueError: if it is no such file at all.
    """
    if file.stat().st_size > _MAX_SIZE:
        raise ValueError(f"it has more than {_MAX_SIZE} octets")
    return parse(file.read_text("utf-8"))


def write(file: Path, priorities: Mapping[Endpoint, int]) -> None:
    """
    Change the priorities of servers that are in a file, or add them, in one step.

    What else is in it stays as it is, and so does a server with `NEVER`. Whoever reads
    the file sees the old one or the new one, also after a loss of power.

    :raises OSError: if it cannot be read or written.
    """
    named: set[Endpoint] = set()
    lines = []
    for line in file.read_text("utf-8").splitlines() if file.exists() else ():
        content, mark, comment = line.partition("#")
        try:
            entry = _parse_line(content.strip())
        except ValueError:
            lines.append(line)
            continue
        named.add(entry.endpoint)
        priority = priorities.get(entry.endpoint, entry.priority)
        is_used = priority == USE and entry.priority > DRAIN  # it keeps its weight
        if is_used or entry.priority in (NEVER, priority):
            lines.append(line)
        else:
            tail = f"  {mark}{comment}" if mark else ""
            lines.append(f"{_changed(content.strip(), entry, priority)}{tail}")
    lines += [f"{new},{end}" for end, new in priorities.items() if end not in named]
    replace_private(file, "".join(f"{line}\n" for line in lines).encode())


def _parse_line(content: str) -> Entry:
    if match := _LINE.fullmatch(content):
        priority, endpoint, number = int(match[1]), _read_endpoint(match[2]), FIRST_SET
    elif match := _KAMAILIO.fullmatch(content):
        priority, endpoint = _kamailio_priority(match), _read_uri(match["uri"])
        number = int(match["set"])
    else:
        raise ValueError(f"expected PRIORITY,ENDPOINT, not {excerpt(content)}")
    if not NEVER <= priority <= USE:
        raise ValueError(f"the priority is -1, 0 or 1 to 100, not {priority}")
    return Entry(endpoint, priority, number)


def _read_endpoint(text: str) -> Endpoint:
    if text.lower().startswith(("sip:", "sips:")):
        return _read_uri(text)
    return Endpoint.parse(text)


def _read_uri(text: str) -> Endpoint:
    scheme, _, rest = text.partition(":")
    place, *parameters = rest.split(";")
    transport = "tls" if scheme.lower() == "sips" else "udp"
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.lower() == "transport":
            transport = value.lower()
    port = _TLS_PORT if transport == Transport.TLS.value else _PORT
    return Endpoint.parse(f"{transport}:{place}", default_port=port)


# Lines of Kamailio


def _kamailio_priority(line: re.Match[str]) -> int:
    flags = int(line["flags"] or 0)
    if flags & _DISABLED:
        return NEVER
    if flags & _INACTIVE:
        return DRAIN
    weight = _WEIGHT.search(line["attrs"] or "")
    return USE if weight is None else int(weight[1])


def _unheeded(content: str) -> Iterator[str]:
    """
    Say what of a line means something to Kamailio, and nothing here.
    """
    line = _KAMAILIO.fullmatch(content)
    if line is None:
        return
    if int(line["priority"] or 0):
        yield f"the priority {line['priority']} orders nothing: use sets, or weights"
    if _MOST_CALLS.search(line["attrs"] or ""):
        yield "maxload limits nothing: a server that is full answers 503"


def _changed(content: str, entry: Entry, priority: int) -> str:
    """
    Write a line anew; one of Kamailio keeps its weight, and only its flags change.
    """
    line = _KAMAILIO.fullmatch(content)
    if line is None:
        return f"{priority},{entry.endpoint}"
    flags = int(line["flags"] or 0) & ~(_INACTIVE | _DISABLED)
    flags |= {DRAIN: _INACTIVE, NEVER: _DISABLED}.get(priority, 0)
    rest = "" if line["priority"] is None else content[line.end("flags") :]
    return f"{content[: line.end('uri')]} {flags}{rest}"
