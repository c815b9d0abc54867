"""
Asking several servers at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError, gatherResults

from sipsorcery.control.client import ask
from sipsorcery.control.errors import ControlError, NotRunning

# Seconds that one of several may take, on a machine that has too much to do: the others
# have answered, and somebody waits.
_PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Answers:
    """
    What servers have said, each by its name.

    :ivar given: their answers.
    :ivar missing: why there is none of the others. One that does not run is not there.
    """

    given: Mapping[str, Any] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)

    @property
    def complaint(self) -> str:
        """
        Say which are missing, in one line; empty: none.
        """
        return "; ".join(self.missing.values())


async def ask_all(
    reactor: Any, data_dir: Path, names: Iterable[str], verb: str, **arguments: Any
) -> Answers:
    """
    Ask servers, all at the same time.

    One that was killed, or hangs, keeps nobody from hearing the others.
    """
    given: dict[str, Any] = {}
    missing: dict[str, str] = {}

    async def ask_one(name: str) -> None:
        asked = Deferred.fromCoroutine(ask(reactor, data_dir, name, verb, **arguments))
        try:
            given[name] = await asked.addTimeout(_PATIENCE, reactor)
        except NotRunning:
            pass  # it was killed, and has left its socket
        except ControlError as error:
            missing[name] = str(error)
        except TimeoutError:
            missing[name] = f"the {name} does not answer"

    ordered = sorted(names)
    await gatherResults([Deferred.fromCoroutine(ask_one(each)) for each in ordered])
    return Answers(
        {name: given[name] for name in ordered if name in given},
        {name: missing[name] for name in ordered if name in missing},
    )
