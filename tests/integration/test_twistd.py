"""
The servers in processes of their own, asked by our own client and by those of others.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.internet.utils import getProcessOutputAndValue
from twisted.trial.unittest import SkipTest, TestCase

from sipsorcery.endpoint import Endpoint, ListenAddress, Transport
from sipsorcery.sip import Response
from sipsorcery.sip.fields import VIA
from sipsorcery.testing.consumer import RecordingConsumer
from sipsorcery.transport import identity
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.identity import Expectation, TLSVerify
from sipsorcery.transport.layer import TransportLayer, TransportSettings
from sipsorcery.transport.target import Target
from tests.integration.twistd import Twistd
from tests.peers import require
from tests.proxy.test_core import make_request

READY = "MainService#info] Ready"
EVERYTHING = """
[server]
data_dir = "data"
[sip]
domains = ["example.com"]
[ssh]
listen = ""
[proxy]
listen = ["udp:{host}:0", "tcp:{host}:0", "tls:{host}:0"]
"""
# Long enough for an answer on the slowest and busiest machine.
PATIENCE = 40
_STEP = 0.02


class Client(RecordingConsumer):
    """
    Asks one question at a time, over any transport.
    """

    def __init__(self, host: str) -> None:
        super().__init__()
        self._answer: Deferred[Response] = Deferred()
        listen = (ListenAddress(Transport.UDP, host, 0),)
        self.layer = TransportLayer(reactor, TransportSettings(listen), self)
        self.layer.start()

    def response_received(self, response: Response, flow: Flow) -> None:
        """
        Hand the answer to whoever waits for it.
        """
        self._answer.callback(response)

    async def ask(self, target: Target) -> Response:
        """
        Send OPTIONS and wait for the answer.
        """
        self._answer = Deferred()
        self._answer.addTimeout(PATIENCE, IReactorTime(reactor))
        request = make_request("OPTIONS", "sip:example.com")
        via = self.layer.via_for(target)
        branch = via.parameters.set("branch", "z9hG4bK1")
        request.set(VIA, via._replace(parameters=branch))
        await self.layer.send_request(request, target)
        return await self._answer


class TwistdTestCase(TestCase):
    """
    What every test of a process needs: a folder, and that nothing is left running.
    """

    timeout = 180

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()

    def configure(self, text: str) -> None:
        """
        Write the configuration that a process finds in its folder.
        """
        (self.folder / "sipsorcery.toml").write_text(text, "utf-8")

    def run_twistd(self, *arguments: str, within: Sequence[str] = ()) -> Twistd:
        """
        Start twistd, and end it after the test.

        :param within: what to put before its command.
        """
        process = Twistd(self.folder, *arguments, within=within)
        self.addCleanup(process.stop)
        return process

    async def serve(
        self, command: str = "sipsorcery", host: str = "127.0.0.1"
    ) -> Twistd:
        """
        Start a command that listens on every transport, and wait until it does.
        """
        self.configure(EVERYTHING.format(host=host))
        process = self.run_twistd("--nodaemon", command)
        await process.wait_for(READY)
        return process


class ServingTests(TwistdTestCase):
    """
    A server that works.
    """

    async def check_options(self, command: str, host: str) -> None:
        """
        Ask the server over each transport.
        """
        server = await self.serve(command, host)
        client = Client(host.strip("[]"))
        self.addCleanup(lambda: Deferred.fromCoroutine(client.layer.stop()))
        pem = (self.folder / "data/tls/self-signed.pem").read_bytes()
        pins = identity.fingerprints(x509.load_pem_x509_certificate(pem))
        expectation = Expectation("example.com", TLSVerify.PIN, frozenset(pins))
        ends = server.listeners()
        self.assertEqual(set(ends), {Transport.UDP, Transport.TCP, Transport.TLS})
        for end in ends.values():
            response = await client.ask(Target(end, expectation))
            self.assertEqual(response.status, 200, str(end))

    async def test_options(self) -> None:
        """
        The suite answers OPTIONS over UDP, TCP and TLS.
        """
        await self.check_options("sipsorcery", "127.0.0.1")

    async def test_options_of_the_proxy(self) -> None:
        """
        So does the proxy alone, here over IPv6.
        """
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError as error:
            raise SkipTest(f"this machine has no IPv6: {error}") from error
        await self.check_options("sipproxy", "[::1]")

    async def test_end(self) -> None:
        """
        SIGTERM ends it at once and cleanly.
        """
        server = await self.serve()
        status = await server.stop()
        self.assertEqual(status, -signal.SIGTERM)
        self.assertIn("Server Shut Down.", server.output)
        self.assertNotIn("Traceback", server.output)
        self.assertFalse((self.folder / "twistd.pid").exists())

    async def test_second_start(self) -> None:
        """
        Its ports are free again at once, and its certificate is still the same.
        """
        first = await self.serve()
        ends = first.listeners()
        certificate = (self.folder / "data/tls/self-signed.pem").read_bytes()
        await first.stop()
        listen = ", ".join(f'"{end}"' for end in ends.values())
        self.configure(f'server.data_dir = "data"\nproxy.listen = [{listen}]')
        second = self.run_twistd("--nodaemon", "sipsorcery")
        await second.wait_for(READY)
        self.assertEqual(second.listeners(), ends)
        again = (self.folder / "data/tls/self-signed.pem").read_bytes()
        self.assertEqual(again, certificate)


class RefusingTests(TwistdTestCase):
    """
    A start that cannot be.
    """

    def taken_port(self) -> Endpoint:
        """
        Take a UDP port.
        """
        taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(taken.close)
        taken.bind(("127.0.0.1", 0))
        return Endpoint(Transport.UDP, *taken.getsockname())

    async def assert_refused(self, *arguments: str, sentence: str) -> None:
        """
        Check that twistd ends with status 1, this sentence and no traceback.
        """
        process = self.run_twistd(*arguments)
        self.assertEqual(await process.ended, 1)
        self.assertIn(sentence, process.output)
        self.assertNotIn("Traceback", process.output)
        await self.no_pid_file()

    async def no_pid_file(self) -> None:
        """
        Wait until the pid file is gone: a daemon removes it after its shell has ended.
        """
        file = self.folder / "twistd.pid"
        for _ in range(int(PATIENCE / _STEP)):
            if not file.exists():
                return
            await deferLater(IReactorTime(reactor), _STEP)
        self.fail(f"{file} is still there")

    async def test_taken_port(self) -> None:
        """
        A port that is taken.
        """
        end = self.taken_port()
        self.configure(f"proxy.listen = ['{end}']")
        sentence = f"cannot listen on {end}: Address already in use"
        await self.assert_refused("--nodaemon", "sipproxy", sentence=sentence)

    async def test_taken_port_of_a_daemon(self) -> None:
        """
        The same in the background: the shell learns of it.
        """
        end = self.taken_port()
        self.configure(f"proxy.listen = ['{end}']")
        # twistd cuts what it tells to a hundred characters.
        await self.assert_refused("sipproxy", sentence=f"cannot listen on {end}")

    async def test_address_of_others(self) -> None:
        """
        An address that is not of this machine.
        """
        self.configure("proxy.listen = ['tcp:192.0.2.1:5060']")
        sentence = "cannot listen on tcp:192.0.2.1:5060: "
        await self.assert_refused("--nodaemon", "sipproxy", sentence=sentence)

    async def test_wrong_configuration(self) -> None:
        """
        A configuration with faults, in the file that is named.
        """
        (self.folder / "bad.toml").write_text("proxy.lisen = []", "utf-8")
        sentence = "bad.toml: proxy.lisen: there is no such key"
        await self.assert_refused(
            *("--nodaemon", "sipsorcery", "--config", "bad.toml"), sentence=sentence
        )

    async def test_later_command(self) -> None:
        """
        A command whose service comes with a later version.
        """
        sentence = "sipnotifier will"
        await self.assert_refused("--nodaemon", "sipnotifier", sentence=sentence)

    async def test_second_writer(self) -> None:
        """
        A second process that writes the live state, and what can be done about it.
        """
        first = await self.serve()
        second = self.run_twistd("--nodaemon", "--pidfile=", "sipregistrar")
        self.assertEqual(await second.ended, 1)
        self.assertIn("another process writes the live state", second.output)
        self.assertNotIn("Traceback", second.output)
        self.assertFalse(first.ended.called)

    async def test_killed(self) -> None:
        """
        A process that was killed leaves nothing in the way of the next one.
        """
        first = await self.serve()
        await first.kill()
        second = self.run_twistd("--nodaemon", "--pidfile=", "sipsorcery")
        await second.wait_for(READY)

    async def test_readable_secrets(self) -> None:
        """
        Secrets that others can read, with the way out.
        """
        await (await self.serve()).stop()
        (self.folder / "data/secrets").chmod(0o644)
        sentence = "'chmod 600 data/secrets' is enough"
        await self.assert_refused("--nodaemon", "sipproxy", sentence=sentence)

    async def test_damaged_directory(self) -> None:
        """
        A directory that is no database.
        """
        await (await self.serve()).stop()
        for file in (self.folder / "data").glob("directory.db*"):
            file.write_bytes(b"x" * 100)
        sentence = "data/directory.db' cannot be used"
        await self.assert_refused("--nodaemon", "sipsorcery", sentence=sentence)


class PeersTests(TwistdTestCase):
    """
    Clients of others.
    """

    async def run_peer(self, program: str, *arguments: str) -> tuple[int, str]:
        """
        Run a program in the folder of the test.

        :return: its exit status and all that it wrote.
        """
        out, error, status = await getProcessOutputAndValue(
            program, arguments, os.environ, str(self.folder), stdinBytes=b""
        )
        return status, (out + error).decode("utf-8", "replace")

    async def test_sipsak(self) -> None:
        """
        The answer is one to sipsak too, over UDP and over TCP.
        """
        sipsak = require("sipsak", "sipsak")
        ends = (await self.serve()).listeners()
        for transport in (Transport.UDP, Transport.TCP):
            uri = f"sip:127.0.0.1:{ends[transport].port}"
            status, output = await self.run_peer(
                sipsak, "-v", "--transport", transport, "-s", uri
            )
            self.assertEqual(status, 0, output)
            self.assertIn("SIP/2.0 200 OK", output)

    async def test_sipp(self) -> None:
        """
        SIPp gets a hundred answers, over UDP and over TCP, and nothing unexpected.
        """
        sipp = require("sipp", "sip-tester")
        shutil.copy(Path(__file__).parent / "sipp" / "options.xml", self.folder)
        ends = (await self.serve()).listeners()
        for transport, mode in ((Transport.UDP, "u1"), (Transport.TCP, "t1")):
            status, output = await self.run_peer(
                *(sipp, f"127.0.0.1:{ends[transport].port}", "-sf", "options.xml"),
                *("-t", mode, "-i", "127.0.0.1", "-m", "100", "-r", "1000"),
                *("-nostdin", "-timeout", "60s", "-timeout_error"),
            )
            self.assertEqual(status, 0, output)

    async def test_openssl(self) -> None:
        """
        OpenSSL verifies our own certificate once it is told to believe it, for the
        domain that is served.
        """
        openssl = require("openssl", "openssl")
        end = (await self.serve()).listeners()[Transport.TLS]
        status, output = await self.run_peer(
            *(openssl, "s_client", "-connect", f"127.0.0.1:{end.port}", "-brief"),
            *("-CAfile", "data/tls/self-signed.pem", "-verify_return_error"),
            *("-verify_hostname", "example.com", "-servername", "example.com"),
        )
        self.assertEqual(status, 0, output)
        self.assertIn("Verification: OK", output)
