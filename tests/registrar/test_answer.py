"""
Tests for `sipsorcery.registrar.answer`.
"""

from __future__ import annotations

from sipsorcery.registrar.answer import Answers, options
from sipsorcery.registrar.core import register
from sipsorcery.registrar.rules import Rules
from sipsorcery.sip.request import Request
from tests.registrar.cases import AOR, PROXY_VIA, VIA, CoreCase, make_request, read

INSTANCE = "<urn:uuid:1>"


class FixedGRUUs:
    """
    GRUUs that can be foretold.
    """

    def public(self, aor: str, instance: str) -> str:
        """
        Name both.
        """
        return f"{aor};gr={instance[1:-1]}"

    def temporary(self, aor: str, instance: str, call_id: str) -> str:
        """
        Name what it is for.
        """
        return f"sip:temporary.{call_id}@example.com;gr"


class AnswerTests(CoreCase):
    """
    The fields of a 200.
    """

    answers = Answers(FixedGRUUs())

    def answer(self, request: Request, rules: Rules = Rules()) -> list[tuple[str, str]]:  # noqa: B008  # frozen
        """
        Decide on a request, and write the answer.
        """
        asked = read(request, is_trusted=True)
        outcome = register(asked, self.bindings, rules, self.origin, self.now)
        self.bindings = outcome.bindings
        return self.answers.registered(AOR, asked, outcome, rules, self.now)

    def contacts(self) -> list[str]:
        """
        Give the contacts of the answer to who asks for them.
        """
        fields = self.answer(make_request(cseq=100))
        return [text for name, text in fields if name == "Contact"]

    def test_all_bindings(self) -> None:
        """
        All bindings are listed, as they were spelled, each with what it has left.
        """
        self.answer(make_request("<sip:bob@192.0.2.4>;q=0.70;audio", cseq=1))
        self.now += 1000.4
        contact = '<sip:%62ob@192.0.2.5>;methods="INVITE,BYE";expires=100'
        fields = self.answer(make_request(contact, cseq=2))
        self.assertEqual(
            [text for name, text in fields if name == "Contact"],
            [
                "<sip:bob@192.0.2.4>;audio;q=0.7;expires=2600",
                '<sip:%62ob@192.0.2.5>;methods="INVITE,BYE";expires=100',
            ],
        )

    def test_in_its_grace(self) -> None:
        """
        What has expired is not listed, though it can still be refreshed.
        """
        self.answer(make_request("<sip:bob@192.0.2.4>;expires=60"))
        self.now += 59.9
        self.assertEqual(self.contacts(), ["<sip:bob@192.0.2.4>;expires=1"])
        self.now += 0.1
        self.assertEqual(self.contacts(), [])
        self.assertEqual(len(self.bindings), 1)

    def test_own_contact_alone(self) -> None:
        """
        A phone that cannot bear others is told of its own contact, as it was granted;
        when it asks for all, of all.
        """
        self.answer(make_request("<sip:bob@192.0.2.4>", cseq=1))
        rules = Rules(max_expires=90, contact_list=False)
        fields = self.answer(make_request("<sip:bob@192.0.2.5>", cseq=2), rules)
        self.assertEqual(fields[0], ("Contact", "<sip:bob@192.0.2.5>;expires=90"))
        self.assertEqual([name for name, _ in fields], ["Contact", "Date"])
        fields = self.answer(make_request(cseq=3), rules)
        self.assertEqual([name for name, _ in fields], ["Contact", "Contact", "Date"])

    def test_date(self) -> None:
        """
        The Date is the time of the answer in GMT.
        """
        fields = dict(self.answer(make_request()))
        self.assertEqual(fields["Date"], "Tue, 14 Nov 2023 22:13:20 GMT")

    def test_path(self) -> None:
        """
        The Path comes back as it was (RFC 3327, 5.3).
        """
        path = "<sip:a@p1;lr;ob>, <sip:p2;lr>"
        fields = dict(self.answer(make_request(fields=[("Path", path)])))
        self.assertEqual(fields["Path"], path)

    def test_service_route(self) -> None:
        """
        The configured proxies are in the Service-Route (RFC 3608), if there are any.
        """
        self.assertNotIn("Service-Route", dict(self.answer(make_request())))
        self.answers = Answers(FixedGRUUs(), ["sip:p1;lr", "sip:p2;lr"])
        fields = dict(self.answer(make_request()))
        self.assertEqual(fields["Service-Route"], "<sip:p1;lr>, <sip:p2;lr>")

    def test_outbound(self) -> None:
        """
        A flow that is kept is confirmed, with how long it may be silent (RFC 5626, 6).
        """
        self.answers = Answers(FixedGRUUs(), flow_timer=77)
        fields = dict(
            self.answer(
                make_request(
                    f'<sip:bob@10.0.0.5>;reg-id=1;+sip.instance="{INSTANCE}"',
                    fields=[("Supported", "outbound"), ("Path", "<sip:t@p;lr;ob>")],
                    vias=[PROXY_VIA, VIA],
                )
            )
        )
        self.assertEqual((fields["Require"], fields["Flow-Timer"]), ("outbound", "77"))
        self.assertIn("reg-id=1", fields["Contact"])
        self.assertNotIn("Require", dict(self.answer(make_request())))

    def test_gruu(self) -> None:
        """
        Who knows GRUUs gets them, for each contact with an instance (RFC 5627).
        """
        phone = f'<sip:bob@192.0.2.4>;+sip.instance="{INSTANCE}"'
        request = make_request(
            phone, "<sip:bob@192.0.2.5>", call_id="c1", fields=[("Supported", "gruu")]
        )
        first, second = (t for name, t in self.answer(request) if name == "Contact")
        self.assertEqual(
            first,
            f'{phone};pub-gruu="{AOR};gr=urn:uuid:1"'
            ';temp-gruu="sip:temporary.c1@example.com;gr";expires=3600',
        )
        self.assertEqual(second, "<sip:bob@192.0.2.5>;expires=3600")
        self.assertEqual(len(self.bindings), 2)
        self.assertNotIn("gruu", self.contacts()[0])

    def test_options(self) -> None:
        """
        Who asks what we can is told.
        """
        self.assertEqual(
            options(),
            [("Allow", "REGISTER, OPTIONS"), ("Supported", "path, outbound, gruu")],
        )
