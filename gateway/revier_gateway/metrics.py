# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The gateway's figures as Prometheus reads them, taken when it asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from revier_gateway import __version__
from revier_gateway.alerts.rules import RULES
from revier_gateway.store import Store
from revier_gateway.view import View
from revier_gateway.watch.keeper import Keeper

# The view's counters are named `group.detail`: name of the metric, help, label of the detail.
GROUPS: dict[str, tuple[str, str, str]] = {
    "events": ("revier_events", "Events of ChirpStack taken", "event"),
    "published": ("revier_published", "What was published", "what"),
    "feed": ("revier_feed_messages", "Messages put into the outbox", "kind"),
    "ignored": ("revier_ignored_events", "Events without anything to publish", "reason"),
    "quarantined": ("revier_quarantined_events", "Events that went to quarantine", "reason"),
    "source": ("revier_source_messages", "Messages of a kind from ChirpStack's broker", "what"),
    "decoded": ("revier_decoded_payloads", "Payloads of a kind", "what"),
}


class Figures(Collector):
    def __init__(self, store: Store, view: View, keeper: Keeper) -> None:
        self._store = store
        self._view = view
        self._keeper = keeper

    def collect(self) -> Iterable[Metric]:
        yield _labelled("revier_gateway_info", "Version", "version", {__version__: 1})
        yield from _counters(self._view.counters())
        links = {name: float(state == "online") for name, state in self._view.links().items()}
        yield _labelled("revier_link_up", "Connected, and the source subscribed", "link", links)
        yield _gauge("revier_outbox_rows", "Messages that wait for the feed", self._store.waiting)
        yield self._assets()
        yield self._radio_gateways()
        yield from self._canary()
        raised = Counter(alert.rule for alert in self._keeper.alerts())
        alerts = {rule: float(raised[rule]) for rule in RULES}
        yield _labelled("revier_alerts", "Alerts that are raised", "rule", alerts)
        for name, ready in self._keeper.ready().items():
            yield _gauge(f"revier_{name}", "1: yes; all together make /readyz", float(ready))

    def _assets(self) -> Metric:
        family = GaugeMetricFamily(
            "revier_assets", "Assets by municipality, domain and state",
            labels=("ags", "domain", "state"),
        )  # fmt: skip
        counts = Counter(self._view.states())
        for labels, count in sorted(counts.items()):
            family.add_metric(labels, count)
        return family

    def _radio_gateways(self) -> Metric:
        family = CounterMetricFamily(
            "revier_radio_gateway_frames", "Frames that a radio gateway heard", labels=("id",)
        )
        for one in self._view.radio_gateways():
            family.add_metric((one.id,), one.frames)
        return family

    def _canary(self) -> Iterable[Metric]:
        canary = self._keeper.canary
        if canary.round_trip_s is not None and canary.back_ms is not None:
            name = "revier_canary_round_trip_seconds"
            yield _gauge(name, "Newest canary: outbox, feed and back", canary.round_trip_s)
            name = "revier_canary_back_timestamp_seconds"
            yield _gauge(name, "When a canary came back last", canary.back_ms / 1000)


def registry(store: Store, view: View, keeper: Keeper) -> CollectorRegistry:
    own = CollectorRegistry()
    own.register(Figures(store, view, keeper))
    ProcessCollector(registry=own)
    PlatformCollector(registry=own)
    return own


def _counters(counters: Mapping[str, int]) -> Iterable[Metric]:
    for group, (name, text, label) in GROUPS.items():
        family = CounterMetricFamily(name, text, labels=(label,))
        for key, value in counters.items():
            head, _, detail = key.partition(".")
            if head == group:
                family.add_metric((detail,), value)
        yield family


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value)


def _labelled(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=(label,))
    for detail, value in values.items():
        family.add_metric((detail,), value)
    return family
