"""
Tests for `sipsorcery.store.bindings`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.store.bindings import BINDINGS, GRACE, Bindings, make_record
from tests.access.cases import NOW, make_binding

AOR = "sip:bob@example.com"


class BindingsTests(SynchronousTestCase):
    """
    What is stored of an address-of-record.
    """

    def test_round_trip(self) -> None:
        """
        All that is known of a binding comes back from its record.
        """
        binding = make_binding(
            "sip:bob@10.0.0.5:4444",
            path=("sip:token@127.0.0.1:5059;lr;ob",),
            target="sip:bob@192.0.2.7:1024",
            parameters=';+sip.instance="<urn:uuid:1>";reg-id=2',
            q=0.5,
            instance="<urn:uuid:1>",
            reg_id=2,
            received="udp:192.0.2.7:1024",
            received_on="udp:203.0.113.1:5060",
            user_agent="phone/1",
            created=NOW - 5,
            keeps_alive=True,
        )
        bindings = Bindings((binding, make_binding("mailto:bob@example.com")))
        record = make_record(AOR, bindings, "joe")
        self.assertEqual(BINDINGS.read(record), bindings)
        self.assertEqual((record.kind, record.key), ("binding", AOR))
        self.assertEqual(record.owner, "joe")

    def test_current(self) -> None:
        """
        A binding holds for a moment longer than its expiry says, and no more.
        """
        bindings = Bindings((make_binding("sip:a@192.0.2.1", expiry=NOW),))
        self.assertEqual(len(bindings.current(NOW + GRACE - 0.1)), 1)
        self.assertEqual(bindings.current(NOW + GRACE), ())

    def test_record_lasts_as_long_as_its_last_binding(self) -> None:
        """
        The record expires with the last binding, and is due with the first.
        """
        one = make_binding("sip:a@192.0.2.1", expiry=NOW + 60)
        other = make_binding("sip:b@192.0.2.1", expiry=NOW + 90)
        record = make_record(AOR, Bindings((one, other)), "joe", 7)
        self.assertEqual(record.expiry, NOW + 90 + GRACE)
        self.assertEqual(record.due, NOW + 60 + GRACE)
        self.assertEqual(record.version, 7)

    def test_record_of_one_binding_is_not_due(self) -> None:
        """
        Nothing is due before the expiry of a record whose bindings end together.
        """
        record = make_record(AOR, Bindings((make_binding("sip:a@192.0.2.1"),)), "joe")
        self.assertIsNone(record.due)

    def test_flow_tokens(self) -> None:
        """
        A token is what a URI of the path has for a user; one without has none.
        """
        path = ("sip:127.0.0.1:5059;lr", "sips:AQEB@127.0.0.1;lr;ob", "sip:X@[::1];lr")
        binding = make_binding("sip:a@192.0.2.1", path=path)
        self.assertEqual(binding.flow_tokens, ("AQEB", "X"))
        self.assertEqual(make_binding("sip:a@192.0.2.1").flow_tokens, ())
