"""
Which server inside has the dialogue that a Request-URI names.
"""

from __future__ import annotations

from collections.abc import Mapping

from sipsorcery.access.dialogue_names import DialogueNames
from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.proxy.dispatch.dispatcher import Dispatcher
from sipsorcery.sip.uri import SIPURI


class Owners:
    """
    Finds the server for a URI.

    :param names: reads what application servers put into their Contacts.
    :param roles: where the servers inside are, by name. It may change.
    :param dispatcher: knows the application servers, if there are several.
    """

    def __init__(
        self,
        names: DialogueNames,
        roles: Mapping[str, Endpoint],
        dispatcher: Dispatcher | None = None,
    ) -> None:
        self._names = names
        self._roles = roles
        self._dispatcher = dispatcher

    def find(self, uri: SIPURI) -> Endpoint | None:
        """
        Give the server that has a dialogue, or the one that takes its place.

        The Contact of a server that gives its dialogues no names names itself.

        :return: None if the URI names no dialogue, or there is no such server.
        """
        name = self._names.read(uri.user)
        if name is None:
            return self._itself(uri)
        if self._dispatcher is not None:
            return self._dispatcher.stands_for(name.server, name.dialogue)
        if name.server in self._roles.values():
            return name.server
        # It was another one's, which is gone: any other has the records as well.
        return self._roles.get("appserver")

    def _itself(self, uri: SIPURI) -> Endpoint | None:
        if self._dispatcher is None or uri.port is None:
            return None
        host = uri.host.strip("[]")
        for transport in (Transport.UDP, Transport.TCP):
            server = Endpoint(transport, host, uri.port)
            if self._dispatcher.lists(server):
                return server
        return None
