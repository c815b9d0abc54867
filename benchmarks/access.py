"""
What it costs to know who somebody is: the guard, the accounts, authentication.

The guard sees each packet, the rest each request that needs an account. All is measured
in processor time of one thread. The directory is there, in SQLite, but its threads are
not: what it is asked is answered at once and counted in.
"""

from __future__ import annotations

import gc
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from sipsorcery.access.accounts import Accounts
from sipsorcery.access.authentication import Authenticator
from sipsorcery.access.decision import Allowed, Challenge, Decision
from sipsorcery.access.guard import Guard
from sipsorcery.access.throttle import Throttle, ThrottleLimits
from sipsorcery.config import Config
from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.digest import DigestClient, Secret
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request
from sipsorcery.store.directory import Directory
from sipsorcery.store.directory.importing import Imported
from sipsorcery.store.secrets import Secrets
from sipsorcery.testing.threads import SteppedThreads
from sipsorcery.transport.flow import Flow

_T = TypeVar("_T")

PACKETS = 300_000
REQUESTS = 5_000
ACCOUNTS = 20_000
DOMAIN = "example.com"
PHONE = Endpoint.parse("udp:192.0.2.1:5060")


@dataclass(slots=True)
class Seen:
    """
    What the guard looks at of a flow by UDP.
    """

    address: tuple[str, int]
    number: int = 0
    identities: tuple[str, ...] = ()


def flow(host: str) -> Flow:
    """
    Make the flow of an address.
    """
    return cast(Flow, cast(Any, Seen((host, 5060))))


def show(name: str, use: Callable[[Any], object], items: Sequence[Any]) -> None:
    """
    Use each item, and print the time for one.
    """
    gc.collect()
    start = time.process_time()
    for item in items:
        use(item)
    each = (time.process_time() - start) / len(items)
    print(f"  {name:44} {each * 1e6:7.2f} us")


def guarding() -> None:
    """
    Measure the guard.
    """
    print("Guard, one packet")
    guard = Guard.of_config(Config())
    guard.note_authenticated(PHONE, 0.0)
    strangers = [flow(f"10.{n >> 14}.{n >> 7 & 127}.{n & 127}") for n in range(PACKETS)]

    def admit(one: Flow) -> bool:
        return guard.admit(one, 1.0)

    show("authenticated flow", admit, [flow(PHONE.host)] * PACKETS)
    show("allowed network", admit, [flow("127.0.0.1")] * PACKETS)
    show("banned source", admit, [flow("198.51.100.1")] * PACKETS)
    show("a source each, never seen before", admit, strangers)
    guard = Guard.of_config(Config())
    few = [flow(f"203.0.113.{n % 250}") for n in range(250)] * 40
    show("strangers within their rate", admit, few)


class Bench:
    """
    An authenticator with a directory and one account.
    """

    def __init__(self, folder: Path) -> None:
        self.reactor = Clock()
        self.reactor.advance(1_700_000_000)
        self.secrets = Secrets(folder, self.reactor.seconds)
        self.secrets.load()
        self.directory = Directory(
            self.reactor,
            folder,
            self.secrets,
            threads=SteppedThreads(waits=False),
            clock=self.reactor.seconds,
        )
        self.directory.start()
        self.do(self.directory.everyone.users.add("joe"))
        self.do(self.directory.everyone.domains.add(DOMAIN))
        joe = self.directory.of("joe").accounts
        self.do(joe.add("phone", DOMAIN, "correct horse"))
        self.accounts = Accounts(self.directory, Config(), self.reactor)
        self.authenticator = Authenticator(
            self.reactor,
            Config(),
            accounts=self.accounts,
            secrets=self.secrets,
            guard=Guard(),
            # Nobody is locked out, nor waits, for failing so often.
            throttle=Throttle(ThrottleLimits(patience=10**9, lock_after=10**9)),
            clock=self.reactor.seconds,
        )
        self.reactor.advance(1)

    def do(self, asked: Awaitable[_T]) -> _T:
        """
        Wait for what needs a turn of the reactor at most.
        """
        results: list[_T] = []

        async def wait() -> None:
            results.append(await asked)

        Deferred.fromCoroutine(wait())
        if not results:
            self.reactor.advance(0)
        return results[0]

    def decide(self, request: Request) -> Decision:
        """
        Authenticate a request.
        """
        return self.do(
            self.authenticator.authenticate(
                request, source=PHONE, domain=DOMAIN, username="phone"
            )
        )

    def requests(self, password: str) -> list[Request]:
        """
        Make requests of a phone that uses one nonce for all, as they are received.
        """
        client = DigestClient({DOMAIN: Secret("phone", password)}.get)
        first = client.attempt("REGISTER", f"sip:{DOMAIN}")
        challenge = self.decide(received(first.authorize()))
        assert isinstance(challenge, Challenge)
        assert first.challenged(www=[value for _, value in challenge.fields])
        return [received(first.authorize()) for _ in range(REQUESTS)]


def received(authorization: Sequence[Any]) -> Request:
    """
    Make a REGISTER as it comes from the wire.
    """
    fields = [
        ("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK74b43;rport"),
        ("Max-Forwards", "70"),
        ("From", "<sip:phone@example.com>;tag=9fxced76sl"),
        ("To", "<sip:phone@example.com>"),
        ("Call-ID", "3848276298220188511@192.0.2.1"),
        ("CSeq", "1 REGISTER"),
        ("Contact", "<sip:phone@192.0.2.1>"),
        ("User-Agent", "Phone/1.0"),
    ]
    request = Request("REGISTER", f"sip:{DOMAIN}", [*fields, *authorization])
    read = parse(request.to_bytes())
    assert isinstance(read, Request)
    return read


def authenticating(bench: Bench) -> None:
    """
    Measure the authenticator, and the accounts it knows.
    """
    print("Authentication, one request")

    def allowed(request: Request) -> None:
        assert isinstance(bench.decide(request), Allowed)

    def challenged(request: Request) -> None:
        assert isinstance(bench.decide(request), Challenge)

    show("the first: a challenge", challenged, [received(()) for _ in range(REQUESTS)])
    show("right, a nonce used again", allowed, bench.requests("correct horse"))
    show("wrong, with a line in the log", challenged, bench.requests("wrong")[:500])
    print("Accounts, in memory")
    names = ["phone"] * PACKETS

    async def find() -> None:
        show("recalled", lambda name: bench.accounts.recall(name, DOMAIN), names)
        start = time.process_time()
        for name in names:
            await bench.accounts.find(name, DOMAIN)
        each = (time.process_time() - start) / PACKETS
        print(f"  {'found':44} {each * 1e6:7.2f} us")

    bench.do(find())


def remembering(bench: Bench) -> None:
    """
    Measure what an account takes that is kept in memory.
    """
    names = [f"{number}" for number in range(ACCOUNTS)]
    joe = bench.directory.of("joe").accounts
    imported = [
        Imported(name, name, DOMAIN, os.urandom(16).hex(), os.urandom(32).hex())
        for name in names
    ]
    for start in range(0, ACCOUNTS, 100):
        assert not bench.do(joe.adopt(imported[start : start + 100]))
    accounts = Accounts(bench.directory, Config(), bench.reactor)
    before = memory()
    for name in names:
        assert bench.do(accounts.find(name, DOMAIN))
    each = (memory() - before) / ACCOUNTS
    print(f"Accounts, memory of one {each:28.0f} bytes")


def memory() -> int:
    """
    Give the resident memory of the process in bytes.
    """
    gc.collect()
    pages = Path("/proc/self/statm").read_text("ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """
    Measure and print.
    """
    with tempfile.TemporaryDirectory(prefix="sipsorcery-access-") as name:
        bench = Bench(Path(name))
        # First, while no memory lies free.
        remembering(bench)
        guarding()
        authenticating(bench)
        bench.directory.stop()


if __name__ == "__main__":
    main()
