# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The alerts, as a table. Each has its page in docs/runbooks/.

A rule finds its symptoms in the facts: subject and a number or a word that the text tells. What
raises an alert and what takes it back differ (hysteresis): `active` are the subjects for which the
rule has raised one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from revier_gateway.alerts.facts import Facts

Severity = Literal["critical", "warning"]
Symptoms = dict[str, str]  # subject ("" for the gateway itself): detail
Find = Callable[[Facts, frozenset[str]], Symptoms]

DISK_LOW_SHARE, DISK_ENOUGH_SHARE = 0.10, 0.12
DISK_FULL_BYTES, DISK_NOT_FULL_BYTES = 256 << 20, 512 << 20
OUTBOX_ROWS_MIN = 1000  # below this a backlog is a matter of a moment
QUARANTINED_MANY, QUARANTINED_FEW = 10, 3  # rows in an hour
CERTIFICATE_DAYS, CERTIFICATE_RENEWED_DAYS = 21.0, 28.0
CLOCK_OFF_S, CLOCK_RIGHT_S = 5.0, 3.0
BATTERY_RECOVERED_V = 0.1  # above the low voltage: what a node itself asks for


class Rule(msgspec.Struct, frozen=True):
    """explained_by: while one of these is there, this one is neither raised nor taken back."""

    name: str
    severity: Severity
    raise_after_s: float
    clear_after_s: float
    find: Find
    explained_by: tuple[str, ...] = ()


def _source_down(facts: Facts, _active: frozenset[str]) -> Symptoms:
    return _if(not facts.source_online, facts.source_reason)


def _source_silent(facts: Facts, _active: frozenset[str]) -> Symptoms:
    silent_s = facts.source_silent_s
    return {} if silent_s is None else {"": _span(silent_s)}


def _feed_down(facts: Facts, _active: frozenset[str]) -> Symptoms:
    return _if(not facts.feed_online, facts.feed_reason)


def _feed_refused(facts: Facts, _active: frozenset[str]) -> Symptoms:
    return _if(facts.feed_refused > 0, str(facts.feed_refused))


def _canary_lost(facts: Facts, _active: frozenset[str]) -> Symptoms:
    return {} if facts.canary_lost_s is None else {"": _span(facts.canary_lost_s)}


def _disk_low(facts: Facts, active: frozenset[str]) -> Symptoms:
    enough = DISK_ENOUGH_SHARE if active else DISK_LOW_SHARE
    return _if(facts.disk_free_share < enough, f"{100 * facts.disk_free_share:.0f} %")


def _disk_full(facts: Facts, active: frozenset[str]) -> Symptoms:
    enough = DISK_NOT_FULL_BYTES if active else DISK_FULL_BYTES
    free = f"{facts.disk_free_bytes / 1e6:.0f} MB"
    full = facts.store_fault != "" or facts.disk_free_bytes < enough
    return _if(full, f"{free} ({facts.store_fault})" if facts.store_fault else free)


def _outbox_growing(facts: Facts, active: frozenset[str]) -> Symptoms:
    rows = facts.outbox_rows
    grows = rows > facts.outbox_rows_before or (bool(active) and rows == facts.outbox_rows_before)
    return _if(rows >= OUTBOX_ROWS_MIN and grows, str(rows))


def _quarantine_growing(facts: Facts, active: frozenset[str]) -> Symptoms:
    many = QUARANTINED_FEW if active else QUARANTINED_MANY
    return _if(facts.quarantined >= many, str(facts.quarantined))


def _radio_gateway_offline(facts: Facts, _active: frozenset[str]) -> Symptoms:
    return {name: _span(silent_s) for name, silent_s in facts.radio_gateways_offline.items()}


def _asset_offline(facts: Facts, _active: frozenset[str]) -> Symptoms:
    return {
        name: "-" if silent_s is None else _span(silent_s)
        for name, silent_s in facts.assets_offline.items()
    }


def _battery_low(facts: Facts, active: frozenset[str]) -> Symptoms:
    return {
        name: f"{volts:.2f} V"
        for name, volts in facts.battery_v.items()
        if volts < facts.battery_low_v + (BATTERY_RECOVERED_V if name in active else 0.0)
    }


def _certificate_expiring(facts: Facts, active: frozenset[str]) -> Symptoms:
    return {
        name: f"{days:.0f} d"
        for name, days in facts.certificate_days.items()
        if days < (CERTIFICATE_RENEWED_DAYS if name in active else CERTIFICATE_DAYS)
    }


def _clock_skew(facts: Facts, active: frozenset[str]) -> Symptoms:
    ahead_s = facts.clock_ahead_s
    limit_s = CLOCK_RIGHT_S if active else CLOCK_OFF_S
    return {} if ahead_s is None else _if(abs(ahead_s) > limit_s, f"{ahead_s:+.0f} s")


def _inventory_wrong(facts: Facts, _active: frozenset[str]) -> Symptoms:
    return _if(facts.inventory_fault != "", facts.inventory_fault)


def _if(wrong: bool, detail: str) -> Symptoms:
    return {"": detail} if wrong else {}


def _span(seconds: float) -> str:
    """Coarse on purpose: a text that changes with every look would be another text."""
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} d"


_ALL = (
    Rule("source-down", "critical", 60, 60, _source_down),
    Rule("source-silent", "critical", 0, 60, _source_silent, ("source-down",)),
    Rule("feed-down", "critical", 60, 60, _feed_down),
    Rule("feed-refused", "warning", 0, 0, _feed_refused),
    Rule("canary-lost", "critical", 0, 60, _canary_lost, ("feed-down", "disk-full")),
    Rule("disk-low", "warning", 60, 60, _disk_low, ("disk-full",)),
    Rule("disk-full", "critical", 10, 60, _disk_full),
    Rule("outbox-growing", "warning", 300, 300, _outbox_growing, ("feed-down",)),
    Rule("quarantine-growing", "warning", 0, 0, _quarantine_growing),
    Rule(
        "radio-gateway-offline",
        "critical",
        0,
        60,
        _radio_gateway_offline,
        ("source-down", "source-silent"),
    ),
    Rule("asset-offline", "warning", 60, 0, _asset_offline, ("source-down", "source-silent")),
    Rule("battery-low", "warning", 0, 3600, _battery_low),
    Rule("certificate-expiring", "warning", 0, 0, _certificate_expiring),
    Rule("clock-skew", "warning", 600, 600, _clock_skew, ("source-down",)),
    Rule("inventory-wrong", "warning", 30, 0, _inventory_wrong),
)
RULES: Mapping[str, Rule] = {rule.name: rule for rule in _ALL}
