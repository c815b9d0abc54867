"""
What the registrar carries: registrations with Digest, memory, lookups.

The server runs in a process of its own on the first core, its threads with it, and the
load on the second. All requests are made beforehand and carry the right credentials:
some nonces are asked for once and used again, each time with the next count. Bindings
are on the disk before they are acknowledged, with durability "process".

* ``new`` registers each account for the first time: nobody has asked for it before, so
  the directory is, too.
* ``refresh`` registers the same contacts again.

The rate is what came of it here; the processor time of the server for each request
holds also where the machine is busy with something else.
"""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any, Self

from twisted.application.service import MultiService
from twisted.internet import reactor as installed_reactor
from twisted.internet.task import react

from benchmarks._measuring import free_port, processor_time, resident
from sipsorcery.access.accounts import Accounts
from sipsorcery.access.contacts import Contacts
from sipsorcery.config import Config, parse
from sipsorcery.sip import parse as parse_message
from sipsorcery.sip.digest import Algorithm, compute_ha1, compute_response
from sipsorcery.sip.fields import WWW_AUTHENTICATE
from sipsorcery.tap.collecting import collect_rarely
from sipsorcery.tap.registrar import make_registrar
from sipsorcery.tap.settings import Settings
from sipsorcery.tap.stores import WritableStores

DOMAIN = "example.com"
PASSWORD = "a secret of no use"
ACCOUNTS = 100_000
ROUND = 10_000  # requests
WINDOW = 64  # requests in flight: more do not fit into the buffer of the socket
NONCES = 4  # each with no more in flight than the server's window allows for
LOOKUPS = 50_000
# Seconds after which the transactions of all requests have ended.
TIMER_J = 35
# The cores of the server and of the load.
SERVER, LOAD = 0, 1

TEMPLATE = (
    "REGISTER sip:example.com SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{kind}{number};rport\r\n"
    "Max-Forwards: 70\r\n"
    'From: "Phone {number}" <sip:u{number}@example.com>;tag=f{number}\r\n'
    "To: <sip:u{number}@example.com>\r\n"
    "Call-ID: {number}-registration@127.0.0.1\r\n"
    "CSeq: {cseq} REGISTER\r\n"
    "Contact: <sip:u{number}@127.0.0.1:{port};ob>\r\n"
    "Expires: 3600\r\n"
    "User-Agent: load/1.0\r\n"
    "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REFER\r\n"
    "{authorization}"
    "Content-Length: 0\r\n\r\n"
)
AUTHORIZATION = (
    'Authorization: Digest username="u{number}", realm="example.com", '
    'nonce="{nonce}", uri="sip:example.com", response="{response}", algorithm=MD5, '
    'cnonce="0a4f113b", qop=auth, nc={nc}\r\n'
)


def configuration(folder: Path, port: int) -> Config:
    """
    Make the configuration of the server, with what lies beside its data.
    """
    text = f'server.data_dir = "{folder}"\nregistrar.listen = "udp:127.0.0.1:{port}"'
    more = folder / "more.toml"
    return parse(f"{text}\n{more.read_text() if more.exists() else ''}".encode())


# The server


def serve(folder: Path, port: int) -> None:
    """
    Run a registrar until this process is ended, as ``twistd sipregistrar`` does.
    """
    os.sched_setaffinity(0, {SERVER})
    reactor: Any = installed_reactor
    services = MultiService()
    services.startService()
    settings = Settings(lambda: configuration(folder, port))
    for service in make_registrar(reactor, settings):
        service.setServiceParent(services)
    reactor.addSystemEventTrigger("before", "shutdown", services.stopService)
    reactor.callWhenRunning(collect_rarely)
    reactor.callWhenRunning(print, "ready", flush=True)
    reactor.run()


async def prepare(reactor: Any, folder: Path) -> None:
    """
    Make a directory with all accounts.
    """
    stores = WritableStores(reactor, configuration(folder, 5071))
    stores.startService()
    directory = stores.directory
    await directory.everyone.users.add("joe", "correct horse")
    await directory.everyone.domains.add(DOMAIN)
    await directory.of("joe").accounts.add("u0", DOMAIN, PASSWORD)
    await stores.stopService()
    multiply(folder / "directory.db")


def multiply(file: Path) -> None:
    """
    Make the other accounts after the first: one by one would take minutes.
    """
    connection = sqlite3.connect(file)
    connection.row_factory = sqlite3.Row
    first = dict(connection.execute("select * from accounts").fetchone())
    del first["id"]

    def rows() -> Iterator[tuple[Any, ...]]:
        for number in range(1, ACCOUNTS):
            name = f"u{number}"
            own = {
                "username": name,
                "address": f"{name}@{DOMAIN}",
                "ha1_md5": compute_ha1(name, DOMAIN, PASSWORD, Algorithm.MD5),
            }
            yield tuple({**first, **own}.values())

    columns, marks = ", ".join(first), ", ".join("?" * len(first))
    with connection:
        connection.executemany(
            f"insert into accounts ({columns}) values ({marks})",
            rows(),
        )
    connection.close()


# The load


class Phones:
    """
    All phones behind one socket.
    """

    def __init__(self, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        self._socket.connect(("127.0.0.1", port))
        self._socket.settimeout(5)
        self._port = self._socket.getsockname()[1]
        self._cseq = 1

    def requests(self, numbers: Iterable[int], kind: str) -> list[bytes]:
        """
        Make a request of each phone, with credentials for a nonce that is fresh.
        """
        self._cseq += 1
        nonces = [self._nonce(f"{kind}{turn}") for turn in range(NONCES)]
        made = []
        for turn, number in enumerate(numbers):
            nc, nonce = f"{turn // NONCES + 1:08x}", nonces[turn % NONCES]
            response = compute_response(
                Algorithm.MD5,
                compute_ha1(f"u{number}", DOMAIN, PASSWORD, Algorithm.MD5),
                method="REGISTER",
                uri=f"sip:{DOMAIN}",
                nonce=nonce,
                qop="auth",
                nc=nc,
                cnonce="0a4f113b",
            )
            authorization = AUTHORIZATION.format(
                number=number, nonce=nonce, response=response, nc=nc
            )
            made.append(self._request(number, kind, authorization))
        return made

    def _request(self, number: int, kind: str, authorization: str = "") -> bytes:
        return TEMPLATE.format(
            port=self._port,
            number=number,
            kind=kind,
            cseq=self._cseq,
            authorization=authorization,
        ).encode()

    def _nonce(self, kind: str) -> str:
        self._socket.send(self._request(0, f"n{kind}x"))
        answer = self._socket.recv(65535)
        nonce = parse_message(answer)[WWW_AUTHENTICATE].nonce
        assert nonce is not None
        return nonce

    def send(self, requests: Sequence[bytes]) -> float:
        """
        Keep `WINDOW` of the requests in flight, and give the time that all took.
        """
        receive, send = self._socket.recv, self._socket.send
        start = time.monotonic()
        for request in requests[:WINDOW]:
            send(request)
        for request in requests[WINDOW:]:
            self._check(receive(65535))
            send(request)
        for _ in requests[-WINDOW:]:
            self._check(receive(65535))
        return time.monotonic() - start

    def _check(self, response: bytes) -> None:
        if not response.startswith(b"SIP/2.0 200 "):
            raise SystemExit(f"not registered:\n{response.decode()}")


class Server:
    """
    The process of the server.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self._process = Popen(command("serve", folder, port), stdout=PIPE)
        assert self._process.stdout is not None
        self._process.stdout.readline()

    def processor_time(self) -> float:
        """
        Give the seconds of processor time that all its threads have used.
        """
        return processor_time(self._process.pid)

    def memory(self) -> float:
        """
        Give its resident memory in MB.
        """
        return resident(self._process.pid) / 1e6

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


def measure(server: Server, name: str, phones: Phones, count: int) -> None:
    """
    Let all phones register in rounds, and print what the best of these cost.

    Others use the machine, too: the best round is that which they disturbed least.
    """
    best = best_rate = 0.0
    for start in range(0, count, ROUND):
        requests = phones.requests(range(start, start + ROUND), f"{name[0]}{start}x")
        before = server.processor_time()
        elapsed = phones.send(requests)
        used = server.processor_time() - before
        best = max(best, ROUND / used)
        best_rate = max(best_rate, ROUND / elapsed)
    print(
        f"  {name:22}{best_rate:8.0f}/s   CPU {1e6 / best:6.1f} us, "
        f"which is {best:6.0f}/s of a core",
        flush=True,
    )


def register(folder: Path, port: int) -> None:
    """
    Measure registrations and the memory that they take.
    """
    os.sched_setaffinity(0, {LOAD})
    with Server(folder, port) as server:
        phones = Phones(port)
        print(f"  {'memory at first':22}{server.memory():8.0f} MB")
        measure(server, "new bindings", phones, ACCOUNTS)
        print(f"  {f'{ACCOUNTS:,} bindings':22}{server.memory():8.0f} MB", flush=True)
        time.sleep(TIMER_J)
        print(f"  {'half a minute later':22}{server.memory():8.0f} MB", flush=True)
        measure(server, "refreshes", phones, ACCOUNTS)
    with Server(folder, port) as server:
        print(f"  {'after a restart':22}{server.memory():8.0f} MB, without accounts")


async def look_up(reactor: Any, folder: Path) -> None:
    """
    Measure how long it takes to find a contact.
    """
    config = configuration(folder, 5071)
    stores = WritableStores(reactor, config)
    stores.startService()
    accounts = Accounts(stores.directory, config, reactor)
    contacts = Contacts(accounts, stores.live)
    uris = [f"sip:u{number}@{DOMAIN}" for number in range(0, ACCOUNTS, 100)]
    for turns in (1, LOOKUPS // len(uris)):  # the first time the directory is asked
        start = time.process_time()
        for _ in range(turns):
            for uri in uris:
                assert await contacts.of(uri)
        took = (time.process_time() - start) / len(uris) / turns
    print(f"  {'lookup':22}{took * 1e6:8.1f} us")
    await stores.stopService()


def main() -> None:
    """
    Measure everything and print it.
    """
    folder, port = Path(tempfile.mkdtemp()), free_port()
    try:
        subprocess.run(command("prepare", folder, port), check=True)
        print("REGISTER with Digest over UDP", flush=True)
        register(folder, port)
        subprocess.run(command("look_up", folder, port), check=True)
    finally:
        shutil.rmtree(folder)


def command(part: str, folder: Path, port: int) -> list[str]:
    """
    Give the command line of one part, which has a process of its own.
    """
    return [sys.executable, "-m", "benchmarks.registrar", part, str(folder), str(port)]


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", folder, port]:
            serve(Path(folder), int(port))
        case ["prepare", folder, _]:
            react(prepare, [Path(folder)])
        case ["look_up", folder, _]:
            react(look_up, [Path(folder)])
        case _:
            main()
