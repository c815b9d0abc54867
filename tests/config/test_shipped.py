"""
Tests for ``etc/sipsorcery.toml`` and for the keys that other tools rely on.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.config import Config, key_paths, parse
from tests import ROOT

SHIPPED = ROOT / "etc" / "sipsorcery.toml"

# Every key that was promised from the first version on, with a value that is not its
# default.
PROMISED: dict[str, Any] = {
    "server.data_dir": "/srv/sip",
    "storage.directory": "postgresql://sip@db.example/sip",
    "storage.live": "redis://127.0.0.1:6379/0",
    "storage.durability": "power",
    "sip.domains": ["example.com", "192.0.2.1"],
    "sip.public_address": "203.0.113.1",
    "sip.stun_server": "stun.example.com",
    "sip.local_networks": ["10.0.0.0/8"],
    "sip.proxies": ["udp:127.0.0.1:5070"],
    "sip.udp_mtu": 0,
    "sip.t1": 1,
    "auth.algorithms": ["SHA-256", "MD5"],
    "proxy.listen": [
        "udp:127.0.0.1:5060",
        "tls:[::1]:5061 advertise sip.example.com:5061",
        "ws:127.0.0.1:8088",
        "wss:0.0.0.0:443",
    ],
    "proxy.inside": "udp:127.0.0.1:",
    "proxy.script": "routing.py",
    "proxy.dispatch_file": "dispatch.txt",
    "proxy.tls_certificate": "tls/full.pem",
    "proxy.tls_key": "tls/key.pem",
    "registrar.enabled": False,
    "registrar.listen": "udp:127.0.0.1:5071",
    "registrar.min_expires": 30,
    "registrar.max_expires": 7200,
    "registrar.max_contacts": 1,
    "registrar.keep_alive": 0,
    "registrar.service_route": ["sip:proxy.example.com;lr"],
    "regagent.enabled": False,
    "regagent.listen": "udp:127.0.0.1:5072",
    "notifier.enabled": False,
    "notifier.listen": "udp:127.0.0.1:5073",
    "appserver.enabled": False,
    "appserver.listen": "udp:127.0.0.1:5074",
    "ssh.listen": "0.0.0.0:22",
    "web.listen": "[::1]:80",
    "metrics.listen": "127.0.0.1:9090",
    "hep.target": "udp:127.0.0.1:9060",
    "limits.allow": [],
    "limits.packets": "10/1s",
    "limits.ban": 60,
}

# What holds where nobody says anything else: tools and documents elsewhere rely on it.
DEFAULTS: dict[str, Any] = {
    "storage.directory": "sqlite",
    "storage.live": "local",
    "storage.durability": "process",
    "sip.udp_mtu": 1300,
    "auth.algorithms": ["MD5"],
    "proxy.listen": ["udp:0.0.0.0:5060", "tcp:0.0.0.0:5060"],
    "proxy.inside": "",
    "registrar.min_expires": 60,
    "registrar.max_expires": 3600,
    "ssh.listen": "127.0.0.1:2222",
    "web.listen": "127.0.0.1:8080",
    "metrics.listen": "",
    "hep.target": "",
    "limits.allow": ["127.0.0.0/8", "::1"],
    "limits.packets": "60/2s",
    "limits.ban": 300,
    "limits.connections": 2048,
    "limits.connections_per_address": 64,
    "limits.idle": 120,
    "limits.handshake": 5,
}

# These make sense only together.
PAIRS = {"proxy.tls_certificate": "tls_key", "proxy.tls_key": "tls_certificate"}


def _toml(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case list():
            return f"[{', '.join(map(_toml, value))}]"
        case str():
            return f'"{value}"'
        case _:
            return str(value)


class ShippedFileTests(SynchronousTestCase):
    """
    The file that shows an operator every key.
    """

    def setUp(self) -> None:
        self.text = SHIPPED.read_text("utf-8")
        # Prose is "# text", an example that can be used as it stands "#text".
        self.with_examples = re.sub(r"^#(?=[\[a-z])", "", self.text, flags=re.MULTILINE)

    def test_holds_the_defaults(self) -> None:
        """
        Using the file as it is changes nothing: each value in it is the default.
        """
        self.assertEqual(parse(self.text.encode()), Config())

    def test_promised_defaults(self) -> None:
        """
        These are the promised ones.
        """
        document = tomllib.loads(self.text)
        for path, value in DEFAULTS.items():
            section, key = path.split(".")
            self.assertEqual(document[section][key], value, path)

    def test_holds_every_key(self) -> None:
        """
        Each key stands in the file, also those of tables that may come repeatedly.
        """
        document = tomllib.loads(self.with_examples)
        found = []
        for section, content in document.items():
            (table,) = content if isinstance(content, list) else [content]
            found += [f"{section}.{key}" for key in table]
        self.assertEqual(sorted(found), sorted(key_paths()))

    def test_examples_are_right(self) -> None:
        """
        The tables that are shown as examples can be used.
        """
        config = parse(self.with_examples.encode())
        self.assertEqual([each.name for each in config.trunk], ["provider"])
        self.assertEqual([each.max_expires for each in config.user_agent], [600])
        self.assertEqual(
            [each.domain for each in config.tls_target], ["sip.provider.example"]
        )

    def test_every_section_has_words(self) -> None:
        """
        Each section has at least one comment of its own.
        """
        for section in re.split(r"^#?\[", self.text, flags=re.MULTILINE)[1:]:
            if section.startswith(("[trunk", "[tls_target", "[user_agent")):
                continue  # explained above its example
            self.assertIn("\n# ", section, section.splitlines()[0])


class PromisedKeysTests(SynchronousTestCase):
    """
    The keys that tools and other parts rely on.
    """

    def test_each_is_accepted(self) -> None:
        """
        Each promised key is accepted, also before its role exists, and has an effect.
        """
        for path, value in PROMISED.items():
            section, key = path.split(".")
            lines = [f"[{section}]", f"{key} = {_toml(value)}"]
            if path in PAIRS:
                lines.append(f'{PAIRS[path]} = "x"')
            config = parse("\n".join(lines).encode())
            with self.subTest(path):
                self.assertNotEqual(
                    getattr(getattr(config, section), key),
                    getattr(getattr(Config(), section), key),
                )

    def test_all_at_once(self) -> None:
        """
        One file can hold them all.
        """
        lines = []
        for path, value in PROMISED.items():
            section, key = path.split(".")
            lines.append(f"{section}.{key} = {_toml(value)}")
        config = parse("\n".join(lines).encode())
        self.assertEqual(config.sip.public_address, "203.0.113.1")
        self.assertEqual(config.limits.allow, ())
