"""
Metrics in the format of Prometheus.

Everything is collected when somebody asks: servers count in integers of their own and
know nothing of this.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.registry import Collector

from sipsorcery import __version__
from sipsorcery.monitor.figures import Figure, Histogram, Kind, Source, gauge

_PREFIX = "sipsorcery_"
_Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily


class Figures(Collector):
    """
    Collects the figures of servers.

    :param sources: by the name of the server.
    """

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = sources

    def collect(self) -> Iterable[_Family]:
        """
        Ask every server, and give what belongs together as one.
        """
        families: dict[str, _Family] = {}
        version = gauge("build_info", "The version.", 1, version=__version__)
        _add(families, version, {})
        for server, source in self._sources.items():
            for figure in source.figures():
                _add(families, figure, {"server": server})
        return families.values()


def make_registry(sources: Mapping[str, Source]) -> CollectorRegistry:
    """
    Make what knows all metrics of a process.
    """
    # Without names that are looked up in advance: that would ask every source now.
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figures(sources))
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    return registry


def _add(
    families: dict[str, _Family], figure: Figure, labels: Mapping[str, str]
) -> None:
    labels = {**labels, **figure.labels}
    family = families.get(figure.name)
    if family is None:
        family = families[figure.name] = _family(figure, [*labels])
    values: list[Any] = [*labels.values()]
    if isinstance(family, HistogramMetricFamily):
        assert isinstance(figure.value, Histogram)  # each name is of one kind
        buckets = [(_bound(bound), count) for bound, count in figure.value.buckets()]
        family.add_metric(values, buckets, figure.value.sum)
    else:
        assert not isinstance(figure.value, Histogram)  # likewise
        family.add_metric(values, figure.value)


def _family(figure: Figure, labels: list[str]) -> _Family:
    name = f"{_PREFIX}{figure.name}"
    if isinstance(figure.value, Histogram):
        return HistogramMetricFamily(f"{name}_seconds", figure.help, labels=labels)
    if figure.kind is Kind.COUNTER:
        return CounterMetricFamily(name, figure.help, labels=labels)
    return GaugeMetricFamily(name, figure.help, labels=labels)


def _bound(bound: float) -> str:
    return "+Inf" if bound == float("inf") else repr(bound)
