"""
Tests for :mod:`sipsorcery.appserver.python.values`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.plans.engine import PlanRequest
from sipsorcery.appserver.python.values import (
    field,
    make_inputs,
    to_object,
    to_value,
)


class LeavingTests(SynchronousTestCase):
    def test_plain(self) -> None:
        """
        Texts, numbers, truth values, None, lists and mappings leave a dialplan.
        """
        value = {"a": [1, 2.5, True, None, "x"]}
        self.assertEqual(to_value(value), value)
        self.assertEqual(to_value((1, 2)), [1, 2])

    def test_objects(self) -> None:
        """
        Nothing else does.
        """
        for each in (b"x", {1, 2}, object(), {1: 2}, [object()]):
            with self.assertRaises(TypeError):
                to_value(each)

    def test_bounds(self) -> None:
        """
        What is too large does not leave either.
        """
        deep: object = 1
        for _ in range(10):
            deep = [deep]
        for each in ("x" * 70_000, 10**20, list(range(2000)), deep):
            with self.assertRaises(ValueError):
                to_value(each)

    def test_no_numbers(self) -> None:
        """
        Nor does a number that is none: whoever compares it is told no each time.
        """
        for each in (float("nan"), float("inf"), [float("-inf")]):
            with self.assertRaises(ValueError):
                to_value(each)

    def test_shared(self) -> None:
        """
        What stands in it many times counts each time.
        """
        row: list[object] = [0] * 900
        for each in ([row, row], [row] * 900, {"a": row, "b": row}, ["x" * 60_000] * 2):
            with self.assertRaises(ValueError):
                to_value(each)
        whole: object = 0
        for _ in range(3):  # a billion, if somebody walked through it
            whole = [whole] * 1000
        with self.assertRaises(ValueError):
            to_value(whole)


class EnteringTests(SynchronousTestCase):
    def test_objects(self) -> None:
        """
        A mapping becomes an object of its class, and so does each in a list.
        """
        made = to_object({"status": 486, "reason": "Busy"}, "DialResult")
        self.assertEqual((made.value.status, made.value.reason), (486, "Busy"))
        self.assertIsNone(made.value.redirect_uri)
        many = to_object([{"username": "a"}, {"username": "b"}], "Account")
        self.assertEqual([each.value.username for each in many], ["a", "b"])

    def test_plain(self) -> None:
        """
        Where no class is declared, values stay what they are.
        """
        for value in (None, 3, "x", ["a"], {"a": 1}):
            self.assertEqual(to_object(value, ""), value)
        self.assertIsNone(to_object(None, "Contact"))


class RequestTests(SynchronousTestCase):
    def test_request(self) -> None:
        """
        A dialplan sees the request with its escapes resolved.
        """
        request = PlanRequest(
            uri="sip:1%2300@example.org:5070;user=phone",
            fields=(("From", '"Al" <sip:al@example.net>;tag=1'), ("X-A", "1")),
        )
        req = make_inputs(request)["req"].value
        uri = req.uri.value
        self.assertEqual((uri.user, uri.host, uri.port), ("1#00", "example.org", 5070))
        self.assertEqual(uri.parameters, {"user": "phone"})
        self.assertEqual((req.from_name, req.from_uri.value.user), ("Al", "al"))
        self.assertEqual(req.to_uri.value.user, "")
        self.assertEqual(field(request, "x-a"), "1")
        self.assertIsNone(field(request, "X-B"))

    def test_other_schemes(self) -> None:
        """
        A URI that is none of SIP shows what it has.
        """
        uri = make_inputs(PlanRequest(uri="tel:+15551234"))["req"].value.uri.value
        self.assertEqual((uri.scheme, uri.user, uri.host), ("tel", "+15551234", ""))

    def test_sys(self) -> None:
        """
        A dialplan knows whose it is, and which way the call goes.
        """
        request = PlanRequest(owner="joe", plan="main", direction="in")
        sys = make_inputs(request)["sys"].value
        self.assertEqual((sys.username, sys.dialplan_name), ("joe", "main"))
        self.assertEqual((sys.is_in, sys.is_out), (True, False))
