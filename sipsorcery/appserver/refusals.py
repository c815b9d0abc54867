"""
Why we refuse a call: one stable code for each reason. Pure.

The status says what a phone does about it, and the text tells people. The code is for
programs and for whoever searches a log: it stays what it is, whatever becomes of the
text. It stands in ``Reason`` and ``Warning`` of the response, and in the event.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from sipsorcery.access.overload import come_back_later
from sipsorcery.appserver.errors import AppServerError
from sipsorcery.dialog.refusal import FieldValue, Refusal
from sipsorcery.sip import grammar
from sipsorcery.sip.fields import REASON, WARNING
from sipsorcery.sip.parameterised import Reason
from sipsorcery.sip.parameters import Parameters
from sipsorcery.sip.scalars import WarningValue

# "399 Miscellaneous warning" (RFC 3261, 20.43): the others are about SDP and bandwidth.
_MISCELLANEOUS = 399
_AGENT = "sipsorcery"
# Characters of a text: those in front of people are short, and others write in them.
_MAX_TEXT = 128


class Code(StrEnum):
    """
    Name a reason to refuse.
    """

    NO_USER = "no-user"
    NOT_SERVED = "not-served"
    NO_ACCOUNT = "no-account"
    ACCOUNT_DISABLED = "account-disabled"
    NOT_ADMITTED = "not-admitted"
    OWNER_SUSPENDED = "owner-suspended"
    NO_PLAN = "no-plan"
    PLAN_MISSING = "plan-missing"
    PLAN_READ_ONLY = "plan-read-only"
    PLAN_EMPTY = "plan-empty"
    PLAN_FAULTY = "plan-faulty"
    PLAN_FAILED = "plan-failed"
    PLAN_LANGUAGE = "plan-language"
    PLAN_TIME = "plan-time"
    PLAN_OVERLOADED = "plan-overloaded"
    PLAN_REFUSED = "plan-refused"
    PLAN_ENDED = "plan-ended"
    RESTARTED = "restarted"
    DIAL_STRING = "dial-string"
    NOBODY_TO_CALL = "nobody-to-call"
    NOT_ANSWERED = "not-answered"
    HUNG_UP = "hung-up"
    METHOD = "method"
    MALFORMED = "malformed"
    BODY_TYPE = "body-type"
    URI_SCHEME = "uri-scheme"
    EXTENSION = "extension"
    SESSION_TIMER = "session-timer"
    LOOP = "loop"
    MERGED = "merged"
    HOPS = "hops"
    RINGING_AT_ONCE = "ringing-at-once"
    OUTSIDE_RATE = "outside-rate"
    OUTSIDE_AT_ONCE = "outside-at-once"
    TOLL = "toll"
    TOO_MANY_CALLS = "too-many-calls"
    OVERLOADED = "overloaded"
    STORE_AWAY = "store-away"
    TRANSFER_DISABLED = "transfer-disabled"
    TRANSFER_METHOD = "transfer-method"
    TRANSFER_TARGET = "transfer-target"
    TRANSFER_OWNER = "transfer-owner"
    TRANSFER_PENDING = "transfer-pending"
    NO_CALL = "no-call"
    FAULT = "fault"


#: The status and the text of each, where nobody knows it better.
USUAL: Mapping[Code, tuple[int, str]] = MappingProxyType(
    {
        Code.NO_USER: (484, "No user specified"),
        Code.NOT_SERVED: (404, "Domain not serviced"),
        Code.NO_ACCOUNT: (404, "There is no such account"),
        Code.ACCOUNT_DISABLED: (403, "SIP account disabled"),
        Code.NOT_ADMITTED: (403, "The account may not call"),
        Code.OWNER_SUSPENDED: (604, "User account is suspended"),
        Code.NO_PLAN: (480, "SIP account missing dialplan setting"),
        Code.PLAN_MISSING: (500, "Could not load dialplan"),
        Code.PLAN_READ_ONLY: (402, "The dialplan is read-only"),
        Code.PLAN_EMPTY: (500, "Dial plan script was empty"),
        Code.PLAN_FAULTY: (500, "Dial plan syntax error"),
        Code.PLAN_FAILED: (500, "Dial plan exception"),
        Code.PLAN_LANGUAGE: (500, "No engine for the language of the dialplan"),
        Code.PLAN_TIME: (480, "The dialplan has taken too long"),
        Code.PLAN_OVERLOADED: (503, "Too many dialplans wait for their turn"),
        Code.PLAN_REFUSED: (480, "The dialplan has refused the call"),
        Code.PLAN_ENDED: (480, "The dialplan has ended without an answer"),
        Code.RESTARTED: (503, "The server was restarted while it rang"),
        Code.DIAL_STRING: (500, "The dialplan has a faulty dial string"),
        Code.NOBODY_TO_CALL: (480, "There is nobody to call"),
        Code.NOT_ANSWERED: (480, "All forwards failed"),
        Code.HUNG_UP: (480, "The call was ended"),
        Code.METHOD: (405, "User has chosen not to accept request type"),
        Code.MALFORMED: (400, "The request breaks the grammar"),
        Code.BODY_TYPE: (415, "The body is of a type that is not known"),
        Code.URI_SCHEME: (416, "There is no way to call such a URI"),
        Code.EXTENSION: (420, "An extension is required that is not known"),
        Code.SESSION_TIMER: (422, "The session would have to be refreshed too often"),
        Code.LOOP: (482, "The dialplans call each other"),
        Code.MERGED: (482, "The call has come another way, too"),
        Code.HOPS: (483, "Too many hops"),
        Code.RINGING_AT_ONCE: (480, "More calls at once than ringing_at_once says"),
        Code.OUTSIDE_RATE: (403, "More to the outside than outside_calls says"),
        Code.OUTSIDE_AT_ONCE: (
            403,
            "More to the outside than outside_calls_at_once says",
        ),
        Code.TOLL: (403, "The number is closed"),
        Code.TOO_MANY_CALLS: (503, "Too many calls in a short time"),
        Code.OVERLOADED: (503, "There are too many calls"),
        Code.STORE_AWAY: (503, "A store is away"),
        Code.TRANSFER_DISABLED: (603, "Transfers are disabled on dialogue"),
        Code.TRANSFER_METHOD: (501, "Only calls can be asked for"),
        Code.TRANSFER_TARGET: (416, "There is no way to call that"),
        Code.TRANSFER_OWNER: (403, "The call is not yours to transfer"),
        Code.TRANSFER_PENDING: (491, "Somebody is being called for it already"),
        Code.NO_CALL: (481, "There is no such call"),
        Code.FAULT: (500, "Something is wrong here"),
    }
)


# Of these the caller hears when to come again.
_FOR_NOW = (Code.STORE_AWAY, Code.OVERLOADED, Code.PLAN_OVERLOADED, Code.TOO_MANY_CALLS)
# These speak of one server alone: another one can take the call.
_OF_SERVER = frozenset({*_FOR_NOW, Code.RESTARTED})
# What our user agent refuses by itself, by the status that it does so with.
_OF_STATUS = {
    400: Code.MALFORMED,
    405: Code.METHOD,
    415: Code.BODY_TYPE,
    416: Code.URI_SCHEME,
    420: Code.EXTENSION,
    422: Code.SESSION_TIMER,
    481: Code.NO_CALL,
    486: Code.NO_CALL,
    501: Code.METHOD,
    503: Code.OVERLOADED,
    603: Code.NO_CALL,
}


class Refused(AppServerError):
    """
    Ends a call that has not been answered.

    :ivar text: for people; goes into the reason phrase.
    :ivar more: further fields of the response.
    :ivar owner: the user whose call it would have been; "": nobody knows.
    """

    def __init__(
        self,
        code: Code,
        text: str = "",
        status: int | None = None,
        more: tuple[FieldValue, ...] = (),
        owner: str = "",
    ) -> None:
        usual_status, usual_text = USUAL[code]
        self.code = code
        self.status = usual_status if status is None else status
        self.text = text or usual_text
        self.more = more or ((come_back_later(),) if code in _FOR_NOW else ())
        self.owner = owner
        super().__init__(f"{self.status} {self.text} ({code})")

    @property
    def is_of_server(self) -> bool:
        """
        Whether another server may do better.
        """
        return self.code in _OF_SERVER

    @property
    def phrase(self) -> str:
        """
        The reason phrase: one line of no great length.
        """
        return "".join(filter(str.isprintable, self.text))[:_MAX_TEXT]

    @property
    def fields(self) -> tuple[FieldValue, ...]:
        """
        The fields that explain the response (:rfc:`3326`, :rfc:`3261#section-20.43`).
        """
        return (*explain(self.code, self.status, self.phrase), *self.more)


def of_user_agent(refusal: Refusal) -> Refused:
    """
    Give the reason for what our user agent has refused before there is a call.
    """
    code = _OF_STATUS.get(refusal.status, Code.FAULT)
    return Refused(code, refusal.text or "", refusal.status, refusal.fields)


def explain(code: Code, status: int, text: str) -> tuple[FieldValue, ...]:
    """
    Make the fields that say why a call is refused.
    """
    quoted = grammar.quote(str(code))
    reason = Reason("SIP", Parameters([("cause", str(status)), ("text", quoted)]))
    warning = WarningValue(_MISCELLANEOUS, _AGENT, f"{code}: {text}")
    return (REASON, reason), (WARNING, warning)
