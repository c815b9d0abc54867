"""
Ports for servers and peers in processes of their own.
"""

from __future__ import annotations

import random
import socket
from collections import deque

from sipsorcery.endpoint import Transport

# Before those that the kernel gives to sockets which do not care: such a one could come
# between the choice and the program. Our servers choose among those before these.
_PORTS = range(30_000, 32_700)
# What the last ones are held by: a name of the kernel for each, which no other process
# can have, be it another part of the same run, until we end.
_given: deque[list[socket.socket]] = deque(maxlen=300)


def free_port(*, row: int = 1) -> int:
    """
    Find a port of the loopback that nobody has, neither over UDP nor over TCP.

    It is not given again soon, as the program may take its time.

    :param row: how many in a row have to be free.
    """
    while True:
        port = random.choice(_PORTS)
        ports = range(port, port + row)
        marks = _mark(ports)
        if marks and all(
            is_free(transport, one)
            for one in ports
            for transport in (Transport.UDP, Transport.TCP)
        ):
            if len(_given) == _given.maxlen:
                _close(_given.popleft())
            _given.append(marks)
            return port
        _close(marks)


def is_free(transport: Transport, port: int) -> bool:
    """
    Tell whether nobody has a port of the loopback.
    """
    datagram = transport is Transport.UDP
    kind = socket.SOCK_DGRAM if datagram else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as probe:
        if not datagram:
            # Connections of the past that only wait for their time to run out.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _mark(ports: range) -> list[socket.socket]:
    """
    Take the names of some ports; none if somebody has one of them.
    """
    marks: list[socket.socket] = []
    for port in ports:
        mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        marks.append(mark)
        try:
            mark.bind(f"\0sipsorcery-tests/{port}")
        except OSError:
            _close(marks)
            return []
    return marks


def _close(marks: list[socket.socket]) -> None:
    for mark in marks:
        mark.close()
