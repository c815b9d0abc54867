"""
The operator's script: loaded, and loaded again when its file changes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from sipsorcery.monitor.event import EventKind
from sipsorcery.proxy import script
from sipsorcery.proxy.errors import ScriptError
from sipsorcery.proxy.events import Events
from sipsorcery.proxy.facade import Sys
from sipsorcery.proxy.response_facade import ResponseSys
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.store.files import version_of

# Seconds between two looks at the file: at once, for a person. A look takes some
# microseconds.
_INTERVAL = 0.1

_Hook = Callable[..., Awaitable[None] | None]


class Script:
    """
    The two functions of a script, always those of the last version that loaded.

    :param file: that of the operator; None: the packaged script.
    :param events: hears of later versions; None: the log alone does.
    """

    _log = Logger()

    def __init__(
        self, file: Path | None, clock: IReactorTime, events: Events | None = None
    ) -> None:
        self._file = file
        self._events = events
        self._seen: object = None
        self._request: _Hook = script.request
        self._response: _Hook = script.response
        self._watch = LoopingCall(self._look)
        self._watch.clock = clock

    @property
    def changes_responses(self) -> bool:
        """
        Tell whether the script wants to see responses.
        """
        return self._response is not script.response

    def start(self) -> None:
        """
        Load the script, and look after it from now on.

        :raises ScriptError: if it cannot be used.
        """
        if self._file is not None:
            self._load(self._file)
            self._watch.start(_INTERVAL, now=False)

    def stop(self) -> None:
        """
        Look after it no more.
        """
        if self._watch.running:
            self._watch.stop()

    def change(self, file: Path | None) -> None:
        """
        Go on with the script of another file; it does nothing for the same one.

        :raises ScriptError: if that cannot be used; the one before stays.
        """
        if file == self._file:
            return
        if file is None:
            self.stop()
            self._request, self._response = script.request, script.response
        else:
            self._load(file)
            if not self._watch.running:
                self._watch.start(_INTERVAL, now=False)
        self._file = file

    def request(self, sys: Sys, request: Request) -> Awaitable[None] | None:
        """
        Let the script see to a request.
        """
        return self._request(sys, request)

    def response(self, sys: ResponseSys, response: Response) -> Awaitable[None] | None:
        """
        Let the script look at a response.
        """
        return self._response(sys, response)

    def _look(self) -> None:
        assert self._file is not None  # else nobody watches
        if version_of(self._file) == self._seen:
            return
        try:
            self._load(self._file)
        except ScriptError as error:
            self._log.error("{error}; the version before stays in use", error=error)
            self._tell(EventKind.SCRIPT_FAILED, str(error))
        else:
            self._log.info("Loaded {file} again", file=str(self._file))
            self._tell(EventKind.SCRIPT_LOADED, f"Loaded '{self._file}' again")

    def _tell(self, kind: EventKind, message: str) -> None:
        if self._events is not None:
            self._events.emit(kind, message, detail={"file": str(self._file)})

    def _load(self, file: Path) -> None:
        seen = version_of(file)
        if file == self._file:
            self._seen = seen  # a faulty version is told of once
        names: dict[str, Any] = {"__name__": "proxy_script", "__file__": str(file)}
        try:
            exec(compile(file.read_bytes(), file, "exec"), names)
        except (Exception, SystemExit) as error:
            raise ScriptError(f"cannot load '{file}': {error!r}") from error
        hooks = {name: names.get(name) for name in ("request", "response")}
        if not any(map(callable, hooks.values())):
            raise ScriptError(f"'{file}' defines neither request() nor response()")
        for name, hook in hooks.items():
            if hook is not None and not callable(hook):
                raise ScriptError(f"{name} in '{file}' is no function")
        self._seen = seen
        self._request = hooks["request"] or script.request
        self._response = hooks["response"] or script.response
