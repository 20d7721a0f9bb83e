# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What is known of every asset's silence. Time is an argument; what must survive is `Memory`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from revier_gateway.values import unix_ms
from revier_gateway.watch import ears
from revier_gateway.watch import standing as standings
from revier_gateway.watch.deafness import SOURCE, Deafness, Period, length_ms
from revier_gateway.watch.habit import Habit
from revier_gateway.watch.standing import (
    INTERVAL_UNKNOWN_S,
    OFFLINE,
    ONLINE,
    Limits,
    Standing,
)
from revier_gateway.work import AllHeard
from revier_inventory import DevicePeriod, Inventory

SOURCE_DOWN = "source_down"
SOURCE_SILENT = "source_silent"
GATEWAY_STOPPED = "gateway_stopped"
ASSETS_PER_STEP = 50  # 1 to 2 ms
RADIO_GATEWAY_OFFLINE = "radio_gateway_offline"


def radio_gateway_cause(gateway_id: str) -> str:
    return f"{RADIO_GATEWAY_OFFLINE}:{gateway_id}"


@dataclass(slots=True)
class Memory:
    """What a restart finds again."""

    devices: dict[str, int] = field(default_factory=dict)  # last_ms by dev_eui
    radio_gateways: dict[str, int] = field(default_factory=dict)  # last_ms by name
    habits: dict[str, Habit] = field(default_factory=dict)  # by dev_eui
    paths: dict[str, tuple[str, ...]] = field(default_factory=dict)  # radio gateways by dev_eui
    periods: list[Period] = field(default_factory=list)
    first_ms: int | None = None  # when this gateway listened first
    alive_ms: int | None = None  # when it did last


class AssetWatch:
    def __init__(
        self, inventory: Inventory, profile_s: Mapping[str, float], memory: Memory, now_ms: int
    ) -> None:
        """profile_s: the reporting interval of each kind of asset."""
        self._profile_s = profile_s
        self._devices = memory.devices
        self._radio_gateways = memory.radio_gateways
        self._habits = memory.habits
        self._paths = memory.paths
        self.deafness = Deafness(memory.periods)
        self.first_ms = now_ms if memory.first_ms is None else memory.first_ms
        self._event_ms = now_ms
        self._interval_s: dict[str, float] = {}  # by dev_eui, until it learns more
        self._limits: dict[str, Limits] = {}  # by dev_eui, too
        self.changed: set[str] = set()  # devices of which something was learned
        self.deafness.end(SOURCE, now_ms if memory.alive_ms is None else memory.alive_ms)
        if memory.alive_ms is not None and memory.alive_ms < now_ms:
            self.deafness.begin(SOURCE, GATEWAY_STOPPED, memory.alive_ms)
        else:
            self.deafness.begin(SOURCE, SOURCE_DOWN, now_ms)
        self.set_inventory(inventory)

    def set_inventory(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._period_by_asset = {
            period.asset: period for period in inventory.periods if period.until is None
        }
        self._limits.clear()

    def set_profile(self, profile_s: Mapping[str, float]) -> None:
        self._profile_s = profile_s
        self._limits.clear()
        self._interval_s.clear()

    # -- what happens

    def take(self, heard: AllHeard, now_ms: int) -> None:
        """A batch of events came, and these were heard in it."""
        self._event_ms = now_ms
        if self.deafness.cause(SOURCE) == SOURCE_SILENT:
            self.deafness.end(SOURCE, now_ms)
        known = self._devices
        for dev_eui, (last_ms, frames) in heard.devices.items():
            before_ms = known.get(dev_eui)
            if before_ms is None:
                known[dev_eui] = last_ms
            elif last_ms > before_ms:
                known[dev_eui] = last_ms
                self._learn(dev_eui, before_ms, last_ms, frames)
        for name, (last_ms, _) in heard.radio_gateways.items():
            if last_ms > self._radio_gateways.get(name, last_ms - 1):
                self._radio_gateways[name] = last_ms
                self.deafness.end(name, last_ms)
        for dev_eui, gateways in heard.paths.items():
            if self._paths.get(dev_eui) != gateways:
                self._paths[dev_eui] = gateways
                self.changed.add(dev_eui)

    def source(self, online: bool, now_ms: int) -> None:
        self._event_ms = now_ms
        if online:
            self.deafness.end(SOURCE, now_ms)
        else:
            self.deafness.begin(SOURCE, SOURCE_DOWN, now_ms)

    def look(self, now_ms: int) -> None:
        """Find out what is silent because nobody hears it."""
        for _ in self.steps(now_ms):
            pass

    def steps(self, now_ms: int) -> Iterator[None]:
        """look, in steps between which other work may go on."""
        if self.deafness.cause(SOURCE):
            return
        by_gateway: dict[str, list[float]] = defaultdict(list)
        everybody = []
        for number, name in enumerate(tuple(self._period_by_asset)):
            if number % ASSETS_PER_STEP == ASSETS_PER_STEP - 1:
                yield
            device = self._heard_device(name)
            if device is None or self.standing(name, now_ms) is OFFLINE:
                continue
            interval_s = self._usual_s(name, device)
            everybody.append(interval_s)
            for gateway in self._paths.get(device, ()):
                by_gateway[gateway].append(interval_s)
        if ears.is_deaf(everybody, (now_ms - self._event_ms) / 1000):
            self.deafness.begin(SOURCE, SOURCE_SILENT, self._event_ms)
            return
        self._look_at_radio_gateways(by_gateway, now_ms)

    def _look_at_radio_gateways(self, by_gateway: Mapping[str, list[float]], now_ms: int) -> None:
        for gateway in self.silent_radio_gateways(now_ms):
            if not self._is_needed(gateway):
                self.deafness.end(gateway, now_ms)
        for gateway, intervals_s in by_gateway.items():
            last_ms = self._radio_gateways.get(gateway)
            if last_ms is None or self.deafness.cause(gateway):
                continue
            silent_ms = now_ms - last_ms - length_ms(self.deafness.deaf((), last_ms, now_ms))
            if ears.is_deaf(intervals_s, silent_ms / 1000):
                self.deafness.begin(gateway, radio_gateway_cause(gateway), last_ms)

    def _is_needed(self, gateway: str) -> bool:
        """Was any asset's device heard by it last? A mast that was taken down is missed by nobody
        once other radio gateways hear its nodes."""
        return any(
            gateway in self._paths.get(period.dev_eui, ())
            for period in self._period_by_asset.values()
        )

    # -- what is asked

    def standing(self, asset: str, now_ms: int) -> Standing:
        period = self._period_by_asset.get(asset)
        if period is None:
            return Standing("unknown", standings.NO_DEVICE)
        device = period.dev_eui
        limits = self._limits.get(device) or self.limits(asset)
        last_ms = self._devices.get(device)
        if last_ms is None:
            return self._never_heard(period, limits, now_ms)
        silent_s = (now_ms - last_ms) / 1000
        if silent_s <= limits.late_after_s:
            return ONLINE
        gateways = self._paths.get(device, ())
        deaf_s = length_ms(self.deafness.deaf(gateways, last_ms, now_ms)) / 1000
        cause = self.deafness.last_cause(gateways, last_ms, now_ms)
        return standings.standing(limits, silent_s, deaf_s, cause)

    def _never_heard(self, period: DevicePeriod, limits: Limits, now_ms: int) -> Standing:
        since_ms = max(unix_ms(period.since), self.first_ms)
        deaf_s = length_ms(self.deafness.deaf((), since_ms, now_ms)) / 1000
        return standings.never_heard(limits, (now_ms - since_ms) / 1000, deaf_s)

    def limits(self, asset: str) -> Limits:
        period = self._period_by_asset.get(asset)
        habit = self._habits.get(period.dev_eui) if period else None
        found = standings.limits(self._profile(asset), habit)
        if period is not None:
            self._limits[period.dev_eui] = found
        return found

    def last_ms(self, asset: str) -> int | None:
        """When a frame of its device was heard last."""
        period = self._period_by_asset.get(asset)
        return self._devices.get(period.dev_eui) if period else None

    def silent_s(self, asset: str, now_ms: int) -> float | None:
        """Since its last frame; None: never heard."""
        last_ms = self.last_ms(asset)
        return None if last_ms is None else (now_ms - last_ms) / 1000

    def source_silent_s(self, now_ms: int) -> float | None:
        """Since the last event, where that is too long."""
        silent = self.deafness.cause(SOURCE) == SOURCE_SILENT
        return (now_ms - self._event_ms) / 1000 if silent else None

    def silent_radio_gateways(self, now_ms: int) -> dict[str, float]:
        """Those that should hear something and do not: silent for s."""
        return {
            period.scope: (now_ms - period.from_ms) / 1000
            for period in self.deafness.periods()
            if period.until_ms is None and period.scope != SOURCE
        }

    def remembered(self, dev_euis: Iterable[str]) -> list[tuple[str, bytes, tuple[str, ...]]]:
        """dev_eui, habit, radio gateways."""
        return [
            (dev_eui, bytes(self._habits.get(dev_eui, Habit())), self._paths.get(dev_eui, ()))
            for dev_eui in dev_euis
        ]

    # -- inside

    def _learn(self, dev_eui: str, before_ms: int, last_ms: int, frames: int) -> None:
        if frames == 1 and self.deafness.touches(SOURCE, before_ms):
            return  # frames may be missing in between
        self._habits.setdefault(dev_eui, Habit()).note((last_ms - before_ms) / 1000 / frames)
        self._interval_s.pop(dev_eui, None)
        self._limits.pop(dev_eui, None)
        self.changed.add(dev_eui)

    def _heard_device(self, asset: str) -> str | None:
        period = self._period_by_asset.get(asset)
        heard = period is not None and period.dev_eui in self._devices
        return period.dev_eui if period is not None and heard else None

    def _usual_s(self, asset: str, dev_eui: str) -> float:
        known = self._interval_s.get(dev_eui)
        if known is None:
            habit = self._habits.get(dev_eui)
            median_s = habit.median_s() if habit else None
            known = median_s or max(self._profile(asset), INTERVAL_UNKNOWN_S)
            self._interval_s[dev_eui] = known
        return known

    def _profile(self, asset: str) -> float:
        record = self._inventory.asset(asset)
        return self._profile_s.get(record.kind, INTERVAL_UNKNOWN_S) if record else 0.0
