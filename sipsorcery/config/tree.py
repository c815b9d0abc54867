"""
The configuration as values: one class for each section, one field for each key.

What a key means to an operator stands in ``etc/sipsorcery.toml``; here are the types
and the defaults. A key whose type allows ``None`` is left out of use by ``""``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias

from sipsorcery.config.stores import Directory, Live
from sipsorcery.config.values import (
    Address,
    Country,
    DigestAlgorithm,
    DispatchBy,
    DispatchProbe,
    Domain,
    Durability,
    File,
    Files,
    InsideAddress,
    LogFormat,
    LogLevel,
    Mailbox,
    MailServer,
    Network,
    Number,
    Pattern,
    Pin,
    Rate,
    Route,
    STUNServer,
    Target,
    TCPAddress,
    TLSVerify,
    WholeNumber,
    read_network,
)
from sipsorcery.endpoint import HostPort, ListenAddress

# delta-seconds of RFC 3261, section 20.19, end at 2**32 - 1.
Expires: TypeAlias = Annotated[int, WholeNumber(1, 2**32 - 1)]
# A day: whoever wants longer has mistaken the unit.
Seconds: TypeAlias = Annotated[float, Number(0, 86_400)]
# How long somebody else may take: in less than a second nobody has said anything.
Patience: TypeAlias = Annotated[float, Number(1, 86_400)]
# A process has no more than about a million file descriptors to give.
Connections: TypeAlias = Annotated[int, WholeNumber(1, 1_000_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """
    The section ``[server]``.
    """

    data_dir: File = Path("var/sipsorcery")


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """
    The section ``[storage]``.
    """

    directory: Directory = "sqlite"
    live: Live = ()  # Redis URLs, one a shard; none: "local"
    durability: Durability = Durability.PROCESS


@dataclass(frozen=True, slots=True, kw_only=True)
class SIP:
    """
    The section ``[sip]``.
    """

    domains: tuple[Domain, ...] = ()
    public_address: Address | None = None
    stun_server: STUNServer | None = None
    local_networks: tuple[Network, ...] = ()
    proxies: tuple[Target, ...] = ()
    udp_mtu: Annotated[int, WholeNumber(0, 65_535)] = 1300
    t1: Annotated[float, Number(0.01, 10)] = 0.5
    tls_verify: TLSVerify = TLSVerify.DOMAIN
    tls_wildcards: bool = False
    tls_ca: File | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TLSTarget:
    """
    One table ``[[tls_target]]``: other rules for what goes to one SIP domain.
    """

    domain: Domain
    tls_verify: TLSVerify
    tls_wildcards: bool = False
    tls_pins: tuple[Pin, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """
    The section ``[auth]``.
    """

    algorithms: tuple[DigestAlgorithm, ...] = (DigestAlgorithm.MD5,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """
    The section ``[proxy]``.
    """

    listen: tuple[ListenAddress, ...] = (
        ListenAddress.parse("udp:0.0.0.0:5060"),
        ListenAddress.parse("tcp:0.0.0.0:5060"),
    )
    inside: InsideAddress | None = None
    script: File | None = None
    dispatch_file: File | None = None
    dispatch_by: DispatchBy = DispatchBy.CALL_ID
    dispatch_probe: DispatchProbe = DispatchProbe.OPTIONS
    dispatch_interval: Annotated[float, Number(0.05, 3600)] = 0.5
    dispatch_patience: Annotated[float, Number(0.05, 60)] = 1
    tls_certificate: Files = ()
    tls_key: Files = ()  # each that of the certificate in the same place
    tls_client_ca: File | None = None
    tls_client_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trunk:
    """
    One table ``[[trunk]]``: a neighbour that may send us calls without credentials.
    """

    name: str
    networks: tuple[Network, ...] = ()
    tls_domains: tuple[Domain, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Registrar:
    """
    The section ``[registrar]``.
    """

    enabled: bool = True
    listen: InsideAddress | None = None
    min_expires: Expires = 60
    max_expires: Expires = 3600
    # Every call forks to all of them, and they are one record.
    max_contacts: Annotated[int, WholeNumber(1, 100)] = 10
    keep_alive: Annotated[float, Number(0, 3600)] = 25
    service_route: tuple[Route, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAgent:
    """
    One table ``[[user_agent]]``: what phones of one kind need.
    """

    pattern: Pattern
    max_expires: Expires | None = None
    contact_list: bool = True
    algorithms: tuple[DigestAlgorithm, ...] = ()  # none: those of the domain


@dataclass(frozen=True, slots=True, kw_only=True)
class RegAgent:
    """
    The section ``[regagent]``; the times are what is asked of a provider.
    """

    enabled: bool = True
    listen: InsideAddress | None = None
    min_expires: Expires = 60
    max_expires: Expires = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifier:
    """
    The section ``[notifier]``; the times are those of subscriptions and publications.
    """

    enabled: bool = True
    listen: InsideAddress | None = None
    min_expires: Expires = 60
    max_expires: Expires = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class AppServer:
    """
    The section ``[appserver]``.
    """

    enabled: bool = True
    listen: InsideAddress | None = None
    sandbox_workers: Annotated[int, WholeNumber(0, 1024)] = 0  # 0: max(2, cores)
    turn_seconds: Annotated[float, Number(0.01, 60)] = 1
    cdr_days: Annotated[float, Number(0, 36_525)] = 0  # 0: for ever


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchtower:
    """
    The section ``[watchtower]``.
    """

    workers: tuple[InsideAddress, ...] = ()
    watch: tuple[InsideAddress, ...] = ()
    drain: Seconds = 60
    settle: Seconds = 33
    memory: Annotated[int, WholeNumber(0, 10**12)] = 0  # octets; 0: any
    age: Annotated[float, Number(0, 366 * 86_400)] = 0  # 0: for ever


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """
    The section ``[mail]``.
    """

    server: MailServer | None = None
    sender: Mailbox | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """
    The section ``[monitor]``.
    """

    enabled: bool = True
    # A terabyte is more than SQLite reads in an age.
    count: Annotated[int, WholeNumber(1, 1_000_000_000)] = 1_000_000
    bytes: Annotated[int, WholeNumber(1, 10**12)] = 1_000_000_000
    age: Annotated[float, Number(1, 10 * 366 * 86_400)] = 7 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class SSH:
    """
    The section ``[ssh]``.
    """

    listen: TCPAddress | None = HostPort("127.0.0.1", 2222)  # noqa: RUF009  # it is frozen


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """
    The section ``[web]``.
    """

    listen: TCPAddress | None = HostPort("127.0.0.1", 8080)  # noqa: RUF009  # it is frozen


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """
    The section ``[log]``; the level of a role counts instead of the one for all.
    """

    format: LogFormat = LogFormat.TEXT
    level: LogLevel = LogLevel.INFO
    file: File | None = None
    proxy: LogLevel | None = None
    registrar: LogLevel | None = None
    regagent: LogLevel | None = None
    appserver: LogLevel | None = None
    notifier: LogLevel | None = None
    monitor: LogLevel | None = None
    ssh: LogLevel | None = None
    web: LogLevel | None = None
    watchtower: LogLevel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """
    The section ``[metrics]``.
    """

    listen: TCPAddress | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HEP:
    """
    The section ``[hep]``.
    """

    target: Target | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    The section ``[limits]``.
    """

    allow: tuple[Network, ...] = (read_network("127.0.0.0/8"), read_network("::1"))
    packets: Rate | None = Rate(60, 2)  # noqa: RUF009  # it is frozen
    ban: Seconds = 300
    calls: Rate | None = None
    incoming: Rate | None = Rate(60, 60)  # noqa: RUF009  # it is frozen
    # What a user has at a time that nobody has answered; 0: any number.
    ringing_at_once: Annotated[int, WholeNumber(0, 1_000_000)] = 100
    # What a stolen password is worth: calls to those who are not here may cost money.
    outside_calls: Rate | None = Rate(10, 60)  # noqa: RUF009  # it is frozen
    outside_calls_at_once: Annotated[int, WholeNumber(0, 1_000_000)] = 4  # 0: any
    outside_call_seconds: Annotated[int, WholeNumber(0, 604_800)] = 3600  # 0: any
    home_country: Country | None = None
    open_countries: tuple[Country, ...] = ()
    premium_numbers: bool = False
    connections: Connections = 2048
    connections_per_address: Connections = 64
    idle: Patience = 120
    handshake: Patience = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """
    The whole configuration.
    """

    server: Server = Server()
    storage: Storage = Storage()
    sip: SIP = SIP()
    tls_target: tuple[TLSTarget, ...] = ()
    auth: Auth = Auth()
    proxy: Proxy = Proxy()
    trunk: tuple[Trunk, ...] = ()
    registrar: Registrar = Registrar()
    user_agent: tuple[UserAgent, ...] = ()
    regagent: RegAgent = RegAgent()
    notifier: Notifier = Notifier()
    appserver: AppServer = AppServer()
    watchtower: Watchtower = Watchtower()
    mail: Mail = Mail()
    monitor: Monitor = Monitor()
    ssh: SSH = SSH()
    web: Web = Web()
    log: Log = Log()
    metrics: Metrics = Metrics()
    hep: HEP = HEP()
    limits: Limits = Limits()
