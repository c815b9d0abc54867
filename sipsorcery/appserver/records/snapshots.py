"""
Runs of dialplans that wait, as they lie in the live state: sealed.

What an interpreter takes up again has to be what it has put down. So nobody who writes
into the store can make up a run, change one, or put the run of one call, user or
dialplan in the place of another's; nor does he read in it what a dialplan knows.
"""

from __future__ import annotations

import msgspec

from sipsorcery.appserver.errors import SnapshotError
from sipsorcery.appserver.plans import dumping
from sipsorcery.appserver.plans.run_state import RunState
from sipsorcery.store.ringing import RingingCall
from sipsorcery.store.sealing import BrokenSeal, Sealer
from sipsorcery.store.secrets import Key, Purpose, Secrets

#: Octets of a run that is kept. Most have 8 kB; one that has gathered this much of data
#: would hold up the calls of others each time that it is stored.
MAX_SIZE = 256 * 1024


class Snapshots:
    """
    Seals the runs of calls, and opens them again.

    :param secrets: gives the keys; they may be rotated meanwhile.
    """

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._keys: tuple[Key, ...] = ()

    def seal(self, state: RunState | None, call: RingingCall) -> bytes:
        """
        Seal the run of a call.

        :return: nothing, of a run that cannot be kept.
        """
        content = b"" if state is None else dumping.dump(state)
        if not content or len(content) > MAX_SIZE:
            return b""
        return self._sealer().seal(content, _context(call))

    def open(self, call: RingingCall) -> RunState | None:
        """
        Open the run of a call; None if none was kept.

        :raises SnapshotError: if it is not what was sealed for that call.
        """
        if not call.state:
            return None
        try:
            content = self._sealer().open(call.state, _context(call))
        except BrokenSeal as error:
            raise SnapshotError(str(error)) from error
        return dumping.restore(content, RunState)

    def _sealer(self) -> Sealer:
        keys = self._secrets.keys(Purpose.SNAPSHOT)
        if keys != self._keys:
            self._keys, self._current = keys, Sealer(keys)
        return self._current


def _context(call: RingingCall) -> bytes:
    """
    Say what a run belongs to.
    """
    return msgspec.json.encode(
        (
            *("run", call.id, call.owner, call.username, call.domain),
            *(str(call.direction), call.plan, call.version, call.language),
        )
    )
