"""
The side of the command.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.endpoints import UNIXClientEndpoint, connectProtocol
from twisted.internet.error import ConnectError
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

from sipsorcery.control.errors import ControlError, NotRunning
from sipsorcery.control.naming import short_name, socket_file

# Octets of an answer: the server is ours, yet a mistake has an end.
_MAX_ANSWER = 16 * 1024 * 1024
# Seconds that a busy server may take for its answer.
_PATIENCE = 30.0


async def ask(
    reactor: Any, data_dir: Path, role: str, verb: str, **arguments: Any
) -> Any:
    """
    Ask a running server.

    :return: the result.
    :raises NotRunning: if there is no such server now.
    :raises ControlError: with what it says, if it refuses.
    """
    asker = _Asker()
    try:
        with short_name(socket_file(data_dir, role)) as name:
            await connectProtocol(UNIXClientEndpoint(reactor, name), asker)
    except (ConnectError, OSError) as error:
        raise NotRunning(f"no {role} runs on '{data_dir}'") from error
    question = {"verb": verb, "arguments": arguments}
    asker.sendLine(json.dumps(question).encode("ascii"))
    try:
        answer = await asker.answer.addTimeout(_PATIENCE, reactor)
    except TimeoutError:
        raise ControlError(f"the {role} does not answer") from None
    finally:
        asker.close()
    if "error" in answer:
        raise ControlError(answer["error"])
    return answer["result"]


class _Asker(LineOnlyReceiver):
    """
    Waits for one answer.
    """

    delimiter = b"\n"
    MAX_LENGTH = _MAX_ANSWER

    def __init__(self) -> None:
        self.answer: Deferred[dict[str, Any]] = Deferred()

    def close(self) -> None:
        """
        Hang up.
        """
        assert self.transport is not None
        self.transport.loseConnection()

    def lineReceived(self, line: bytes) -> None:
        """
        Take the answer.
        """
        if not self.answer.called:
            self.answer.callback(json.loads(line))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Tell that there will be none.
        """
        if not self.answer.called:
            self.answer.errback(ControlError("the server has hung up"))
