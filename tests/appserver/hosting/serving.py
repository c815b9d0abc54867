"""
All functions as a server puts them together.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail

from sipsorcery.appserver.hosting.assembly import make_functions
from sipsorcery.appserver.hosting.guest import Functions
from sipsorcery.config import parse
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI
from sipsorcery.ua import RequestFailed
from tests.appserver.hosting.cases import HostingCase
from tests.appserver.hosting.outside import FakeActions, naptr


class FakeAgent:
    """
    Sends nothing.

    :ivar sent: method, URI and the rest.
    :ivar answer: to each; None: there is none.
    """

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, dict[str, Any]]] = []
        self.answer: Response | None = Response(202, "Accepted")

    def request(self, method: str, uri: Any, **given: Any) -> Deferred[Response]:
        """
        Note a request, and answer it.
        """
        self.sent.append((method, str(uri), given))
        answer: Deferred[Response] = Deferred()
        if self.answer is None:
            return answer
        if self.answer.is_success:
            answer.callback(self.answer)
            return answer
        return fail(RequestFailed("refused", self.answer))


def all_functions(case: HostingCase) -> Functions:
    """
    Make them.
    """
    return make_functions(
        case.reactor,
        parse(b""),
        accounts=case.accounts,
        configured=case.configured,
        directory=case.directory,
        live=case.live,
        actions=FakeActions,
        agent=FakeAgent(),
        proxy=SIPURI("sip", None, "127.0.0.1", 5070),
        now=case.reactor.seconds,
        resolver=naptr({}),
    )
