"""
A leg to somebody who is no dialplan here: one call of our user agent.
"""

from __future__ import annotations

from sipsorcery.appserver.legs import Listener
from sipsorcery.appserver.resolution import Target
from sipsorcery.sdp import SessionDescription
from sipsorcery.sip.address import Address
from sipsorcery.sip.fields import CONTACT
from sipsorcery.sip.uri import SIPURI
from sipsorcery.ua import Account, CallCancelled, ClientCall, RequestFailed, UserAgent


class PlainLeg:
    """
    One leg.
    """

    def __init__(
        self,
        agent: UserAgent,
        target: Target,
        listener: Listener,
        proxy: SIPURI,
        name: str,
        description: SessionDescription | None,
    ) -> None:
        self._agent = agent
        self._target = target
        self._listener = listener
        self._proxy = target.route[0] if target.route else proxy
        self._name = name
        self._description = description
        self._call: ClientCall | None = None

    def start(self) -> None:
        """
        Call.
        """
        target = self._target
        name = self._name if target.sender_name is None else target.sender_name
        account = Account(
            Address(target.sender, name or None),
            None if target.credentials is None else target.credentials.password,
            username=None
            if target.credentials is None
            else target.credentials.username,
            realms=("*",),
            proxy=self._proxy,
        )
        self._call = self._agent.invite(target.uri, self._description, account=account)
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
            contacts: list[SIPURI] = []
            reason = str(error)
            if error.response is not None:
                reason = error.response.reason
                contacts = [
                    each.uri
                    for each in error.response.all(CONTACT)
                    if isinstance(each, Address) and isinstance(each.uri, SIPURI)
                ]
            self._listener.failed(error.status, reason, contacts)
        else:
            self._listener.answered(session, self._target)
