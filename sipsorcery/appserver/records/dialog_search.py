"""
Finding the call that a dialog is of, where nothing names it.

What asks for it is an answer that nobody waits for: a server was killed in the moment
between. So no index is kept up for it with every call; all calls are looked through, at
once for all who ask meanwhile.
"""

from __future__ import annotations

from twisted.internet.interfaces import IDelayedCall

from sipsorcery.dialog.dialog import DialogID
from sipsorcery.dialog.record import DialogRecord
from sipsorcery.sip.errors import ParseError
from sipsorcery.store.dialogues import DIALOGUES
from sipsorcery.store.errors import StoreError, UnreadableRecord
from sipsorcery.store.live import LiveReader, Record
from sipsorcery.ua.core import Core
from sipsorcery.ua.outcome import Outcome

# Seconds between the end of a look and the next one: whoever makes answers up does not
# keep us busy, and whoever has answered repeats it for half a minute.
_PAUSE = 1.0


class DialogSearch:
    """
    Looks for dialogs among the records of all calls.
    """

    def __init__(self, core: Core, live: LiveReader) -> None:
        self._core = core
        self._live = live
        self._wanted: dict[DialogID, Outcome[Record | None]] = {}
        self._is_looking = False
        self._rest: IDelayedCall | None = None

    def stop(self) -> None:
        """
        Look no more.
        """
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None

    async def find(self, id: DialogID) -> Record | None:
        """
        Find the record of a call; None: nobody has it.

        :raises StoreError: if nobody knows.
        """
        outcome = self._wanted.setdefault(id, Outcome())
        found = outcome.wait()
        self._look()
        return await found

    # Inside

    def _look(self) -> None:
        if self._wanted and not self._is_looking and self._rest is None:
            self._is_looking = True
            wanted, self._wanted = self._wanted, {}
            self._core.spawn(self._look_for(wanted)).addCallback(self._pause)

    def _pause(self, _: object) -> None:
        self._is_looking = False
        self._rest = self._core.clock.callLater(_PAUSE, self._go_on)

    def _go_on(self) -> None:
        self._rest = None
        self._look()

    async def _look_for(self, wanted: dict[DialogID, Outcome[Record | None]]) -> None:
        names = [(id, id.call_id.encode()) for id in wanted]
        try:
            async for record in self._live.scan(DIALOGUES.name):
                # To read each record would take a hundred times as long.
                for id, name in names:
                    if name in record.data and _has(record, id):
                        wanted[id].succeed(record)
        except StoreError as error:
            for outcome in wanted.values():
                outcome.fail(error)
        finally:
            for outcome in wanted.values():
                outcome.succeed(None)  # unless there is an outcome already


def _has(record: Record, id: DialogID) -> bool:
    try:
        dialogue = DIALOGUES.read(record)
        return any(_id(leg.dialog) == id for leg in dialogue.legs)
    except (UnreadableRecord, ParseError, ValueError):
        return False  # whoever takes it up says so


def _id(stored: DialogRecord) -> DialogID:
    return stored.dialog().id
