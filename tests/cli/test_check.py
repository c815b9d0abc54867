"""
Tests for `sipsorcery.cli.check`.
"""

from __future__ import annotations

import json
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.cli import run

_REDIS = (
    'note: storage.live = "local" is for one process: several application servers, '
    "or monitor, SSH and web as processes of their own, need Redis"
)


class CheckTests(SynchronousTestCase):
    """
    What is said about a configuration.
    """

    def write(self, text: str) -> str:
        """
        Make a configuration file of that content.
        """
        file = Path(self.mktemp())
        file.write_text(text, "utf-8")
        return str(file)

    def test_ok(self) -> None:
        """
        A good file: status 0, where the servers would listen, and what to know.
        """
        file = self.write("proxy.listen = ['udp:127.0.0.1:5060', 'tcp:[::1]:5060']")
        result = run("--config", file, "check")
        self.assertEqual((result.status, result.error), (0, ""))
        self.assertEqual(
            result.out.splitlines(),
            [
                f"{file}: ok",
                "listen: udp:127.0.0.1:5060",
                "listen: tcp:[::1]:5060",
                _REDIS,
            ],
        )

    def test_faults(self) -> None:
        """
        A bad file: status 1, and each fault on a line of its own, whole.
        """
        file = self.write(f"sip.domains = ['{'a b' * 20}']\nproxy.lisen = []")
        result = run("--config", file, "check")
        self.assertEqual(result.status, 1)
        self.assertEqual(
            [line.split(": ")[:2] for line in result.out.splitlines()],
            [[file, "sip.domains[0]"], [file, "proxy.lisen"]],
        )

    def test_missing_file(self) -> None:
        """
        A file that is named but not there is a fault.
        """
        result = run("check", "--config", "no.toml")
        self.assertEqual(
            (result.status, result.out),
            (1, "no.toml: cannot be read: No such file or directory\n"),
        )

    def test_json(self) -> None:
        """
        --json prints one object; the faults have path and text.
        """
        file = self.write("limits.ban = -1")
        result = run("check", "--json", "--config", file)
        self.assertEqual(result.status, 1)
        self.assertEqual(
            json.loads(result.out),
            {
                "ok": False,
                "file": file,
                "faults": [
                    {
                        "path": "limits.ban",
                        "text": "expected a number from 0 to 86400, not -1",
                    }
                ],
                "listen": [],
                "notes": [],
            },
        )

    def test_json_ok(self) -> None:
        """
        Of a good file it tells the same as the words do.
        """
        file = self.write("proxy.listen = ['udp:127.0.0.1:5060']")
        result = run("check", "--json", "--config", file)
        report = json.loads(result.out)
        self.assertEqual(result.status, 0)
        self.assertTrue(report["ok"])
        self.assertEqual(report["listen"], ["udp:127.0.0.1:5060"])
        self.assertEqual(report["notes"], [_REDIS.removeprefix("note: ")])

    def test_files_that_are_missing(self) -> None:
        """
        Files that the servers have to read are there.
        """
        there = self.write("")
        file = self.write(
            f"""
            [sip]
            tls_ca = "no-ca"
            [proxy]
            script = "no-script"
            dispatch_file = "written-later"
            tls_certificate = ["{there}", "no-certificate"]
            tls_key = ["{there}", "{Path(there).parent}"]
            tls_client_ca = "no-client-ca"
            """
        )
        result = run("check", "--config", file)
        self.assertEqual(result.status, 1)
        self.assertEqual(
            result.out.splitlines(),
            [
                f"{file}: {key}: there is no file '{missing}'"
                for key, missing in (
                    ("sip.tls_ca", "no-ca"),
                    ("proxy.script", "no-script"),
                    ("proxy.tls_certificate", "no-certificate"),
                    ("proxy.tls_key", str(Path(there).parent)),
                    ("proxy.tls_client_ca", "no-client-ca"),
                )
            ],
        )

    def test_note_about_redis(self) -> None:
        """
        With Redis there may be several processes, and nobody is told otherwise.
        """
        file = self.write("storage.live = 'redis://127.0.0.1'")
        result = run("check", "--config", file)
        self.assertEqual(result.status, 0)
        self.assertNotIn("is for one process", result.out)

    def test_note_about_the_monitor(self) -> None:
        """
        Whoever leaves the monitor out is told what is missing then.
        """
        for enabled in (True, False):
            file = self.write(f"monitor.enabled = {str(enabled).lower()}")
            told = "has no console" in run("check", "--config", file).out
            self.assertEqual(told, not enabled)

    def test_note_about_the_certificate(self) -> None:
        """
        Whoever listens for TLS without a certificate is told what happens.
        """
        tls = "proxy.listen = ['tls:127.0.0.1:5061']\n"
        self.assertIn(
            "signs a certificate itself", run("check", "--config", self.write(tls)).out
        )
        there = self.write("")
        own = f"proxy.tls_certificate = '{there}'\nproxy.tls_key = '{there}'"
        result = run("check", "--config", self.write(tls + own))
        self.assertEqual(result.status, 0)
        self.assertNotIn("signs a certificate", result.out)

    def test_note_about_websocket(self) -> None:
        """
        WebSocket listeners are accepted, but not opened yet.
        """
        file = self.write("proxy.listen = ['udp:127.0.0.1:1', 'ws:127.0.0.1:80']")
        result = run("check", "--config", file)
        self.assertEqual(result.status, 0)
        self.assertIn("no WebSocket yet", result.out)
        self.assertNotIn("listen: ws", result.out)
