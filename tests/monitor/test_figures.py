"""
Tests for :mod:`sipsorcery.monitor.figures` and :mod:`sipsorcery.monitor.metrics`.
"""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery import __version__
from sipsorcery.appserver.counters import CallCounters
from sipsorcery.appserver.refusals import Code
from sipsorcery.monitor.figures import (
    FAST,
    Figure,
    Histogram,
    counter,
    gauge,
    of_tables,
    of_transport,
)
from sipsorcery.monitor.metrics import make_registry
from sipsorcery.transport.counters import Counters


class Told:
    """
    Tells the figures of a test.
    """

    def __init__(self, *figures: Figure) -> None:
        self.told = figures

    def figures(self) -> Iterator[Figure]:
        """
        Give them.
        """
        yield from self.told


def scrape(**sources: Told) -> dict[str, dict[tuple[str, ...], float]]:
    """
    Read what Prometheus would: values by name and the values of the labels, that of
    the server first.
    """
    text = generate_latest(make_registry(sources)).decode()
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for name, labels, value, *_ in family.samples:
            first = sorted(labels, key=lambda label: label != "server")
            found.setdefault(name, {})[*(labels[each] for each in first)] = value
    return found


class HistogramTests(SynchronousTestCase):
    """
    Values by their size.
    """

    @given(st.lists(st.floats(0, 10)))
    def test_buckets(self, values: list[float]) -> None:
        """
        Each bucket has all values up to its bound; the last has all that there are.
        """
        histogram = Histogram()
        for value in values:
            histogram.observe(value)
        buckets = histogram.buckets()
        for bound, count in buckets:
            self.assertEqual(count, sum(value <= bound for value in values))
        self.assertEqual(buckets[-1], (float("inf"), len(values)))
        self.assertAlmostEqual(histogram.sum, sum(values))
        self.assertEqual(len(buckets), len(FAST) + 1)


class MetricsTests(SynchronousTestCase):
    """
    Figures as Prometheus reads them.
    """

    def test_kinds(self) -> None:
        """
        Counters, gauges and histograms come as what they are, with the server's name
        and their labels.
        """
        histogram = Histogram((1.0, 2.0))
        histogram.observe(1.5)
        found = scrape(
            proxy=Told(counter("a", "A.", 3, method="INVITE"), gauge("b", "B.", 2)),
            registrar=Told(Figure("c", "C.", histogram)),
        )
        self.assertEqual(found["sipsorcery_a_total"], {("proxy", "INVITE"): 3})
        self.assertEqual(found["sipsorcery_b"], {("proxy",): 2})
        self.assertEqual(
            found["sipsorcery_c_seconds_bucket"],
            {
                ("registrar", "1.0"): 0,
                ("registrar", "2.0"): 1,
                ("registrar", "+Inf"): 1,
            },
        )
        self.assertEqual(found["sipsorcery_c_seconds_sum"], {("registrar",): 1.5})
        self.assertEqual(found["sipsorcery_build_info"], {(__version__,): 1})

    def test_same_name(self) -> None:
        """
        What several servers tell under one name is one family.
        """
        found = scrape(one=Told(gauge("a", "A.", 1)), two=Told(gauge("a", "A.", 2)))
        self.assertEqual(found["sipsorcery_a"], {("one",): 1, ("two",): 2})

    def test_process(self) -> None:
        """
        Memory, processor time and open files of the process come with it.
        """
        found = scrape()
        self.assertGreater(found["process_resident_memory_bytes"][()], 1e6)
        self.assertGreater(found["process_open_fds"][()], 2)

    def test_transport(self) -> None:
        """
        Requests count by method and responses by class, and no peer makes up labels.
        """
        counters = Counters()
        counters.methods["INVITE"] += 2
        counters.methods["other"] += 1
        counters.classes[4] += 3
        found = scrape(proxy=Told(*of_transport(counters)))
        requests = found["sipsorcery_requests_received_total"]
        self.assertEqual(len(requests), 15)
        self.assertEqual(requests["proxy", "INVITE"], 2)
        self.assertEqual(requests["proxy", "other"], 1)
        responses = found["sipsorcery_responses_received_total"]
        self.assertEqual(responses["proxy", "4xx"], 3)
        self.assertEqual(len(responses), 6)

    def test_tables(self) -> None:
        """
        Tables are one family, each with its name.
        """
        found = scrape(proxy=Told(*of_tables({"relays": 2, "connections": 0})))
        self.assertEqual(
            found["sipsorcery_table_entries"],
            {("proxy", "relays"): 2, ("proxy", "connections"): 0},
        )

    def test_calls(self) -> None:
        """
        Calls count by what becomes of them, with as many reasons as there are codes.
        """
        counters = CallCounters(started=3, answered=2, runs=4)
        counters.refused[Code.NO_PLAN] += 1
        counters.answering.observe(3)
        found = scrape(appserver=Told(*counters.figures(1, 2)))
        self.assertEqual(
            found["sipsorcery_calls"],
            {("appserver", "ringing"): 1, ("appserver", "established"): 2},
        )
        refused = found["sipsorcery_calls_refused_total"]
        self.assertEqual(refused["appserver", "no-plan"], 1)
        self.assertEqual(len(refused), len(Code))
        self.assertEqual(
            found["sipsorcery_call_answering_seconds_bucket"]["appserver", "4.0"], 1
        )
