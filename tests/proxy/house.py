"""
A proxy service with stations around it, in a network in memory.

The addresses are those of the examples that the documentation has: the proxy outside
and inside, roles inside, phones elsewhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.config import Config, parse
from sipsorcery.endpoint import Endpoint, ListenAddress
from sipsorcery.monitor.bus import LocalBus
from sipsorcery.monitor.event import Event
from sipsorcery.proxy.service import ProxyService
from sipsorcery.sip import Request, Response
from sipsorcery.sip.fields import VIA
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.secrets import Secrets
from sipsorcery.testing.consumer import RecordingConsumer
from sipsorcery.testing.network import MemoryNetwork
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.identity import Expectation, TLSVerify
from sipsorcery.transport.layer import TransportLayer, TransportSettings
from sipsorcery.transport.target import Target

PROXY, PHONE_A, PHONE_B, PROVIDER = (
    "203.0.113.1",
    "198.51.100.7",
    "198.51.100.9",
    "192.0.2.80",
)
OUTSIDE, SECURE = f"udp:{PROXY}:5060", f"tls:{PROXY}:5061"
INSIDE = "udp:127.0.0.1:5059"
REGISTRAR, APPSERVER = "udp:127.0.0.1:5001", "udp:127.0.0.1:5065"


class Station:
    """
    A peer of the proxy, which keeps what comes.

    :param to: where it sends to.

    :ivar flow: the one that its last request left on.
    """

    flow: Flow

    def __init__(self, house: HouseCase, machine: Any, to: str, *listen: str) -> None:
        self.house = house
        self.machine = machine
        self.to = Target(Endpoint.parse(to), Expectation("x", TLSVerify.NONE))
        self.consumer = RecordingConsumer()
        self.layer = TransportLayer(
            machine,
            TransportSettings(tuple(map(ListenAddress.parse, listen))),
            self.consumer,
            local_addresses=lambda: machine.addresses,
            source_address=lambda _: machine.addresses[0],
        )
        self.layer.start()
        self.number = 0
        self._log: list[tuple[Request, Flow]] = []

    def make(
        self, method: str, uri: str, *lines: tuple[str, str], **options: str
    ) -> Request:
        """
        Make a request with a Via of ours.

        :param options: ``from_uri``, ``to_uri``, ``to_tag``, ``branch``, ``call_id``.
        """
        self.number += 1
        branch = options.get("branch", f"z9hG4bK{id(self)}{self.number}")
        via = self.layer.via_for(self.to).with_parameter("branch", branch)
        tag = options.get("to_tag")
        return Request(
            method,
            SIPURI.parse(uri),
            [
                (VIA, via),
                *lines,
                ("Max-Forwards", "70"),
                (
                    "From",
                    f"<{options.get('from_uri', 'sip:me@elsewhere.example')}>;tag=f",
                ),
                (
                    "To",
                    f"<{options.get('to_uri', uri)}>" + (f";tag={tag}" if tag else ""),
                ),
                ("Call-ID", options.get("call_id", f"call{self.number}")),
                ("CSeq", f"1 {method}"),
            ],
        )

    def send(self, request: Request) -> Request:
        """
        Send a request, and let everything settle.
        """
        sent = self.layer.send_request(request, self.to)
        self.house.settle()
        self.flow = self.house.successResultOf(sent)
        return request

    def answer(self, request: Request, status: int, **options: Any) -> None:
        """
        Answer one of those that came.
        """
        flow = next(flow for each, flow in self._log if each is request)
        options.setdefault("to_tag", "t")
        self.layer.send_response(request.respond(status, **options), flow)
        self.house.settle()

    def request(self) -> Request:
        """
        Take the one request that came.
        """
        self._log += self.consumer.requests
        ((request, _),) = self.consumer.requests
        self.consumer.requests.clear()
        return request

    def response(self) -> Response:
        """
        Take the last response that came.
        """
        *_, (response, _) = self.consumer.responses
        self.consumer.responses.clear()
        return response

    @property
    def is_quiet(self) -> bool:
        """
        Tell whether nothing has come.
        """
        return not (self.consumer.requests or self.consumer.responses)


class HouseCase(SynchronousTestCase):
    """
    One proxy, its roles, and phones.
    """

    config = ""  # more sections
    sip = ""  # more of the section [sip]

    def setUp(self) -> None:
        self.network = MemoryNetwork()
        self.machine = self.network.machine(PROXY, "127.0.0.1")
        self.data_dir = Path(self.mktemp())
        self.events: list[Event] = []
        self.bus = LocalBus(self.machine)
        self.bus.subscribe(self.events.append)
        self.start()
        self.a = self.station(PHONE_A, OUTSIDE, f"udp:{PHONE_A}:33000")
        self.b = self.station(PHONE_B, SECURE)
        self.provider = self.station(PROVIDER, OUTSIDE, f"udp:{PROVIDER}:5060")
        self.registrar = Station(self, self.machine, INSIDE, REGISTRAR)
        self.appserver = Station(self, self.machine, INSIDE, APPSERVER)

    def station(self, address: str, to: str, *listen: str) -> Station:
        """
        Put a station on a machine of its own.
        """
        return Station(self, self.network.machine(address), to, *listen)

    def options(self) -> dict[str, Any]:
        """
        Give what else the service is made with.
        """
        return {}

    def start(self) -> None:
        """
        Start the proxy; again, after a `stop`.
        """
        config = self.parsed()
        self.service = ProxyService(
            self.machine,
            config,
            bus=self.bus,
            secrets=Secrets(self.data_dir),
            **self.options(),
        )
        self.service.startService()
        self.addCleanup(self.stop)

    def parsed(self) -> Config:
        """
        Read the configuration.
        """
        return parse(
            f"""
            server.data_dir = '{self.data_dir}'
            [sip]
            domains = ['example.com']
            {self.sip}
            [proxy]
            listen = ['{OUTSIDE}', 'tcp:{PROXY}:5060', '{SECURE}']
            inside = '{INSIDE}'
            [registrar]
            listen = '{REGISTRAR}'
            [appserver]
            listen = '{APPSERVER}'
            {self.config}
            """.encode()
        )

    def stop(self) -> None:
        """
        Stop the proxy, if it runs.
        """
        if self.service.running:
            stopped = self.service.stopService()
            assert stopped is not None
            self.network.advance(10)
            self.successResultOf(stopped)

    def settle(self) -> None:
        """
        Let everything come that is on its way.
        """
        self.network.advance(0.01)
