"""
What messages say about where the next ones of their dialog go.
"""

from __future__ import annotations

from sipsorcery.sip.address import Address
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CONTACT, RECORD_ROUTE
from sipsorcery.sip.message import Message
from sipsorcery.sip.request import Request
from sipsorcery.sip.uri import SIPURI, URI


def request_uri(uri: URI) -> URI:
    """
    Take away what may not be in a Request-URI (:rfc:`3261#section-19.1.1`).
    """
    if not isinstance(uri, SIPURI):
        return uri
    parameters = uri.parameters
    if "method" in parameters:
        parameters = parameters.remove("method")
    return uri._replace(parameters=parameters, headers=())


def is_strict(route: Address) -> bool:
    """
    Tell whether a route is a strict router, as those of :rfc:`2543`.
    """
    return isinstance(route.uri, SIPURI) and not route.uri.is_loose


def own_contact(request: Request) -> Address | None:
    """
    Give the Contact of a request of ours.
    """
    contact = request.get(CONTACT)
    return contact if isinstance(contact, Address) else None


def contact_uri(message: Message) -> SIPURI | None:
    """
    Give the URI of the Contact, the first one if some device sends several.

    :raises ParseError: if it is no SIP URI.
    """
    contacts = message.all(CONTACT)
    if not contacts:
        return None
    if isinstance(contacts[0], Address) and isinstance(contacts[0].uri, SIPURI):
        return contacts[0].uri
    raise ParseError("Contact is no SIP URI", partial=message)


def needed_contact_uri(message: Message) -> SIPURI:
    """
    Give the URI of the Contact, which must be there.

    :raises ParseError: also if it is missing.
    """
    uri = contact_uri(message)
    if uri is None:
        raise ParseError("missing Contact", partial=message)
    return uri


def record_route(message: Message) -> tuple[Address, ...]:
    """
    Give the Record-Route from the top down.

    :raises ParseError: if one of it is no SIP URI.
    """
    routes = message.all(RECORD_ROUTE)
    if not all(isinstance(route.uri, SIPURI) for route in routes):
        raise ParseError("Record-Route is no SIP URI", partial=message)
    return routes


def behind(proxy: SIPURI, routes: tuple[Address, ...]) -> tuple[Address, ...]:
    """
    Give a route set that begins at our own proxy, whatever the peer has made of it.

    A peer that answers without the Record-Route that it was sent, or with another one,
    would have us send to any address inside, past whoever looks at that.

    :param routes: what the peer's message says.
    """
    first = routes[0].uri if routes else None
    if isinstance(first, SIPURI) and (first.host, first.port) == (
        proxy.host,
        proxy.port,
    ):
        return routes
    return (Address(proxy),)


def needs_sips(request: Request) -> bool:
    """
    Tell whether the Contact of our response to *request* must be a sips URI.

    It must if the request was sent to one, and if the next hop back is one, be it a
    proxy or the peer itself (:rfc:`3261#section-12.1.1`).

    :raises ParseError: if the request breaks the grammar.
    """
    routes = record_route(request)
    next_hop = routes[0].uri if routes else contact_uri(request)
    return request.uri.scheme == "sips" or (
        next_hop is not None and next_hop.scheme == "sips"
    )
