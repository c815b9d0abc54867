"""
REFER: asking somebody to call somebody (:rfc:`3515`, :rfc:`3892`, :rfc:`4488`).
"""

from __future__ import annotations

from dataclasses import dataclass

from sipsorcery.dialog.dialog import Dialog
from sipsorcery.dialog.notifier import Body, Notifier
from sipsorcery.dialog.refusal import FieldValue, Refusal
from sipsorcery.dialog.replaces import reference_to
from sipsorcery.dialog.routing import request_uri
from sipsorcery.dialog.sipfrag import SIPFRAG, write_sipfrag
from sipsorcery.sip.address import Address
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CSEQ, EVENT, REFER_SUB, REFER_TO, REFERRED_BY
from sipsorcery.sip.grammar import unescape
from sipsorcery.sip.parameterised import DialogReference, Event, Parameterised
from sipsorcery.sip.parameters import NONE, Parameters
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI, URI

#: The event package of the subscriptions that come with a REFER.
PACKAGE = "refer"
#: How long the sender is told what comes of it, unless it comes to an end: as long as a
#: phone may ring before Timer C of a proxy ends that.
EXPIRES = 180

_NO_SUBSCRIPTION = Parameterised("false")


@dataclass(frozen=True, slots=True)
class Refer:
    """
    What a REFER asks for.

    :ivar target: whom to call; without the method and the headers of the Refer-To.
    :ivar method: of the request to send; not everybody sends others than INVITE.
    :ivar replaces: the call that the new one replaces: the transfer is attended.
    :ivar referred_by: who asks, for the new request to say so.
    :ivar subscribes: whether the sender wants to be told what comes of it.
    """

    target: URI
    method: str = "INVITE"
    replaces: DialogReference | None = None
    referred_by: Address | None = None
    subscribes: bool = True

    @property
    def agreed(self) -> tuple[FieldValue, ...]:
        """
        Give the fields for the 2xx to the REFER.
        """
        return () if self.subscribes else ((REFER_SUB, _NO_SUBSCRIPTION),)


def read_refer(request: Request) -> Refer | Refusal:
    """
    Read what a REFER asks for.

    Of the headers in the Refer-To only Replaces is looked at: the others would be the
    words of the sender in the mouth of the receiver (:rfc:`3261#section-19.1.5`).

    :returns: or how to refuse it.
    """
    try:
        targets = request.all(REFER_TO)
        if len(targets) != 1:
            # "MUST contain exactly one Refer-To header field value" (RFC 3515, 2.4.1)
            return Refusal(400, f"{len(targets)} Refer-To fields")
        subscribes = request.get(REFER_SUB)
        referred_by = request.get(REFERRED_BY)
        uri = targets[0].uri
        method, replaces = "INVITE", None
        if isinstance(uri, SIPURI):
            method = uri.parameters.get("method") or method
            replaces = _replaces(uri)
    except ParseError as error:
        return Refusal.of(error)
    return Refer(
        target=request_uri(uri),
        method=method,
        replaces=replaces,
        referred_by=referred_by,
        subscribes=subscribes is None or subscribes.word.lower() != "false",
    )


def refer_fields(
    target: URI,
    *,
    replaced: Dialog | None = None,
    referred_by: Address | None = None,
    subscribes: bool = True,
) -> list[FieldValue]:
    """
    Give the fields of a REFER.

    :param target: whom to call.
    :param replaced: our own call with the target, for an attended transfer.
    """
    if replaced is not None and isinstance(target, SIPURI):
        header = ("Replaces", reference_to(replaced).escaped())
        target = target._replace(headers=(header,))
    fields: list[FieldValue] = [(REFER_TO, Address(target))]
    if referred_by is not None:
        fields.append((REFERRED_BY, referred_by))
    if not subscribes:
        fields.append((REFER_SUB, _NO_SUBSCRIPTION))
    return fields


def is_subscribed(response: Response) -> bool:
    """
    Tell whether a 2xx to our REFER has made a subscription (:rfc:`4488#section-4`).
    """
    try:
        agreed = response.get(REFER_SUB)
    except ParseError:
        return True
    return agreed is None or agreed.word.lower() != "false"


class ReferNotifier(Notifier):
    """
    The subscription that comes with a REFER, for who has received it.

    It tells by itself that the call is tried; all else is told by :meth:`progress`.
    """

    __slots__ = ("_fragment", "_ids")

    def __init__(
        self,
        dialog: Dialog,
        refer: Request,
        now: float,
        *,
        is_first: bool = True,
        expires: int = EXPIRES,
    ) -> None:
        """
        Begin when the REFER gets its 2xx.

        :param is_first: whether it is the first REFER in the dialog. The others have
            their number in the Event (:rfc:`3515#section-2.4.6`).
        """
        self._fragment = Body(SIPFRAG, write_sipfrag(100))  # the base tells it at once
        number = f"{refer[CSEQ].number}"
        event = Event(PACKAGE, NONE if is_first else Parameters([("id", number)]))
        self._ids = (None, number) if is_first else (number,)
        super().__init__(dialog, event, expires, now)

    def is_for(self, subscribe: Request) -> bool:
        """
        Tell whether a SUBSCRIBE of the peer is to refresh or to end this subscription.

        :raises ParseError: if it breaks the grammar.
        """
        event = subscribe.get(EVENT)
        return event is not None and event.package == PACKAGE and event.id in self._ids

    def progress(self, status: int, reason: str | None, now: float) -> None:
        """
        Tell a response to the request that was asked for; a final one ends it.

        :param reason: the phrase of the response, ``None`` for the usual one.
        """
        self._fragment = Body(SIPFRAG, write_sipfrag(status, reason))
        if status < 200:
            self.notify(self._fragment, now)
        else:
            self.terminate("noresource", now, body=self._fragment)

    def _want_state(self, now: float) -> None:
        self.notify(self._fragment, now)


def _replaces(uri: SIPURI) -> DialogReference | None:
    for name, value in uri.headers:
        if unescape(name).lower() == "replaces":
            return DialogReference.parse_escaped(value)
    return None
