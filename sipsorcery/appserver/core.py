"""
Whose call a request is: from one of our users, or to one of them. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.sip import grammar
from sipsorcery.sip.uri import SIPURI, URI, TelURI
from sipsorcery.store.directory.cdrs import Direction

#: The user part of a Request-URI that asks whether we are well, and calls nobody.
PROBE = "dispatcher"


@dataclass(frozen=True, slots=True)
class Intent:
    """
    What somebody wants of whom.

    :ivar direction: seen from the account: ``out`` has to prove who calls.
    :ivar username: of the account, escapes resolved; ``trunk.user`` among them.
    :ivar domain: the canonical name of its domain.
    """

    direction: Direction
    username: str
    domain: str


def is_probe(uri: URI) -> bool:
    """
    Tell whether a Request-URI asks whether we are well.
    """
    return isinstance(uri, SIPURI) and uri.user == PROBE


def judge(
    uri: URI,
    sender: URI,
    *,
    calling: str | None,
    called: str | None,
    is_trunk: bool,
) -> Intent:
    """
    Decide whose call it is.

    The From decides, not where a request came from; but a neighbour of ours is
    believed, and calls to us whomever it names.

    :param calling: the domain of ours that the From is of; None: it is of none, and a
        domain that stands for any host does not count.
    :param called: the domain of ours that the Request-URI is of.
    :param is_trunk: whether it came from a neighbour that the configuration names.
    :raises Refused: if it is nobody's.
    """
    if calling is not None and not is_trunk:
        return Intent(Direction.OUT, user_of(sender), calling)
    if called is None:
        raise Refused(Code.NOT_SERVED)
    username = user_of(uri)
    if not username:
        raise Refused(Code.NO_USER)
    return Intent(Direction.IN, username, called)


def host_of(uri: URI) -> str:
    """
    Give the host that a URI is of; "" if it is of none.

    A number is of no domain, unless it is local to one (:rfc:`3966#section-5.1.5`).
    """
    match uri:
        case SIPURI():
            return uri.host
        case TelURI():
            return uri.parameters.get("phone-context") or ""
    return ""


def user_of(uri: URI) -> str:
    """
    Give the user, or the number, of a URI with its escapes resolved.
    """
    match uri:
        case SIPURI():
            return grammar.unescape(uri.user or "")
        case TelURI():
            return uri.digits
    return ""
