"""
Tests for `sipsorcery.store.ports`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.config import Config, Proxy, Registrar, Server
from sipsorcery.endpoint import ListenAddress
from sipsorcery.store.errors import StoreDamaged
from sipsorcery.store.ports import settle


def addresses(config: Config) -> list[ListenAddress | None]:
    """
    Give where all servers inside listen.
    """
    return [
        config.proxy.inside,
        config.registrar.listen,
        config.regagent.listen,
        config.notifier.listen,
        config.appserver.listen,
    ]


class SettleTests(SynchronousTestCase):
    """
    Ports that are chosen and kept.
    """

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.config = Config(server=Server(data_dir=self.folder))

    def settled(self, config: Config) -> list[ListenAddress]:
        """
        Settle, and give all addresses.
        """
        found = addresses(settle(config))
        return [address for address in found if address is not None]

    def test_every_server(self) -> None:
        """
        Each server gets a port of its own on the loopback, from outside the range
        which systems give away.
        """
        chosen = self.settled(self.config)
        self.assertEqual(len(chosen), 5)
        self.assertEqual(len({address.port for address in chosen}), 5)
        self.assertEqual({str(each.transport) for each in chosen}, {"udp"})
        self.assertEqual({address.host for address in chosen}, {"127.0.0.1"})
        self.assertTrue(all(20_000 <= address.port < 30_000 for address in chosen))

    def test_kept(self) -> None:
        """
        The next start, and every other process, gets the same.
        """
        self.assertEqual(self.settled(self.config), self.settled(self.config))

    def test_file(self) -> None:
        """
        They are kept in a file that is the service's alone.
        """
        settle(self.config)
        file = self.folder / "ports"
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.folder.stat().st_mode & 0o777, 0o700)

    def test_configured(self) -> None:
        """
        What the configuration says stays as it is, and the rest is untouched.
        """
        inside = ListenAddress.parse("udp:127.0.0.1:5070")
        config = replace(self.config, proxy=Proxy(inside=inside))
        settled = settle(config)
        self.assertEqual(settled.proxy, config.proxy)
        self.assertEqual(settled.sip, config.sip)
        self.assertNotEqual(settled.registrar.listen, config.registrar.listen)

    def test_address_without_port(self) -> None:
        """
        Of an address without a port the host stays, IPv6 too.
        """
        inside = ListenAddress.parse("udp:[::1]", default_port=0)
        settled = settle(replace(self.config, proxy=Proxy(inside=inside)))
        assert settled.proxy.inside is not None
        self.assertEqual(settled.proxy.inside.host, "::1")
        self.assertNotEqual(settled.proxy.inside.port, 0)

    def test_all_configured(self) -> None:
        """
        Nothing is written where nothing is left open.
        """
        config = settle(self.config)
        elsewhere = replace(config, server=Server(data_dir=self.folder / "other"))
        self.assertEqual(settle(elsewhere), elsewhere)
        self.assertFalse((self.folder / "other").exists())

    def test_ports_of_the_configuration(self) -> None:
        """
        No port is chosen that the configuration names: it may not be open yet.
        """
        free = 29_999
        listen = [f"udp:127.0.0.1:{port}" for port in range(20_000, free)]
        config = replace(
            self.config,
            proxy=Proxy(
                listen=tuple(map(ListenAddress.parse, listen)),
                inside=ListenAddress.parse("udp:127.0.0.1:5070"),
            ),
        )
        ports = dict.fromkeys(("regagent", "notifier", "appserver"), 1)
        self.folder.mkdir()
        (self.folder / "ports").write_text(json.dumps({"ports": ports}), "utf-8")
        address = settle(config).registrar.listen
        assert address is not None
        self.assertEqual(address.port, free)

    def test_disabled(self) -> None:
        """
        A server that is left out today may be there tomorrow, at its own port.
        """
        config = replace(self.config, registrar=Registrar(enabled=False))
        self.assertEqual(self.settled(config), self.settled(self.config))

    def test_newer_version(self) -> None:
        """
        The port of a server that this version does not know is kept.
        """
        self.folder.mkdir()
        file = self.folder / "ports"
        file.write_text('{"ports": {"bouncer": 20001}, "more": 1}', "utf-8")
        settle(self.config)
        self.assertEqual(json.loads(file.read_bytes())["ports"]["bouncer"], 20001)

    def test_damaged(self) -> None:
        """
        A file that is no such thing is told, with its name.
        """
        self.folder.mkdir()
        file = self.folder / "ports"
        for text in ("", "[]", '{"ports": {"proxy": "x"}}', '{"ports": {"proxy": 0}}'):
            file.write_text(text, "utf-8")
            error = self.assertRaises(StoreDamaged, settle, self.config)
            self.assertIn(str(file), str(error))
