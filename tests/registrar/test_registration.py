"""
Tests for `sipsorcery.registrar.registration`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.registrar.errors import Refused
from sipsorcery.registrar.registration import check_request, read_aor
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.request import Request
from tests.registrar.cases import PROXY_VIA, VIA, make_request, read

CONTACT = "<sip:bob@192.0.2.4>"
FLOW = f'{CONTACT};reg-id=1;+sip.instance="<urn:uuid:1>"'
OUTBOUND = ("Supported", "outbound, path")
TWO_VIAS = (PROXY_VIA, VIA)


class RegistrationCase(SynchronousTestCase):
    """
    Requests that cannot be read.
    """

    def assert_refused(
        self, status: int, request: Request, *, is_trusted: bool = False
    ) -> Refused:
        """
        Check that a request is refused for what it is.
        """
        refused: Refused = self.assertRaises(
            Refused, read, request, is_trusted=is_trusted
        )
        self.assertEqual(refused.status, status, refused)
        return refused


class RequestTests(RegistrationCase):
    """
    What can be said of a request before anybody is asked for.
    """

    def check(self, request: Request) -> Refused:
        """
        Give the refusal of a request.
        """
        refused: Refused = self.assertRaises(Refused, check_request, request)
        return refused

    def test_methods(self) -> None:
        """
        A registrar takes REGISTER and OPTIONS, and tells whoever sends something else.
        """
        for method in ("REGISTER", "OPTIONS"):
            check_request(make_request(method=method))
        for method in ("INVITE", "SUBSCRIBE", "register", "FOO"):
            refused = self.check(make_request(method=method))
            self.assertEqual(refused.status, 405)
            self.assertEqual(refused.fields, (("Allow", "REGISTER, OPTIONS"),))

    def test_require(self) -> None:
        """
        What a request requires and we do not know is named in the 420.
        """
        check_request(make_request(fields=[("Require", "path, Outbound, gruu")]))
        refused = self.check(make_request(fields=[("Require", "path, pref, foo")]))
        self.assertEqual(refused.status, 420)
        self.assertEqual(refused.fields, (("Unsupported", "pref, foo"),))

    def test_aor(self) -> None:
        """
        The To is the address-of-record: a SIP URI with a user.
        """
        aor = read_aor(make_request(to='"Bob" <sips:%62ob@Example.com:5061;x=y>'))
        self.assertEqual(aor.aor, "sips:bob@example.com")
        self.assert_refused(400, make_request(to="<sip:example.com>"))
        self.assert_refused(416, make_request(to="<tel:+15551234>"))

    def test_request_uri(self) -> None:
        """
        The Request-URI names a domain, and nobody in it (RFC 3261, 10.2).
        """
        self.assert_refused(400, make_request(uri="sip:bob@example.com"))
        self.assert_refused(416, make_request(uri="tel:+15551234"))


class ContactTests(RegistrationCase):
    """
    Contacts, their parameters and their limits.
    """

    def test_none(self) -> None:
        """
        Without contact the request only asks, whatever Expires says.
        """
        registration = read(make_request(expires=0))
        self.assertEqual(registration.contacts, ())
        self.assertFalse(registration.removes_all)

    def test_parameters(self) -> None:
        """
        What is not ours to change is kept as it is spelled; a GRUU that the phone sends
        back is ours.
        """
        contact = (
            f'"Bob" {CONTACT};Q=.70;expires=99;methods="INVITE,BYE";audio'
            ';pub-gruu="sip:bob@example.com;gr=1"'
        )
        (asked,) = read(make_request(contact)).contacts
        self.assertEqual(asked.text, "sip:bob@192.0.2.4")
        self.assertEqual((asked.q, asked.expires), (0.7, 99))
        self.assertEqual(asked.parameters, ';methods="INVITE,BYE";audio')

    def test_broken(self) -> None:
        """
        A contact that cannot be read fails the request.
        """
        for broken in ("<>", "bob", f"{CONTACT};q=2", f"{CONTACT};q=x", "<sip:a@b"):
            self.assertRaises(ParseError, read, make_request(broken))

    def test_gruu_as_contact(self) -> None:
        """
        A GRUU leads to a contact, so it cannot be one.
        """
        self.assert_refused(403, make_request("<sip:bob@example.com;gr=urn:uuid:1>"))

    def test_limits(self) -> None:
        """
        Nothing of a request can fill the store.
        """
        for text in (
            f"<sip:{'a' * 1100}@192.0.2.4>",
            f"{CONTACT};a={'b' * 2100}",
            f'{CONTACT};+sip.instance="{"c" * 300}"',
        ):
            self.assert_refused(400, make_request(text))
        self.assert_refused(400, make_request(CONTACT, call_id="d" * 300))
        self.assert_refused(403, make_request(*[CONTACT] * 21))
        agent = read(make_request(CONTACT, fields=[("User-Agent", "e" * 999)]))
        self.assertEqual(len(agent.user_agent), 128)


class PathTests(RegistrationCase):
    """
    The proxies that a REGISTER has passed (RFC 3327).
    """

    def test_order(self) -> None:
        """
        The nearest to us comes first, be they on one line or several.
        """
        fields = [("Path", "<sip:a@p1;lr>, <sip:p2;lr>"), ("Path", "<sip:p3;lr>")]
        path = read(make_request(CONTACT, fields=fields), is_trusted=True).path
        self.assertEqual(path, ("sip:a@p1;lr", "sip:p2;lr", "sip:p3;lr"))

    def test_phone_does_not_know(self) -> None:
        """
        A stranger's Path is refused where the phone does not say that it knows of such
        things (5.3); that of a proxy of ours is not, for most phones do not.
        """
        fields = [("Path", "<sip:p1;lr>")]
        refused = self.assert_refused(420, make_request(CONTACT, fields=fields))
        self.assertEqual(refused.fields[0][1], "path")
        both = [*fields, ("Supported", "path")]
        self.assertEqual(read(make_request(CONTACT, fields=both)).path, ("sip:p1;lr",))

    def test_limits(self) -> None:
        """
        A Path has proxies in it, and not too many.
        """
        for path in (
            ", ".join(["<sip:p;lr>"] * 11),
            "<tel:+1555>",
            f"<sip:{'a' * 1100}@p;lr>",
        ):
            request = make_request(CONTACT, fields=[("Path", path)])
            self.assert_refused(400, request, is_trusted=True)


class OutboundTests(RegistrationCase):
    """
    Whether a flow can be kept (RFC 5626, section 6).
    """

    def read(self, *contacts: str, **how: object) -> tuple[bool, list[int]]:
        """
        Tell whether there is one, and give the flows of the contacts.
        """
        request = make_request(*contacts, **how)  # type: ignore[arg-type]  # as given
        registration = read(request, is_trusted=True)
        return registration.wants_outbound, [e.reg_id for e in registration.contacts]

    def test_by_an_edge_proxy(self) -> None:
        """
        The first proxy, which is the last in the Path, has to know outbound.
        """
        path = ("Path", "<sip:inner;lr>, <sip:token@edge;lr;ob>")
        fields = [OUTBOUND, path]
        self.assertEqual(self.read(FLOW, fields=fields, vias=TWO_VIAS), (True, [1]))
        fields = [OUTBOUND, ("Path", "<sip:inner;lr;ob>, <sip:edge;lr>")]
        self.assert_refused(
            439, make_request(FLOW, fields=fields, vias=TWO_VIAS), is_trusted=True
        )

    def test_proxy_without_path(self) -> None:
        """
        A proxy that leaves no Path keeps no flows.
        """
        request = make_request(FLOW, fields=[OUTBOUND], vias=TWO_VIAS)
        self.assert_refused(439, request)

    def test_straight_to_us(self) -> None:
        """
        Without a proxy it is a registration like any other, unless outbound is a must.
        """
        self.assertEqual(self.read(FLOW, fields=[OUTBOUND]), (False, [0]))
        self.assert_refused(
            439, make_request(FLOW, fields=[("Require", "outbound")]), is_trusted=True
        )

    def test_no_flow(self) -> None:
        """
        A reg-id counts only with an instance, from a phone that knows outbound.
        """
        path = ("Path", "<sip:token@edge;lr;ob>")
        without_instance = f"{CONTACT};reg-id=1"
        for contact, fields in (
            (without_instance, [OUTBOUND, path]),
            (FLOW, [path]),
            (CONTACT, [OUTBOUND, path]),
        ):
            self.assertEqual(
                self.read(contact, fields=fields, vias=TWO_VIAS), (False, [0])
            )

    def test_one_at_a_time(self) -> None:
        """
        A request comes by one flow, so it registers one; it may end another.
        """
        other = FLOW.replace("reg-id=1", "reg-id=2")
        fields = [OUTBOUND, ("Path", "<sip:token@edge;lr;ob>")]
        request = make_request(FLOW, other, fields=fields, vias=TWO_VIAS)
        self.assert_refused(400, request, is_trusted=True)
        ending = f"{other};expires=0"
        self.assertEqual(
            self.read(FLOW, ending, fields=fields, vias=TWO_VIAS), (True, [1, 2])
        )

    def test_bad_reg_id(self) -> None:
        """
        A reg-id is a number from 1 on.
        """
        for bad in ("0", "x", "-1", str(2**31)):
            request = make_request(FLOW.replace("reg-id=1", f"reg-id={bad}"))
            self.assertRaises(ParseError, read, request)
