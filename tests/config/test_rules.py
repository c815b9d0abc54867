"""
Tests for `sipsorcery.config.rules`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.config import faults


class RulesTests(SynchronousTestCase):
    """
    What keys have to do with each other.
    """

    def assert_faults(self, text: str, *expected: str) -> None:
        """
        Check that a configuration has these faults and no others.
        """
        self.assertEqual(faults(text), list(expected))

    def test_expires(self) -> None:
        """
        The shortest time is not longer than the longest.
        """
        for name in ("registrar", "regagent", "notifier"):
            self.assert_faults(
                f"[{name}]\nmin_expires = 61\nmax_expires = 60",
                f"{name}.min_expires: 61 is more than {name}.max_expires (60)",
            )
            self.assert_faults(f"[{name}]\nmin_expires = 60\nmax_expires = 60")

    def test_hep(self) -> None:
        """
        HEP goes over UDP or TCP.
        """
        self.assert_faults(
            "hep.target = 'tls:192.0.2.1:9060'",
            "hep.target: expected udp: or tcp:, not tls:192.0.2.1:9060",
        )
        self.assert_faults("hep.target = 'tcp:192.0.2.1:9060'")

    def test_no_guess_about_an_unread_key(self) -> None:
        """
        Where one key cannot be read, nothing is said about how it fits to another: the
        default that stands in for it is not what the operator wants.
        """
        self.assert_faults(
            "[registrar]\nmin_expires = 0\nmax_expires = 30",
            "registrar.min_expires: expected a whole number from 1 to 4294967295, "
            "not 0",
        )
        self.assert_faults(
            '[proxy]\nlisten = ["udp", "udp:127.0.0.1:1", "udp:127.0.0.1:1"]',
            "proxy.listen[0]: 'udp' does not begin with a transport "
            "(udp, tcp, tls, ws, wss) and ':'",
        )

    def test_algorithms(self) -> None:
        """
        At least one digest algorithm is offered, and none twice.
        """
        self.assert_faults(
            "auth.algorithms = []",
            "auth.algorithms: expected at least one algorithm",
        )
        self.assert_faults(
            "auth.algorithms = ['MD5', 'SHA-256', 'MD5']",
            "auth.algorithms: 'MD5' is listed more than once",
        )

    def test_user_agent(self) -> None:
        """
        No kind of phone is allowed less than the shortest registration.
        """
        table = "[[user_agent]]\npattern = '.'\n"
        self.assert_faults(f"{table}max_expires = 60\nalgorithms = ['MD5']")
        self.assert_faults(
            f"{table}max_expires = 59\nalgorithms = ['MD5', 'MD5']",
            "user_agent[0].max_expires: 59 is less than registrar.min_expires (60)",
            "user_agent[0].algorithms: 'MD5' is listed more than once",
        )

    def test_certificate_and_key(self) -> None:
        """
        Each certificate has a key, and each key a certificate.
        """
        for certificates, keys, counts in (
            ("''", "'k'", "0 and 1"),
            ("'c'", "''", "1 and 0"),
            ("['a', 'b']", "['c']", "2 and 1"),
        ):
            self.assert_faults(
                f"proxy.tls_certificate = {certificates}\nproxy.tls_key = {keys}",
                "proxy.tls_key: expected a key for each certificate: "
                f"there are {counts}",
            )
        self.assert_faults("proxy.tls_certificate = 'c'\nproxy.tls_key = ['k']")

    def test_client_certificates(self) -> None:
        """
        To ask for certificates is of no use without authorities to believe.
        """
        self.assert_faults(
            "proxy.tls_client_required = true",
            "proxy.tls_client_required: has no use without proxy.tls_client_ca",
        )
        self.assert_faults(
            "proxy.tls_client_required = true\nproxy.tls_client_ca = 'ca.pem'"
        )

    def test_pins(self) -> None:
        """
        Pins belong to a target that is verified by them, and to no other.
        """
        pins = f"tls_pins = ['{'0' * 64}']"
        target = "[[tls_target]]\ndomain = 'a.example'\n"
        self.assert_faults(f"{target}tls_verify = 'pin'\n{pins}")
        self.assert_faults(
            f"{target}tls_verify = 'pin'",
            "tls_target[0].tls_pins: expected at least one, because tls_verify is "
            "'pin'",
        )
        self.assert_faults(
            f"{target}tls_verify = 'domain'\n{pins}",
            "tls_target[0].tls_pins: has no use, because tls_verify is 'domain'",
        )
        self.assert_faults(
            "sip.tls_verify = 'pin'",
            "sip.tls_verify: 'pin' needs a [[tls_target]] with tls_pins",
        )

    def test_one_rule_for_a_target(self) -> None:
        """
        Two sets of rules for one domain would leave open which holds.
        """
        table = "[[tls_target]]\ndomain = '%s'\ntls_verify = 'none'\n"
        self.assert_faults(table % "a.example" + table % "b.example")
        self.assert_faults(
            table % "a.example" + table % "A.example",
            "tls_target: there is more than one for 'a.example'",
        )

    def test_trunk_is_recognised_somehow(self) -> None:
        """
        A trunk that anybody could be is refused.
        """
        self.assert_faults(
            "[[trunk]]\nname = 'a'",
            "trunk[0]: expected networks, tls_domains or both",
        )

    def test_trunk_by_certificate(self) -> None:
        """
        A trunk known by its certificate needs listeners that ask for one.
        """
        trunk = "[[trunk]]\nname = 'a'\ntls_domains = ['a.example']\n"
        self.assert_faults(
            trunk,
            "trunk[0].tls_domains: has no use without proxy.tls_client_ca",
        )
        self.assert_faults(f"{trunk}[proxy]\ntls_client_ca = 'ca.pem'")

    def test_trunk_names(self) -> None:
        """
        The name of a trunk is its own.
        """
        trunk = "[[trunk]]\nname = 'a'\nnetworks = ['192.0.2.1']\n"
        self.assert_faults(trunk * 2, "trunk: there is more than one of the name 'a'")


class ListenersTests(SynchronousTestCase):
    """
    No two sockets want one address.
    """

    def assert_taken(self, text: str, second: str, port: int, first: str) -> None:
        """
        Check that one listener is told to be in the way of another.
        """
        self.assertEqual(
            faults(text), [f"{second}: port {port} is already taken by {first}"]
        )

    def test_none(self) -> None:
        """
        A proxy listens somewhere.
        """
        self.assertEqual(
            faults("proxy.listen = []"), ["proxy.listen: expected at least one address"]
        )

    def test_repeated(self) -> None:
        """
        The same address twice is one too many, however it is spelled.
        """
        self.assert_taken(
            "proxy.listen = ['udp:127.0.0.1:5060', 'tcp:127.0.0.1:5060', "
            "'udp:127.0.0.1:5060 advertise a.example:5060']",
            *("proxy.listen[2]", 5060, "proxy.listen[0]"),
        )
        self.assert_taken(
            "proxy.listen = ['udp:[::1]:5060', 'udp:[0:0::1]:5060']",
            *("proxy.listen[1]", 5060, "proxy.listen[0]"),
        )

    def test_streams_share_their_ports(self) -> None:
        """
        TLS and WebSocket run on TCP, so two of them cannot have one port.
        """
        self.assert_taken(
            "proxy.listen = ['tcp:127.0.0.1:5061', 'tls:127.0.0.1:5061']",
            *("proxy.listen[1]", 5061, "proxy.listen[0]"),
        )
        self.assertEqual(
            faults("proxy.listen = ['udp:127.0.0.1:5061', 'tls:127.0.0.1:5061']"), []
        )

    def test_wildcard(self) -> None:
        """
        0.0.0.0 takes the port on each IPv4 address, [::] on each of IPv6.
        """
        self.assert_taken(
            "proxy.listen = ['udp:127.0.0.1:5060', 'udp:0.0.0.0:5060']",
            *("proxy.listen[1]", 5060, "proxy.listen[0]"),
        )
        self.assert_taken(
            "proxy.listen = ['udp:[::]:5060', 'udp:[::1]:5060']",
            *("proxy.listen[1]", 5060, "proxy.listen[0]"),
        )
        self.assertEqual(
            faults("proxy.listen = ['udp:0.0.0.0:5060', 'udp:[::]:5060']"), []
        )

    def test_chosen_ports(self) -> None:
        """
        Port 0 is never taken: each socket gets another.
        """
        self.assertEqual(
            faults("proxy.listen = ['udp:127.0.0.1:0', 'udp:127.0.0.1:0']"), []
        )

    def test_inside(self) -> None:
        """
        The inside socket and those of the roles have ports of their own.
        """
        self.assert_taken(
            "proxy.inside = 'udp:127.0.0.1:5060'",
            *("proxy.inside", 5060, "proxy.listen[0]"),
        )
        self.assert_taken(
            "proxy.inside = 'udp:127.0.0.1:5070'\n"
            "registrar.listen = 'udp:127.0.0.1:5070'",
            *("registrar.listen", 5070, "proxy.inside"),
        )

    def test_role_that_is_left_out(self) -> None:
        """
        A role that does not run takes no port.
        """
        self.assertEqual(
            faults(
                "proxy.inside = 'udp:127.0.0.1:5070'\n"
                "registrar.listen = 'udp:127.0.0.1:5070'\n"
                "registrar.enabled = false"
            ),
            [],
        )

    def test_other_servers(self) -> None:
        """
        The console, the web pages and the figures are on TCP like SIP itself.
        """
        self.assert_taken(
            "proxy.listen = ['tcp:0.0.0.0:8080']",
            *("web.listen", 8080, "proxy.listen[0]"),
        )
        self.assert_taken(
            "metrics.listen = '127.0.0.1:2222'",
            *("metrics.listen", 2222, "ssh.listen"),
        )
        self.assertEqual(faults("web.listen = ''\nmetrics.listen = '127.0.0.1:1'"), [])
