"""
The way out of one dial: which of its targets may be called, and until when it counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sipsorcery.appserver.dial.dialling import Answered, Result
from sipsorcery.appserver.dial.resolution import Target
from sipsorcery.appserver.limits.allowance import is_outside
from sipsorcery.appserver.limits.outside_calls import Counted, OutsideCalls
from sipsorcery.appserver.limits.tolls import Judgement
from sipsorcery.appserver.refusals import Code, Refused

# What opens the numbers of each judgement, in [limits] or for one user.
_KEYS: Mapping[Judgement, str] = {
    "foreign": "open_countries",
    "premium": "premium_numbers",
}


class Departure:
    """
    Watches over what one dial calls outside.

    :param calls: None: nobody counts.
    :param note: writes a line to the owner's monitor.

    :ivar refused: why something is not called; None: there is nothing.
    """

    def __init__(
        self, calls: OutsideCalls | None, owner: str, note: Callable[[str], None]
    ) -> None:
        self._calls = calls
        self._owner = owner
        self._note = note
        self._end: Counted | None = None
        self.refused: Refused | None = None

    @property
    def lease(self) -> str:
        """
        Under which it counts; "": it does not.
        """
        return "" if self._end is None else self._end.id

    async def admit(self, targets: Sequence[Target]) -> list[Target]:
        """
        Give those that may be called.

        :raises StoreError: if a store is away.
        """
        calls = self._calls
        if calls is None or not any(map(is_outside, targets)):
            return [*targets]
        allowance = await calls.allowance(self._owner)
        admitted: list[Target] = []
        for target in targets:
            judgement = allowance.judge(target)
            if judgement is None:
                admitted.append(allowance.limit(target))
                continue
            text = f"{judgement.title()} numbers are closed: {_KEYS[judgement]}"
            self.refused = Refused(Code.TOLL, text)
            self._note(f"leaves {target.uri} out: {self.refused.text}")
            calls.tell(self._owner, self.refused)
        if self._end is None and any(map(is_outside, admitted)):
            try:
                self._end = await calls.begin(self._owner, allowance)
            except Refused as refused:
                self.refused = refused
                self._note(f"leaves the outside out: {refused.text}")
                return [each for each in admitted if not is_outside(each)]
        return admitted

    def settle(self, result: Result) -> None:
        """
        Count it until the end of the call, if somebody outside has answered.
        """
        end = self._end
        if end is None:
            return
        if isinstance(result, Answered) and is_outside(result.target):
            self._end = None  # and so the call keeps nothing of the dial
            result.session.ended().addCallback(lambda ending: end())
        else:
            self.end()

    def end(self) -> None:
        """
        Count it no more.
        """
        end, self._end = self._end, None
        if end is not None:
            end()
