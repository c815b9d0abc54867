"""
Tests for `sipsorcery.config.convert`.
"""

from __future__ import annotations

import copy
import string
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.config import (
    Config,
    DigestAlgorithm,
    Durability,
    TLSTarget,
    TLSVerify,
    key_paths,
    parse,
)
from sipsorcery.config.convert import convert
from sipsorcery.endpoint import Endpoint, HostPort, ListenAddress, Transport
from tests.config import faults

# The tables that may come any number of times.
REPEATED = ("trunk", "tls_target", "user_agent")


class TypesTests(SynchronousTestCase):
    """
    Each kind of value, right and wrong.
    """

    def test_parsed_values(self) -> None:
        """
        Addresses are parsed, so that nobody has to do it again.
        """
        config = parse(
            b"""
            [proxy]
            listen = ["tls:[::]:5061 advertise sip.example.com:443"]
            [sip]
            proxies = ["udp:127.0.0.1:5070"]
            """
        )
        self.assertEqual(
            config.proxy.listen,
            (
                ListenAddress(
                    Transport.TLS, "::", 5061, HostPort("sip.example.com", 443)
                ),
            ),
        )
        self.assertEqual(
            config.sip.proxies, (Endpoint(Transport.UDP, "127.0.0.1", 5070),)
        )

    def test_choices(self) -> None:
        """
        A choice becomes a member of its enumeration.
        """
        config = parse(
            b'storage.durability = "power"\nauth.algorithms = ["SHA-256", "MD5"]'
        )
        self.assertIs(config.storage.durability, Durability.POWER)
        self.assertEqual(
            config.auth.algorithms, (DigestAlgorithm.SHA_256, DigestAlgorithm.MD5)
        )

    def test_not_set(self) -> None:
        """
        "" takes a key out of use, where that is possible.
        """
        config = parse(b'ssh.listen = ""\nlimits.packets = ""')
        self.assertIsNone(config.ssh.listen)
        self.assertIsNone(config.limits.packets)
        self.assertEqual(len(faults('server.data_dir = ""')), 1)

    def test_array_of_tables(self) -> None:
        """
        Tables that come repeatedly keep their order.
        """
        config = parse(
            b"""
            [[tls_target]]
            domain = "B.example"
            tls_verify = "none"
            [[tls_target]]
            domain = "a.example"
            tls_verify = "target"
            """
        )
        self.assertEqual(
            config.tls_target,
            (
                TLSTarget(domain="b.example", tls_verify=TLSVerify.NONE),
                TLSTarget(domain="a.example", tls_verify=TLSVerify.TARGET),
            ),
        )

    def test_missing(self) -> None:
        """
        A key without a default has to be there, and each that is not is told.
        """
        self.assertEqual(
            faults("[[tls_target]]\ntls_wildcards = true"),
            [
                "tls_target[0].domain: is missing",
                "tls_target[0].tls_verify: is missing",
            ],
        )

    def test_wrong_types(self) -> None:
        """
        A fault says where, what is expected, and what stands there.
        """
        for text, expected in (
            (
                "registrar.enabled = 1",
                "registrar.enabled: expected true or false, not 1",
            ),
            ("server.data_dir = true", "server.data_dir: expected a string, not true"),
            (
                "sip.udp_mtu = 70000",
                "sip.udp_mtu: expected a whole number from 0 to 65535, not 70000",
            ),
            (
                "limits.ban = inf",
                "limits.ban: expected a number from 0 to 86400, not inf",
            ),
            (
                "sip.domains = 'a.example'",
                "sip.domains: expected an array, not 'a.example'",
            ),
            ("proxy = 5060", "proxy: expected a table, not 5060"),
            ("[[proxy]]", "proxy: expected a table, not an array"),
            ("[trunk]", "trunk: expected an array of tables, not a table"),
            ("trunk = ['a']", "trunk[0]: expected a table, not 'a'"),
            (
                "storage.durability = 'Process'",
                "storage.durability: expected one of 'process', 'power', not 'Process'",
            ),
            (
                "proxy.listen = ['udp:0.0.0.0:5060', 5061]",
                "proxy.listen[1]: expected a string, not 5061",
            ),
            (
                "hep.target = 1979-05-27",
                "hep.target: expected a string, not datetime.date(1979, 5, 27)",
            ),
        ):
            with self.subTest(text):
                self.assertEqual(faults(text), [expected])

    def test_no_time_at_all(self) -> None:
        """
        A time in which nobody can say anything would close every connection.
        """
        for key in ("idle", "handshake"):
            for value in ("0", "0.5", "-1"):
                self.assertEqual(
                    faults(f"limits.{key} = {value}"),
                    [f"limits.{key}: expected a number from 1 to 86400, not {value}"],
                )
            self.assertEqual(faults(f"limits.{key} = 1"), [])

    def test_value_is_shortened(self) -> None:
        """
        A long value does not flood the terminal.
        """
        (fault,) = faults(f"sip.public_address = '{'9' * 10_000}'")
        self.assertLess(len(fault), 150)


class UnknownKeysTests(SynchronousTestCase):
    """
    A key that does not exist, and what may be meant by it.
    """

    def assert_hint(self, text: str, expected: str) -> None:
        """
        Check that the one fault ends so.
        """
        (fault,) = faults(text)
        self.assertTrue(fault.endswith(expected), fault)

    def test_typing_error(self) -> None:
        """
        The most similar key of the same section is named.
        """
        self.assertEqual(
            faults("[proxy]\nlisten_on = []"),
            ["proxy.listen_on: there is no such key; did you mean proxy.listen?"],
        )

    def test_section(self) -> None:
        """
        So is the most similar section.
        """
        self.assertEqual(
            faults("[registar]"),
            ["registar: there is no such section or key; did you mean registrar?"],
        )

    def test_capitals(self) -> None:
        """
        Keys are written small; whoever does not, is told.
        """
        self.assert_hint("[sip]\nDOMAINS = []", "did you mean sip.domains?")

    def test_in_repeated_table(self) -> None:
        """
        The table's number is in the hint too.
        """
        self.assert_hint(
            "[[trunk]]\nname = 'a'\nnetworks = ['::1']\n"
            "[[trunk]]\nname = 'b'\nnetworks = ['::1']\nnetwork = []",
            "trunk[1].network: there is no such key; did you mean trunk[1].networks?",
        )

    def test_other_section(self) -> None:
        """
        A key that belongs into other sections is sent there.
        """
        self.assert_hint("[sip]\nban = 5", "did you mean limits.ban?")
        self.assert_hint("data_dir = 'x'", "did you mean server.data_dir?")

    def test_no_idea(self) -> None:
        """
        Where nothing is similar, all that could stand there is listed.
        """
        self.assert_hint("[hep]\nzzz = 5", "there is no such key; known here: target")

    def test_odd_name(self) -> None:
        """
        A name that is no plain word is quoted: it could hold anything.
        """
        self.assert_hint(
            '[hep]\n"\\u001b[31m" = 5',
            r"hep.'\x1b[31m': there is no such key; known here: target",
        )

    @given(
        st.sampled_from(sorted(set(key_paths()))),
        st.integers(0, 40),
        st.sampled_from(string.ascii_lowercase),
    )
    def test_one_letter_too_many(self, path: str, place: int, letter: str) -> None:
        """
        One wrong letter in any key of four letters or more, and the right one is named.
        """
        section, key = path.split(".")
        place %= len(key) + 1
        wrong = key[:place] + letter + key[place:]
        table = f"[[{section}]]" if section in REPEATED else f"[{section}]"
        if wrong in {each.split(".")[1] for each in key_paths()} or len(key) < 4:
            return
        listed = "\n".join(faults(f"{table}\n{wrong} = 0"))
        self.assertIn(f".{wrong}: there is no such key; did you mean", listed)
        self.assertIn(f".{key}", listed)


class EveryKeyTests(SynchronousTestCase):
    """
    What holds for all keys alike.
    """

    def test_paths(self) -> None:
        """
        The tree knows the paths of its keys, those of repeated tables too.
        """
        paths = list(key_paths())
        self.assertEqual(len(paths), len(set(paths)))
        for path in ("server.data_dir", "limits.ban", "trunk.name"):
            self.assertIn(path, paths)

    def test_no_key_takes_everything(self) -> None:
        """
        Each key refuses a value of a type that is nowhere right, with its own path.
        """
        for path in key_paths():
            section, key = path.split(".")
            repeated = section in REPEATED
            table = f"[[{section}]]" if repeated else f"[{section}]"
            where = f"{section}[0].{key}" if repeated else path
            with self.subTest(path):
                found = faults(f"{table}\n{key} = 12:00:00")
                self.assertTrue(
                    any(fault.startswith(f"{where}: expected") for fault in found),
                    found,
                )

    @given(
        st.dictionaries(
            st.sampled_from([path.split(".")[0] for path in key_paths()]),
            st.recursive(
                st.none()
                | st.booleans()
                | st.integers()
                | st.floats()
                | st.text(max_size=20),
                lambda inner: (
                    st.lists(inner, max_size=3)
                    | st.dictionaries(
                        st.sampled_from([path.split(".")[1] for path in key_paths()]),
                        inner,
                        max_size=4,
                    )
                ),
                max_leaves=10,
            ),
            max_size=4,
        )
    )
    def test_any_document(self, document: dict[str, Any]) -> None:
        """
        Whatever TOML can hold under whatever key gives a tree and faults, and no other
        exception.
        """
        before = copy.deepcopy(document)
        config, _ = convert(document)
        self.assertIsInstance(config, Config)
        self.assertEqual(repr(document), repr(before))
