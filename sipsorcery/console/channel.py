"""
One session of a connection: a shell, or a command that was given on the command line.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from twisted.conch.ssh.channel import SSHChannel
from twisted.conch.ssh.common import getNS
from twisted.conch.ssh.session import parseRequest_pty_req, parseRequest_window_change
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from sipsorcery.console import words
from sipsorcery.console.commands import Commands
from sipsorcery.console.errors import ConsoleError, WrongUsage
from sipsorcery.console.flow import Room
from sipsorcery.console.keys import Keyboard
from sipsorcery.console.painting import Palette
from sipsorcery.console.screen import Screen, Size
from sipsorcery.console.seats import Seat
from sipsorcery.console.shell import Shell
from sipsorcery.store.errors import StoreError

_DUMB = frozenset({b"", b"dumb", b"unknown", b"vt52"})
# Columns and rows that a terminal may have; 0 is said by those that do not know.
_WIDEST, _HIGHEST = 1000, 1000
# Octets that may wait for somebody who types and does not read. A command waits for
# its reader much earlier.
_MAX_WAITING = 1_000_000
_STDERR = 1  # SSH_EXTENDED_DATA_STDERR (RFC 4254, 5.2)


class SessionChannel(SSHChannel):
    """
    A session (:rfc:`4254#section-6`) in which nothing but our own commands runs.

    :param is_blocked: tells whether the connection takes no more for now.
    """

    name = b"session"
    _log = Logger()
    conn: Any  # our connection

    def __init__(
        self,
        reactor: Any,
        seat: Seat,
        commands: Commands,
        is_blocked: Callable[[], bool],
        closed: Callable[[SessionChannel], object],
        **keywords: Any,
    ) -> None:
        super().__init__(**keywords)
        self._reactor = reactor
        self._seat = seat
        self._commands = commands
        self._is_blocked = is_blocked
        self._tell_closed = closed
        self.room = Room(reactor, self._is_free)
        self._size: Size | None = None  # None: there is no terminal
        self._is_dumb = True
        self._is_plain = False  # without colours
        self._is_started = False
        self._screen: Screen | None = None
        self._shell: Shell | None = None
        self._keyboard = Keyboard()
        self._running: Deferred[None] | None = None
        self._requests: dict[bytes, Callable[[bytes], bool]] = {
            b"pty-req": self._open_terminal,
            b"env": self._set,
            b"window-change": self._resize,
            b"shell": self._start_shell,
            b"exec": self._start_command,
        }

    # What the peer wants

    def channelOpen(self, specificData: bytes) -> None:
        """
        Take a channel that has been opened.
        """

    def requestReceived(self, requestType: bytes, data: bytes) -> bool:
        """
        Do what is asked, if it is one of the few things that there are.

        An agent, X11 and subsystems are not, nor is an environment but for colours.
        """
        act = self._requests.get(requestType)
        try:
            return act is not None and act(data)
        except (struct.error, ValueError, IndexError):
            return False

    def dataReceived(self, data: bytes) -> None:
        """
        Take what is typed.
        """
        self._seat.touched = self._reactor.seconds()
        if self._shell is not None:
            self._shell.received(data)
        elif self._screen is not None and self._screen.is_terminal:
            for key in self._keyboard.feed(data):
                self._screen.press(key)
        if len(self.buf) > _MAX_WAITING:
            self.conn.transport.abort()

    def extReceived(self, dataType: int, data: bytes) -> None:
        """
        Leave alone what no client sends.
        """

    def eofReceived(self) -> None:
        """
        Take the end of what is typed; a command goes on, as with ``</dev/null``.
        """
        if self._shell is not None:
            self._finish(0)

    def closeReceived(self) -> None:
        """
        End with whoever leaves.
        """
        self._stop()
        self.buf, self.extBuf = b"", []
        self.loseConnection()

    def closed(self) -> None:
        """
        Forget everything.
        """
        self._stop()
        self._tell_closed(self)

    def addWindowBytes(self, data: int) -> None:
        """
        Go on: the peer has read something.
        """
        super().addWindowBytes(data)
        self.room.changed()

    def write_text(self, text: str) -> None:
        """
        Write text.
        """
        if text and not self.localClosed:
            self.write(text.encode("utf-8", "replace"))

    def say_goodbye(self, text: str) -> None:
        """
        End the session with a sentence; empty: without.
        """
        if text:
            self.write_text(f"\r\n{text}\r\n" if self._size else f"{text}\n")
        self._finish(0 if not text else 1)

    # Inside

    def _is_free(self) -> bool:
        return not self.buf and not self.extBuf and not self._is_blocked()

    def _open_terminal(self, data: bytes) -> bool:
        if self._is_started:
            return False
        term, (rows, columns, _, _), _ = parseRequest_pty_req(data)
        self._is_dumb = term.lower() in _DUMB
        self._size = Size()
        self._measure(columns, rows)
        return True

    def _set(self, data: bytes) -> bool:
        # https://no-color.org: whatever it says, as long as it says something.
        name, value, _ = getNS(data, 2)
        if name != b"NO_COLOR":
            return False
        self._is_plain = bool(value)
        return True

    def _resize(self, data: bytes) -> bool:
        rows, columns, _, _ = parseRequest_window_change(data)
        self._measure(columns, rows)
        if self._shell is not None:
            self._shell.resized()
        return True

    def _measure(self, columns: int, rows: int) -> None:
        if self._size is not None:
            self._size.columns = min(columns, _WIDEST) or 80
            self._size.rows = min(rows, _HIGHEST) or 24

    def _make_screen(self) -> Screen:
        has_colours = self._size is not None and not (self._is_dumb or self._is_plain)
        screen = self._screen = Screen(
            self.write_text,
            self.room.wait,
            Palette(is_on=has_colours),
            self._size,
            is_dumb=self._is_dumb,
        )
        return screen

    def _start_shell(self, data: bytes) -> bool:
        if self._is_started:
            return False
        self._is_started = True
        if self._size is None:
            self._reactor.callLater(0, self._refuse_shell)
            return True
        self._shell = Shell(
            self._seat,
            self._commands,
            self._make_screen(),
            self.write_text,
            size=self._size,
            is_dumb=self._is_dumb,
        )
        # The answer to the request goes first.
        self._reactor.callLater(0, self._shell.start)
        return True

    def _refuse_shell(self) -> None:
        self._complain("Without a terminal, give a command: ssh HOST help")
        self._finish(WrongUsage.status)

    def _start_command(self, data: bytes) -> bool:
        if self._is_started:
            return False
        line = getNS(data)[0].decode("utf-8", "replace")
        self._is_started = True
        screen = self._make_screen()
        running = self._running = Deferred.fromCoroutine(self._run(line, screen))
        screen.begin(running.cancel)
        running.addErrback(self._failed)
        return True

    async def _run(self, line: str, screen: Screen) -> None:
        # The answer to the request goes first.
        await self.room.wait()
        status = 0
        try:
            typed = words.read(line, is_admin=self._seat.is_admin)
            await self._commands.run(self._seat, typed, screen)
        except CancelledError:
            pass  # they have pressed q, or are gone
        except ConsoleError as error:
            self._complain(str(error))
            status = error.status
        except StoreError as error:
            self._complain(str(error))
            status = ConsoleError.status
        self._running = None
        self._finish(status)

    def _complain(self, text: str) -> None:
        if self._size is not None:
            self.write_text(f"{text}\r\n")
        elif not self.localClosed:
            self.writeExtended(_STDERR, f"{text}\n".encode())

    def _failed(self, failure: Failure) -> None:
        self._log.failure("A command of the console fails", failure)
        self._complain("That has failed; the log of the server says why.")
        self._finish(ConsoleError.status)

    def _finish(self, status: int) -> None:
        if self.localClosed or self.closing:
            return
        request = struct.pack(">L", status)
        self.conn.sendRequest(self, b"exit-status", request)
        self._stop()
        self.loseConnection()

    def _stop(self) -> None:
        shell, self._shell = self._shell, None
        if shell is not None:
            shell.stop()
        running, self._running = self._running, None
        if running is not None and not running.called:
            running.cancel()
