"""
What the service manager of the system wants to know of us: sd_notify(3).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import Any

from twisted.internet.task import LoopingCall
from twisted.logger import Logger

# Parts of the time that systemd waits for a sign of life, after which there is one: two
# may get lost in a busy moment.
_SIGNS = 3


class ServiceManager:
    """
    Tells systemd that we are ready, alive, and about to end.

    Where nobody has asked for that, as in a shell, nothing is told.

    :param reactor: has time.
    :param environment: as systemd has set it: where to tell, and how often.
    """

    _log = Logger()

    def __init__(
        self, reactor: Any, environment: Mapping[str, str] = os.environ
    ) -> None:
        where = environment.get("NOTIFY_SOCKET", "")
        # An @ stands for NUL: a name that is in no file system.
        self._address = f"\0{where[1:]}" if where.startswith("@") else where
        self._interval = _interval(environment)
        self._living = LoopingCall(self._tell, "WATCHDOG=1")
        self._living.clock = reactor

    def ready(self) -> None:
        """
        Tell that everything is there, and from now on that we are alive.
        """
        self._tell(f"READY=1\nMAINPID={os.getpid()}")
        if self._address and self._interval and not self._living.running:
            # Of a reactor that is stuck nothing comes, and systemd starts us anew.
            self._living.start(self._interval / _SIGNS)

    def stopping(self) -> None:
        """
        Tell that we end because somebody wants it.
        """
        if self._living.running:
            self._living.stop()
        self._tell("STOPPING=1")

    def _tell(self, text: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as teller:
                teller.setblocking(False)
                teller.sendto(text.encode(), self._address)
        except OSError as error:
            self._log.warn("The service manager is not told: {error}", error=error)


def _interval(environment: Mapping[str, str]) -> float:
    """
    Give the seconds within which systemd wants a sign of life; 0: it wants none.
    """
    text = environment.get("WATCHDOG_USEC", "")
    meant = environment.get("WATCHDOG_PID", "")
    if not text.isdecimal() or meant not in ("", str(os.getpid())):
        return 0.0
    return int(text) / 1_000_000
