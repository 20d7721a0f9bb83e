# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What is known of every asset's silence. Time is an argument; what must survive is `Memory`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

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
class Speaker:
    """A device, as far as it is heard."""

    last_ms: int | None = None
    habit: Habit | None = None
    path: tuple[str, ...] = ()  # the radio gateways that heard it last
    interval_s: float | None = None  # what follows from the habit, once somebody asked
    limits: Limits | None = None
    is_changed: bool = False  # something was learned of it that is not written yet


@dataclass(slots=True)
class Memory:
    """What a restart finds again."""

    devices: dict[str, Speaker] = field(default_factory=dict)  # by dev_eui
    radio_gateways: dict[str, int] = field(default_factory=dict)  # last_ms by name
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
        self.deafness = Deafness(memory.periods)
        self.first_ms = now_ms if memory.first_ms is None else memory.first_ms
        self._event_ms = now_ms
        self._changed: dict[str, Speaker] = {}  # by dev_eui
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
        self._work_out_anew()

    def set_profile(self, profile_s: Mapping[str, float]) -> None:
        self._profile_s = profile_s
        self._work_out_anew()

    def _work_out_anew(self) -> None:
        for speaker in self._devices.values():
            speaker.interval_s = speaker.limits = None

    # -- what happens

    def take(self, heard: AllHeard, now_ms: int) -> None:
        """A batch of events came, and these were heard in it."""
        self._event_ms = now_ms
        if self.deafness.cause(SOURCE) == SOURCE_SILENT:
            self.deafness.end(SOURCE, now_ms)
        known, paths = self._devices, heard.paths
        for dev_eui, (last_ms, frames) in heard.devices.items():
            speaker = known.get(dev_eui)
            if speaker is None:
                speaker = known[dev_eui] = Speaker()
            before_ms = speaker.last_ms
            if before_ms is None:
                speaker.last_ms = last_ms
            elif last_ms > before_ms:
                speaker.last_ms = last_ms
                self._learn(dev_eui, speaker, before_ms, frames)
            path = paths[dev_eui]
            if path != speaker.path:
                speaker.path = path
                self._note_change(dev_eui, speaker)
        for name, (last_ms, _) in heard.radio_gateways.items():
            if last_ms > self._radio_gateways.get(name, last_ms - 1):
                self._radio_gateways[name] = last_ms
                self.deafness.end(name, last_ms)

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
            speaker = self._heard_speaker(name)
            if speaker is None or self.standing(name, now_ms) is OFFLINE:
                continue
            interval_s = self._usual_s(name, speaker)
            everybody.append(interval_s)
            for gateway in speaker.path:
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
            gateway in self._speaker(period.dev_eui).path
            for period in self._period_by_asset.values()
        )

    # -- what is asked

    def standing(self, asset: str, now_ms: int) -> Standing:
        period = self._period_by_asset.get(asset)
        if period is None:
            return Standing("unknown", standings.NO_DEVICE)
        speaker = self._speaker(period.dev_eui)
        limits = speaker.limits or self.limits(asset)
        last_ms, path = speaker.last_ms, speaker.path
        if last_ms is None:
            return self._never_heard(period, limits, now_ms)
        silent_s = (now_ms - last_ms) / 1000
        if silent_s <= limits.late_after_s:
            return ONLINE
        deaf_s = length_ms(self.deafness.deaf(path, last_ms, now_ms)) / 1000
        cause = self.deafness.last_cause(path, last_ms, now_ms)
        return standings.standing(limits, silent_s, deaf_s, cause)

    def _never_heard(self, period: DevicePeriod, limits: Limits, now_ms: int) -> Standing:
        since_ms = max(unix_ms(period.since), self.first_ms)
        deaf_s = length_ms(self.deafness.deaf((), since_ms, now_ms)) / 1000
        return standings.never_heard(limits, (now_ms - since_ms) / 1000, deaf_s)

    def limits(self, asset: str) -> Limits:
        period = self._period_by_asset.get(asset)
        speaker = self._speaker(period.dev_eui) if period else Speaker()
        speaker.limits = standings.limits(self._profile(asset), speaker.habit)
        return speaker.limits

    def last_ms(self, asset: str) -> int | None:
        """When a frame of its device was heard last."""
        period = self._period_by_asset.get(asset)
        return self._speaker(period.dev_eui).last_ms if period else None

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

    def changed(self, limit: int) -> list[tuple[str, bytes, tuple[str, ...]]]:
        """dev_eui, habit, radio gateways of so many devices; call `written` when they are on the
        disk."""
        return [
            (dev_eui, bytes(speaker.habit or Habit()), speaker.path)
            for dev_eui, speaker in islice(self._changed.items(), limit)
        ]

    @property
    def changes(self) -> int:
        """Devices of which something was learned that is not written."""
        return len(self._changed)

    def written(self, dev_euis: Iterable[str]) -> None:
        for dev_eui in dev_euis:
            self._changed.pop(dev_eui).is_changed = False

    # -- inside

    def _learn(self, dev_eui: str, speaker: Speaker, before_ms: int, frames: int) -> None:
        if frames == 1 and self.deafness.touches(SOURCE, before_ms):
            return  # frames may be missing in between
        assert speaker.last_ms is not None
        if speaker.habit is None:
            speaker.habit = Habit()
        speaker.habit.note((speaker.last_ms - before_ms) / 1000 / frames)
        speaker.interval_s = speaker.limits = None
        self._note_change(dev_eui, speaker)

    def _note_change(self, dev_eui: str, speaker: Speaker) -> None:
        if not speaker.is_changed:
            speaker.is_changed = True
            self._changed[dev_eui] = speaker

    def _speaker(self, dev_eui: str) -> Speaker:
        """Of a device that was never heard, one that nobody keeps."""
        return self._devices.get(dev_eui) or Speaker()

    def _heard_speaker(self, asset: str) -> Speaker | None:
        period = self._period_by_asset.get(asset)
        speaker = self._devices.get(period.dev_eui) if period else None
        return speaker if speaker and speaker.last_ms is not None else None

    def _usual_s(self, asset: str, speaker: Speaker) -> float:
        known = speaker.interval_s
        if known is None:
            median_s = speaker.habit.median_s() if speaker.habit else None
            known = median_s or max(self._profile(asset), INTERVAL_UNKNOWN_S)
            speaker.interval_s = known
        return known

    def _profile(self, asset: str) -> float:
        record = self._inventory.asset(asset)
        return self._profile_s.get(record.kind, INTERVAL_UNKNOWN_S) if record else 0.0
