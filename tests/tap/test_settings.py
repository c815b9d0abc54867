"""
Tests for `sipsorcery.tap.settings`.
"""

from __future__ import annotations

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.config import Config, ConfigError, Fault, parse
from sipsorcery.tap.settings import Reloaded, Settings, of_settings


class Server:
    """
    Goes by the limits.

    :param refuses: a ban that it refuses, and how.
    """

    def __init__(self, refuses: float = 0.0, error: Exception | None = None) -> None:
        self.bans: list[float] = []
        self._refuses = refuses
        self._error = error

    def reconfigure(self, config: Config) -> None:
        """
        Note what it is told.
        """
        if config.limits.ban == self._refuses and self._error is not None:
            raise self._error
        self.bans.append(config.limits.ban)


class SettingsTests(SynchronousTestCase):
    """
    Reading the configuration again.
    """

    def setUp(self) -> None:
        self.text = "limits.ban = 7"
        self.settings = Settings(lambda: parse(self.text.encode()))
        self.first, self.second = Server(), Server()

    def test_changes(self) -> None:
        """
        Whoever follows is told of the new one, in which all that needs a restart is as
        it was; the answer names the keys.
        """
        self.settings.follow(self.first, self.second)
        self.text = "limits.ban = 8\nsip.udp_mtu = 5"
        with capturedLogs() as events:
            reloaded = self.settings.reload()
        self.assertEqual(reloaded, Reloaded(("limits.ban",), ("sip.udp_mtu",)))
        self.assertEqual([self.first.bans, self.second.bans], [[8], [8]])
        self.assertEqual(self.settings.config.limits.ban, 8)
        self.assertEqual(self.settings.config.sip.udp_mtu, 1300)
        told = formatEvent(events[-1]) or ""
        self.assertIn("Changed: limits.ban.", told)
        self.assertIn("by a restart: sip.udp_mtu", told)

    def test_again(self) -> None:
        """
        What waits for a restart is named each time, what has changed is not.
        """
        self.text = "limits.ban = 8\nsip.udp_mtu = 5"
        self.settings.reload()
        self.assertEqual(self.settings.reload(), Reloaded((), ("sip.udp_mtu",)))
        self.text = "limits.ban = 7"
        self.assertEqual(self.settings.reload(), Reloaded(("limits.ban",)))

    def test_empty(self) -> None:
        """
        A file that says nothing changes nothing: it is being written, or cut off.
        """
        self.settings.follow(self.first)
        self.text = ""
        with capturedLogs():
            reloaded = self.settings.reload()
        self.assertEqual(reloaded.faults, ("the configuration says nothing",))
        self.assertEqual(self.first.bans, [])
        self.assertEqual(self.settings.config.limits.ban, 7)

    def test_faults(self) -> None:
        """
        A faulty file changes nothing: every fault is in the answer, and in the log.
        """
        self.settings.follow(self.first)
        self.text = "limits.ban = 8\nlimits.bann = 9\nsip.t1 = -1"
        with capturedLogs() as events:
            answer = of_settings(self.settings)["reload"]()
        assert isinstance(answer, dict)
        paths = [line.partition(":")[0] for line in answer["faults"]]
        self.assertEqual(paths, ["limits.bann", "sip.t1"])
        self.assertEqual((answer["at_once"], answer["at_restart"]), ((), ()))
        self.assertEqual(self.first.bans, [])
        self.assertEqual(self.settings.config.limits.ban, 7)
        told = [formatEvent(event) for event in events]
        self.assertEqual(told[:2], list(answer["faults"]))

    def test_refused(self) -> None:
        """
        If one server cannot go by it, those before it are told to go on as before.
        """
        fault = ConfigError(None, [Fault("proxy.script", "no such file")])
        refusing, last = Server(8, fault), Server()
        self.settings.follow(self.first, refusing, last)
        self.text = "limits.ban = 8"
        with capturedLogs():
            reloaded = self.settings.reload()
        self.assertEqual(reloaded, Reloaded(faults=("proxy.script: no such file",)))
        self.assertEqual(self.first.bans, [8, 7])
        self.assertEqual([refusing.bans, last.bans], [[], []])
        self.assertEqual(self.settings.config.limits.ban, 7)
        self.text = "limits.ban = 9"
        self.assertEqual(self.settings.reload(), Reloaded(("limits.ban",)))

    def test_failure_of_ours(self) -> None:
        """
        So it is if one fails as it should not.
        """
        self.settings.follow(self.first, Server(8, ZeroDivisionError("x")))
        self.text = "limits.ban = 8"
        (fault,) = self.settings.reload().faults
        self.assertIn("ZeroDivisionError", fault)
        self.assertEqual(self.first.bans, [8, 7])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
