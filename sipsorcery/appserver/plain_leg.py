"""
A leg to somebody who is no dialplan here: one call of our user agent.
"""

from __future__ import annotations

from sipsorcery.appserver.contacting import Contacts
from sipsorcery.appserver.legs import Errand, Listener
from sipsorcery.appserver.resolution import Target
from sipsorcery.sip.address import Address
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CONTACT
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI
from sipsorcery.ua import (
    Account,
    CallCancelled,
    ClientCall,
    Onward,
    RequestFailed,
    UserAgent,
)


class PlainLeg:
    """
    One leg.

    :param proxy: where every request of ours goes first.
    :param contacts: makes the Contact of the INVITE.
    """

    def __init__(
        self,
        agent: UserAgent,
        proxy: SIPURI,
        contacts: Contacts,
        errand: Errand,
        target: Target,
        listener: Listener,
    ) -> None:
        self._agent = agent
        self._target = target
        self._listener = listener
        self._proxy = target.route[0] if target.route else proxy
        self._errand = errand
        self._contact = contacts.towards(target.uri, errand.call, path=target.route)
        self._call: ClientCall | None = None

    def start(self) -> None:
        """
        Call.
        """
        target, errand = self._target, self._errand
        name = errand.name if target.sender_name is None else target.sender_name
        credentials = target.credentials
        account = Account(
            Address(target.sender, name or None),
            None if credentials is None else credentials.password,
            username=None if credentials is None else credentials.username,
            realms=("*",),
            proxy=self._proxy,
        )
        self._call = self._agent.invite(
            target.uri,
            errand.description,
            account=account,
            onward=Onward(contact=self._contact, hops=errand.hops),
        )
        self._agent.core.spawn(self._listen(self._call))

    def cancel(self) -> None:
        """
        Give up.
        """
        if self._call is not None:
            self._call.cancel()

    def abandon(self) -> None:
        """
        Give up.
        """
        self.cancel()

    async def _listen(self, call: ClientCall) -> None:
        async for response, session in call.progress:
            self._listener.progressed(response, session)
        try:
            session = await call.answered()
        except CallCancelled:
            self._listener.failed(487, "Request Terminated")
        except RequestFailed as error:
            final = error.response
            reason = str(error) if final is None else final.reason
            contacts = [] if final is None else _contacts(final)
            self._listener.failed(error.status, reason, contacts)
        else:
            self._listener.answered(session, self._target)


def _contacts(response: Response) -> list[SIPURI]:
    """
    List where a redirection leads, the best first.
    """
    try:
        found = [each for each in response.all(CONTACT) if isinstance(each, Address)]
        found.sort(key=lambda each: 1.0 if each.q is None else each.q, reverse=True)
    except ParseError:
        return []
    return [each.uri for each in found if isinstance(each.uri, SIPURI)]
