"""
Whether the parts work that a call needs, for who probes us.
"""

from __future__ import annotations

from sipsorcery.appserver.errors import AppServerError, EngineOverloaded
from sipsorcery.appserver.plans.engine import Engine, HostCall, PlanRequest
from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.store.directory import Directory
from sipsorcery.store.errors import StoreError

# What the original answers to a probe, after a dialplan of its own has run.
_SCRIPT = "sys.respond(420, 'well')"


class Wellness:
    """
    Tries the directory and the dialplans.

    :param engine: that of dialplans in Python: the others have no processes that die.
    """

    def __init__(self, directory: Directory, engine: Engine) -> None:
        self._directory = directory
        self._engine = engine

    async def check(self) -> None:
        """
        Ask for a user, and run a dialplan.

        :raises Refused: if one of them does not work.
        """
        try:
            await self._directory.everyone.users.find("dispatcher")
            _, step = await self._engine.start(_SCRIPT, PlanRequest(plan="probe"))
        except StoreError as error:
            raise Refused(Code.STORE_AWAY, str(error)) from error
        except EngineOverloaded as error:
            raise Refused(Code.PLAN_OVERLOADED) from error
        except AppServerError as error:
            raise Refused(Code.PLAN_FAULTY, str(error)) from error
        if not isinstance(step, HostCall):
            raise Refused(Code.PLAN_FAILED)
