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
from revier_gateway.view import View
from revier_gateway.watch.keeper import Keeper

# The view's counters are named `group.detail`: name of the metric, help, label of the detail.
GROUPS: dict[str, tuple[str, str, str]] = {
    "events": ("revier_events", "Events of ChirpStack taken", "event"),
    "published": ("revier_published", "What was published", "what"),
    "feed": ("revier_feed_messages", "Messages put into the outbox", "kind"),
    "ignored": ("revier_ignored_events", "Events without anything to publish", "reason"),
    "quarantined": ("revier_quarantined_events", "What went to quarantine", "reason"),
    "quarantine": ("revier_quarantine_left", "Rows that left quarantine", "what"),
    "source": ("revier_source_messages", "Messages of a kind from ChirpStack's broker", "what"),
    "decoded": ("revier_decoded_payloads", "Payloads of a kind", "what"),
    "gaps": ("revier_gaps", "Gaps declared and filled", "what"),
    "gaps.frames": ("revier_gap_frames", "Frames that were missing when declared", "cause"),
    "commands": ("revier_commands", "Commands made, and what became of them", "what"),
    "requests": ("revier_requests", "Requests over the feed's broker, of a kind", "what"),
}
# Counters with a name of their own.
ALONE: dict[str, tuple[str, str]] = {
    "feed.no_subscriber": (
        "revier_feed_unheard_messages", "Messages that the feed's broker took for no subscriber",
    ),
}  # fmt: skip
# Figures of the moment among the view's counters: name and help of the gauge.
FIGURES: dict[str, tuple[str, str]] = {
    "source.held_back": (
        "revier_source_held_back", "1: no event is taken, because the disk does not take it",
    ),
    "feed.catch_up_s_left": (
        "revier_feed_catch_up_left_seconds", "Until a long outbox is emptied; 0: there is none",
    ),
    "outbox.waiting": ("revier_outbox_rows", "Messages that wait for the feed"),
    "quarantine.waiting": ("revier_quarantine_rows", "Rows in quarantine now"),
}  # fmt: skip


class Figures(Collector):
    def __init__(self, view: View, keeper: Keeper) -> None:
        self._view = view
        self._keeper = keeper

    def collect(self) -> Iterable[Metric]:
        yield _labelled("revier_gateway_info", "Version", "version", {__version__: 1})
        counters = self._view.counters()
        yield from _counters(counters)
        for key, (name, text) in FIGURES.items():
            yield _gauge(name, text, counters.get(key, 0))
        links = {name: float(state == "online") for name, state in self._view.links().items()}
        yield _labelled("revier_link_up", "Connected, and the source subscribed", "link", links)
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


def registry(view: View, keeper: Keeper) -> CollectorRegistry:
    own = CollectorRegistry()
    own.register(Figures(view, keeper))
    ProcessCollector(registry=own)
    PlatformCollector(registry=own)
    return own


def _counters(counters: Mapping[str, int]) -> Iterable[Metric]:
    families = {
        group: CounterMetricFamily(name, text, labels=(label,))
        for group, (name, text, label) in GROUPS.items()
    }
    for key, value in counters.items():
        if key in ALONE or key in FIGURES:
            continue
        group, _, detail = key.rpartition(".")
        if group in families:
            families[group].add_metric((detail,), value)
    yield from families.values()
    for key, (name, text) in ALONE.items():
        yield CounterMetricFamily(name, text, counters.get(key, 0))


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value)


def _labelled(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=(label,))
    for detail, value in values.items():
        family.add_metric((detail,), value)
    return family
