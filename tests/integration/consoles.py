"""
Somebody at a terminal with the ``ssh`` of OpenSSH.
"""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pexpect
from twisted.internet import reactor
from twisted.internet.threads import deferToThreadPool

from sipsorcery.store.directory import Directory
from tests.peers import require

_T = TypeVar("_T")

# More than anything takes on the slowest machine: who waits as long has failed.
_PATIENCE = 30.0
_SGR = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class Console:
    """
    One ``ssh``, in a terminal of its own.

    :param folder: where it keeps the keys of hosts.
    :param command: what to run there; empty: the shell.
    :param options: further ones of ``ssh``.
    """

    def __init__(
        self,
        folder: Path,
        port: int,
        user: str,
        *command: str,
        options: tuple[str, ...] = (),
        key: Path | None = None,
        size: tuple[int, int] = (50, 150),
    ) -> None:
        method = "password" if key is None else "publickey"
        settings = {
            "UserKnownHostsFile": folder.absolute() / "known_hosts",
            "GlobalKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "accept-new",
            "PreferredAuthentications": method,
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "LogLevel": "ERROR",
        }
        arguments = ["-F", "/dev/null", "-p", str(port)]
        for name, value in settings.items():
            arguments += ["-o", f"{name}={value}"]
        if key is not None:
            arguments += ["-i", str(key.absolute())]
        self.child: Any = pexpect.spawn(
            require("ssh", "openssh-client"),
            [*arguments, *options, f"{user}@127.0.0.1", *command],
            encoding="utf-8",
            codec_errors="replace",
            timeout=_PATIENCE,
            dimensions=size,
            env={**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8"},
        )
        self.child.delaybeforesend = None
        self.seen = ""

    async def expect(self, pattern: str) -> str:
        """
        Wait for a text; give what came before it, without colours.

        :raises AssertionError: if it does not come.
        """
        try:
            await in_thread(self.child.expect, [pattern])
        except (pexpect.TIMEOUT, pexpect.EOF) as error:
            raise AssertionError(
                f"{pattern!r} never came: {self.seen}{self.child.before}"
            ) from error
        before = _SGR.sub("", str(self.child.before))
        self.seen += f"{before}{self.child.after}"
        return before

    def send(self, text: str) -> None:
        """
        Type something.
        """
        self.child.send(text)

    async def enter(self, line: str, prompt: str) -> str:
        """
        Type a line, and give all that comes until the prompt is there again.
        """
        # The line is pasted: so it is painted once, as a whole.
        self.send(f"\x1b[200~{line}\x1b[201~\r")
        await self.expect(re.escape("\x1b[?2004l"))
        return await self.expect(re.escape("\x1b[?2004h") + r".*?" + re.escape(prompt))

    async def log_in(self, password: str) -> None:
        """
        Give a password.
        """
        await self.expect("password: ")
        self.send(f"{password}\r")

    async def end(self, *, plain: bool = True) -> tuple[str, int | None]:
        """
        Wait until it ends; give what it has written, and with which status.

        :param plain: whether to leave colours out.
        """
        try:
            await in_thread(self.child.expect, [pexpect.EOF])
        except pexpect.TIMEOUT as error:
            raise AssertionError(f"it never ended: {self.child.before}") from error
        text = self.seen + str(self.child.before)
        await in_thread(self.child.close)
        text = _SGR.sub("", text) if plain else text
        return text.replace("\r\n", "\n"), self.child.exitstatus

    async def close(self) -> None:
        """
        End it in any case.
        """
        await in_thread(self.child.close, True)


async def in_thread(work: Callable[..., _T], *arguments: Any) -> _T:
    """
    Do what blocks in a thread.
    """
    threads: Any = reactor
    return await deferToThreadPool(threads, threads.getThreadPool(), work, *arguments)


def adding(*names: str) -> Callable[[Directory], Awaitable[None]]:
    """
    Give what adds users, each with the password "NAME has a password".
    """

    async def add(directory: Directory) -> None:
        for name in names:
            await directory.everyone.users.add(
                name, f"{name} has a password", is_admin=name == "root"
            )

    return add
