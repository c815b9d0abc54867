"""
What the servers of a process go by, and how that changes while they run.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from types import FrameType
from typing import Any, Protocol

from twisted.application.service import Service
from twisted.internet.interfaces import IReactorFromThreads
from twisted.logger import Logger

from sipsorcery.config import Config, ConfigError, Fault
from sipsorcery.config.changes import compare
from sipsorcery.control import Verb
from sipsorcery.store.ports import settle


class Follower(Protocol):
    """
    Be what goes by a configuration that may change.
    """

    def reconfigure(self, config: Config) -> object:
        """
        Go by this one from now on; what is counted and under way stays.

        :raises ConfigError: if that is not possible, and nothing has changed.
        """


@dataclass(frozen=True, slots=True)
class Reloaded:
    """
    What has come of reading the configuration again.

    :ivar at_once: paths of the keys that have changed and hold now.
    :ivar at_restart: of those that hold after the next start.
    :ivar faults: what is wrong, a line each; if anything is, nothing has changed.
    """

    at_once: tuple[str, ...] = ()
    at_restart: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


class Settings:
    """
    Holds the configuration of a process.

    :param read: reads it.
    :raises ConfigError: with everything that is wrong, if anything is.

    :ivar config: the one that holds.
    """

    _log = Logger()

    def __init__(self, read: Callable[[], Config]) -> None:
        self._read = read
        # As it is written, and as it holds: with the ports that nobody has written.
        self._written = self.config = read()
        self._followers: list[Follower] = []

    def settle(self) -> Config:
        """
        Fill in the ports of the servers, once for the life of the process.
        """
        self.config = settle(self.config)
        return self.config

    def follow(self, *followers: Follower) -> None:
        """
        Tell somebody of every change.
        """
        self._followers += followers

    def reload(self) -> Reloaded:
        """
        Read the configuration again, and go by it: by all of it, or by nothing.

        Nothing else happens meanwhile: each request meets the old one or the new one.
        """
        try:
            reloaded = self._reload()
        except ConfigError as error:
            for line in error.lines():
                self._log.error("{fault}", fault=line)
            self._log.error("The configuration stays as it was")
            return Reloaded(faults=tuple(error.lines()))
        self._log.info(
            "The configuration was read again. Changed: {at_once}. "
            "To be changed by a restart: {at_restart}",
            at_once=", ".join(reloaded.at_once) or "nothing",
            at_restart=", ".join(reloaded.at_restart) or "nothing",
        )
        return reloaded

    def _reload(self) -> Reloaded:
        wanted = self._read()
        if wanted == Config() != self._written:
            # Somebody writes it in this moment, or the disk is full; who wants to have
            # all defaults can start anew.
            raise ConfigError(None, [Fault("", "the configuration says nothing")])
        changes = compare(self._written, wanted)
        self._change(self.config, changes.apply(self.config, wanted))
        self._written = changes.apply(self._written, wanted)
        return Reloaded(changes.at_once, changes.at_restart)

    def _change(self, old: Config, new: Config) -> None:
        told: list[Follower] = []
        try:
            for follower in self._followers:
                follower.reconfigure(new)
                told.append(follower)
        except Exception as error:
            for follower in reversed(told):
                follower.reconfigure(old)
            if isinstance(error, ConfigError):
                raise
            self._log.failure("A server cannot be changed")
            fault = Fault("", f"a server cannot be changed: {error!r}")
            raise ConfigError(None, [fault]) from error
        self.config = new


class Reloading(Service):
    """
    Reads the configuration again after SIGHUP.
    """

    name = "reloading"

    def __init__(self, reactor: IReactorFromThreads, settings: Settings) -> None:
        self._reactor = reactor
        self._settings = settings
        self._before: Any = None

    def startService(self) -> None:
        """
        Mind the signal. Who has minded it before, such as the log, still hears it.
        """
        super().startService()
        self._before = signal.signal(signal.SIGHUP, self._hang_up)

    def stopService(self) -> None:
        """
        Leave the signal to whoever has minded it before, if anybody.

        Else it is ignored: whoever reloads what is about to end must not kill it.
        """
        super().stopService()
        before = self._before if callable(self._before) else signal.SIG_IGN
        signal.signal(signal.SIGHUP, before)

    def _hang_up(self, number: int, frame: FrameType | None) -> None:
        if callable(self._before):
            self._before(number, frame)
        # Not here: this may be in the middle of anything.
        self._reactor.callFromThread(self._settings.reload)


def of_settings(settings: Settings) -> Mapping[str, Verb]:
    """
    Give what every server answers: ``reload``.
    """

    def reload() -> dict[str, Any]:
        return asdict(settings.reload())

    return {"reload": reload}
