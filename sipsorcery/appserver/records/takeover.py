"""
Taking calls over from a process that was killed, be it this server before or another.

A server that starts takes up its own calls, a few at a time. What belongs to a call
that is not taken up yet, or was another server's, comes with the name of the dialogue
in its Request-URI; the call is taken up for it first.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
from twisted.internet.defer import DeferredList
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from sipsorcery.access.dialogue_names import DialogueNames
from sipsorcery.appserver.calls.bridge import Bridge
from sipsorcery.appserver.calls.connection import Connection, Connections, Side
from sipsorcery.appserver.calls.rewriting import Rewriting
from sipsorcery.appserver.records.cdr_writer import CDRWriter
from sipsorcery.appserver.records.credentials import Vault
from sipsorcery.appserver.records.dialog_search import DialogSearch
from sipsorcery.appserver.records.strangers import hang_up_stranger
from sipsorcery.dialog.dialog import DialogID
from sipsorcery.dialog.errors import LocalProtocolError
from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.sdp import SDPError
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CALL_ID, CSEQ, FROM, TO, VIA
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.dialogues import ALIASES, DIALOGUES, Dialogue, Leg
from sipsorcery.store.errors import Conflict, StoreError, UnreadableRecord
from sipsorcery.store.live import LiveStore, Record
from sipsorcery.store.ringing import RINGING
from sipsorcery.transport.errors import TransportError
from sipsorcery.ua import Ending, Session
from sipsorcery.ua.core import Core
from sipsorcery.ua.outcome import Outcome
from sipsorcery.ua.restoring import acknowledge_again, restore

# Calls that are taken up at the start before others get their turn: some 10 ms.
_AT_ONCE = 20
# How often it is tried to take a call that others change in that moment: whoever waits
# for it would hear 481, and take it for over.
_ATTEMPTS = 5
# Answers that nobody waits for, at a time: each may take half a minute to hang up.
_STRAYS = 100
# Seconds for which a 2xx may have to be repeated: half a minute, and as long as it
# takes at most until others notice that a server is gone.
_WAITING = 60.0


def bridge_again(connection: Connection, dialogue: Dialogue) -> Bridge:
    """
    Make what relays between the two sessions of a call, as it was before.
    """
    caller, callee = dialogue.legs
    return Bridge(
        connection.caller,
        connection.callee,
        on_agreed=connection.agreed,
        rewrites=(
            Rewriting(caller.seen, caller.public),
            Rewriting(callee.seen, callee.public),
        ),
    )


class Takeover:
    """
    Takes calls over for one server.

    :param core: of the user agent that goes on with them.
    :param server: where it listens.
    :param incarnation: what this process drew at its start.
    :param make_bridge: makes what relays between the two sessions of a call.
    :param proxy: the one that our calls go by; None: there is none.
    :param now: gives the seconds since the epoch.

    :ivar count: how many calls were taken over.
    """

    _log = Logger()

    def __init__(
        self,
        core: Core,
        live: LiveStore,
        server: Endpoint,
        incarnation: str,
        *,
        names: DialogueNames,
        vault: Vault,
        connections: Connections,
        cdrs: CDRWriter,
        make_bridge: Callable[[Connection, Dialogue], object] = bridge_again,
        proxy: SIPURI | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.count = 0
        self._core = core
        self._live = live
        self._server = server
        self._incarnation = incarnation
        self._names = names
        self._vault = vault
        self._connections = connections
        self._cdrs = cdrs
        self._make_bridge = make_bridge
        self._proxy = proxy
        self._now = now
        self._taking: dict[str, Outcome[Connection | None]] = {}
        self._search = DialogSearch(core, live)
        self._strays: set[DialogID] = set()
        self._has_taken_own = False

    async def take_own(self) -> int:
        """
        Take up every call that this server had when it was killed.

        :return: how many there were.
        """
        server = str(self._server)
        count = await self._take_all(lambda dialogue: dialogue.server == server)
        self._has_taken_own = True
        return count

    async def take_waiting(self, server: str) -> int:
        """
        Take up the calls of another server whose callers may not have had its 2xx.

        That server is gone, and the 2xx has to be repeated until its ACK comes. All
        other calls can wait until somebody wants something, or something is due.

        :param server: as text of an `Endpoint`.
        :return: how many there were.
        """
        since = self._now() - _WAITING

        def is_waiting(dialogue: Dialogue) -> bool:
            if dialogue.server != server or dialogue.answered < since:
                return False
            return any(leg.dialog.unacknowledged for leg in dialogue.legs)

        return await self._take_all(is_waiting)

    async def bring_back(self, request: Request) -> bool:
        """
        Take up the call that a request belongs to, if it names one.

        :return: whether we have it.
        """
        uri = request.uri
        name = self._names.read(uri.user) if isinstance(uri, SIPURI) else None
        if name is None:
            return False
        try:
            return await self._take_at_last(await self._key_of(name.dialogue))
        except StoreError as error:
            self._log.warn("A call cannot be looked up: {error}", error=error)
            return False

    async def take(self, record: Record) -> Connection | None:
        """
        Take up a call whose record was found.
        """
        return await self._take_once(record.key)

    def stray_response(self, response: Response) -> None:
        """
        Take a response to a request that the killed process has sent.

        A callee repeats its 2xx until it has an ACK: either we have the call, or can
        have it, and acknowledge; or another server has it, and does; or nobody has it,
        and the callee is hung up.
        """
        try:
            self._take_stray(response)
        except ParseError as error:
            self._tell_unreadable(error)

    def stop(self) -> None:
        """
        Look for nothing any more.
        """
        self._search.stop()

    # Inside

    async def _take_all(self, is_wanted: Callable[[Dialogue], bool]) -> int:
        before = self.count
        keys: list[str] = []
        async for record in self._live.scan(DIALOGUES.name):
            dialogue = self._read(record)
            if dialogue is not None and is_wanted(dialogue):
                keys.append(record.key)
        while keys:
            some, keys = keys[:_AT_ONCE], keys[_AT_ONCE:]
            # They share a commit of the store.
            await DeferredList([self._core.spawn(self._try(key)) for key in some])
            await deferLater(self._core.clock, 0)
        return self.count - before

    def _take_stray(self, response: Response) -> None:
        if not response.is_success or response[CSEQ].method != "INVITE":
            return
        tag = response[TO].tag
        if tag is None:
            return
        id = DialogID(response[CALL_ID], response[FROM].tag or "", tag)
        if self._acknowledge(id, response) or id in self._strays:
            return
        if len(self._strays) < _STRAYS:
            self._strays.add(id)
            self._core.spawn(self._see_to(id, response))

    def _acknowledge(self, id: DialogID, response: Response) -> bool:
        """
        Acknowledge a 2xx, if we have its dialog.
        """
        shared = self._core.dialogs.get(id)
        for session in () if shared is None else shared.usages:
            if isinstance(session, Session):
                acknowledge_again(session, response)
                break
        return shared is not None

    async def _see_to(self, id: DialogID, response: Response) -> None:
        """
        Find out whose a 2xx is; he who has sent it repeats it.
        """
        try:
            record = await self._search.find(id)
            if record is not None:
                await self._hand(record, id, response)
            elif self._has_taken_own:
                # Before all are taken up nobody is known to be a stranger.
                await hang_up_stranger(self._core, response, self._proxy)
        except (StoreError, TransportError) as error:
            self._log.warn("A stray answer is lost: {error}", error=error)
        except ParseError as error:
            self._tell_unreadable(error)
        finally:
            self._strays.discard(id)

    async def _hand(self, record: Record, id: DialogID, response: Response) -> None:
        """
        Acknowledge a 2xx of a call that is stored, or let the server do it that has it.
        """
        dialogue = self._read(record)
        if dialogue is None:
            return
        via = response[VIA]
        asked = Endpoint(Transport.UDP, via.address, via.port or 5060)
        if dialogue.server in (str(self._server), str(asked)):
            # Whoever has asked hears no answers any more, or it would not be here.
            if await self._take_once(record.key) is not None:
                self._acknowledge(id, response)
            return
        there = Endpoint.parse(dialogue.server)
        flow = self._core.transactions.transport.datagram_flow(there)
        flow.send(response.to_bytes())

    def _tell_unreadable(self, error: ParseError) -> None:
        # Any callee can send it, so it is no fault of ours that needs a traceback.
        self._log.info("A stray answer cannot be read: {error}", error=error)

    async def _try(self, key: str) -> None:
        await self._take_once(key)

    async def _key_of(self, name: str) -> str:
        """
        Find the call that a leg belongs to now.
        """
        found = await self._live.get(ALIASES.name, name)
        return name if found is None else ALIASES.read(found).dialogue

    async def _take_at_last(self, id: str) -> bool:
        """
        Take a call that somebody waits for, also if others change it in that moment.
        """
        for _ in range(_ATTEMPTS):
            if await self._take_once(id) is not None:
                return True
            record = await self._live.get(DIALOGUES.name, id)
            dialogue = None if record is None else self._read(record)
            if dialogue is None or self._is_ours(dialogue):
                return False  # it is over
        return False

    async def _take_once(self, id: str) -> Connection | None:
        """
        Take a call up, once for all who ask meanwhile.
        """
        outcome = self._taking.get(id)
        if outcome is None:
            outcome = self._taking[id] = Outcome()
            self._core.spawn(self._take_for_all(id, outcome))
        return await outcome.wait()

    async def _take_for_all(self, id: str, outcome: Outcome[Connection | None]) -> None:
        try:
            outcome.succeed(await self._take(id))
        except StoreError as error:
            outcome.fail(error)
        finally:
            outcome.succeed(None)  # unless there is an outcome already
            del self._taking[id]

    async def _take(self, id: str) -> Connection | None:
        known = self._connections.find(id)
        if known is not None:
            return known
        record = await self._live.get(DIALOGUES.name, id)
        dialogue = None if record is None else self._read(record)
        if record is None or dialogue is None or self._is_ours(dialogue):
            return None  # it is over
        ours = msgspec.structs.replace(
            dialogue, server=str(self._server), incarnation=self._incarnation
        )
        try:
            swapped = record.replace(data=DIALOGUES.write(ours))
            record = await self._live.swap(swapped)
        except Conflict:
            return None  # whoever has it has changed it, or another server was faster
        except StoreError as error:
            # It holds for those who ask, and two people are talking.
            self._log.warn("Call {id} goes on unstored: {error}", id=id, error=error)
        return self._restore(ours, record.version)

    def _restore(self, dialogue: Dialogue, version: int) -> Connection | None:
        sides: list[Side] = []
        try:
            sides.extend(self._restore_leg(leg) for leg in dialogue.legs)
        except (ParseError, SDPError, LocalProtocolError, ValueError) as error:
            self._log.error(
                "Call {id} cannot be taken over: {error}", id=dialogue.id, error=error
            )
            for side in sides:
                side.session.hang_up("the call could not be taken over")
            self._live.discard(DIALOGUES.name, dialogue.id).addErrback(_ignore)
            return None
        caller, callee = sides
        connection = Connection(
            id=dialogue.id,
            owner=dialogue.owner,
            account=dialogue.account,
            direction=dialogue.direction,
            sides=(caller, callee),
            started=dialogue.started,
            answered=dialogue.answered,
            limit=dialogue.limit,
            transfer=dialogue.transfer,
            run=dialogue.run,
            bridge_id=dialogue.bridge,
        )
        connection.version = version
        connection.bridge = self._make_bridge(connection, dialogue)
        self._connections.add(connection)
        connection.ended().addCallback(self._over, dialogue.id)
        self.count += 1
        return connection

    def _over(self, ending: Ending, id: str) -> None:
        """
        Forget that the call rang, when its server was killed: nobody is to refuse it.
        """
        self._live.discard(RINGING.name, id).addErrback(_ignore)

    def _restore_leg(self, leg: Leg) -> Side:
        core = self._core
        refreshed_at = None
        if leg.refreshed:
            refreshed_at = core.clock.seconds() - (self._now() - leg.refreshed)
        session = restore(
            core,
            leg.dialog,
            account=self._vault.open(leg.credentials),
            refreshed_at=refreshed_at,
            relays=True,
        )
        self._name_anew(session, leg.name)
        cdr = None if leg.cdr is None else self._cdrs.resume(leg.cdr)
        return Side(session=session, name=leg.name, cdr=cdr, source=leg.source)

    def _name_anew(self, session: Session, name: str) -> None:
        """
        Let the Contact name us, where it has named another server.
        """
        contact = session.dialog.contact
        if contact is not None and isinstance(contact.uri, SIPURI):
            user = self._names.write(self._server, name)
            session.dialog.contact = contact._replace(
                uri=contact.uri._replace(user=user)
            )

    def _is_ours(self, dialogue: Dialogue) -> bool:
        return (dialogue.server, dialogue.incarnation) == (
            str(self._server),
            self._incarnation,
        )

    def _read(self, record: Record) -> Dialogue | None:
        try:
            return DIALOGUES.read(record)
        except UnreadableRecord as error:
            self._log.error("A call cannot be read: {error}", error=error)
            return None


def _ignore(failure: Failure) -> None:
    # What cannot be removed expires.
    failure.trap(StoreError)
