"""
What SIP does about lost messages: transactions (:rfc:`3261#section-17`, 6026, 4320).

Four machines, one a module: client and server, for INVITE and for everything else. They
know no clock and no socket. Each is told what came and what time it is, says when it
wants to be told the time again, and hands back what is to be done as
`~sipsorcery.transaction.effects`. `sipsorcery.transport.transactions` drives them.
"""

from sipsorcery.transaction.errors import TransactionError, TransactionTimeout
from sipsorcery.transaction.invite_client import InviteClientTransaction
from sipsorcery.transaction.invite_server import InviteServerTransaction
from sipsorcery.transaction.non_invite_client import NonInviteClientTransaction
from sipsorcery.transaction.non_invite_server import NonInviteServerTransaction
from sipsorcery.transaction.state import State
from sipsorcery.transaction.timers import Timers

__all__ = [
    "InviteClientTransaction",
    "InviteServerTransaction",
    "NonInviteClientTransaction",
    "NonInviteServerTransaction",
    "State",
    "Timers",
    "TransactionError",
    "TransactionTimeout",
]
