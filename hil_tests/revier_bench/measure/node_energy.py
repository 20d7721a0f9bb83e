# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""node-energy: charge of the three nodes by activity, and the years of each supply.

The shipped firmware runs on virtual boards; how long a wake, its light sleeps and its sensors'
supplies last, and how many bytes it sends, is recorded. Currents are constants of data sheets
(node_energy_table.py). Nobody answers: both receive windows run out after each uplink.

Judged: parking and waste live DESIGN_YEARS on one ER34615, at their usual interval and SF9. The air
node's fan needs a lamp-post or the sun at five minutes; its rows say the years of each interval.
A waste node without a thermostat looks for a fire every two minutes; it is printed beside.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from revier_bench import image
from revier_bench.chips.environments import Still
from revier_bench.measure import node_energy_table as table
from revier_bench.measure.sim_speed import joined_flash
from revier_bench.virtual_board import BoardSpec, Kernel, WiredBoard, build_board
from revier_bench.world.air import Emission, NullAir
from revier_mac.airtime import airtime_us
from revier_node import bin_watch

WATCHED = "waste without thermostat"
NODES = {  # name -> (kind, board)
    "air": ("air", "heltec_v3"),
    "parking": ("parking", "heltec_v3"),
    "waste": ("waste", "heltec_v3"),
    WATCHED: ("waste", "xiao_esp32s3_wio_sx1262"),
}
INTERVALS_S = {
    "air": (300, 900, 3_600),
    "parking": (3_600,),
    "waste": (1_800, 3_600),
    WATCHED: (1_800, 3_600),
}
USUAL_S = {"air": 300, "parking": 3_600, "waste": 1_800, WATCHED: 1_800}
ON_BATTERIES = ("parking", "waste")
SPREADING_FACTOR = 9  # between a near and a far radio gateway; 12 is printed beside
DAY_S = 86_400
EVENTS_PER_DAY = 20  # ten cars a day
VAIN_WAKES_PER_DAY = 20  # trams, neighbours: something moved, nothing changed
MEETINGS_PER_DAY = 2 * EVENTS_PER_DAY * 60 / 3_600  # an event within the minute of a heartbeat
_INTERVALS = 8
_SKIPPED = 4  # first start, wait after it, diagnosis
_NIGHT_US = 60_000_000
_CAR = (19.2, 1.0, 85.4)
_TRAM = (19.2, 1.0, 53.4)


@dataclass(slots=True)
class Recorded:
    """One wake. us; `frames`: bytes on the air of each uplink."""

    activity: str
    awake_us: int = 0
    light_us: int = 0
    powered_us: dict[str, int] = field(default_factory=dict)
    frames: list[int] = field(default_factory=list)

    def charge_mc(self, spreading_factor: int) -> dict[str, float]:
        """Part -> mC."""
        parts = {
            "boot and imports": table.BOOT_MC + table.CPU_MC,
            "waiting awake": self.awake_us * table.AWAKE_MA / 1e6,
            "light sleep": self.light_us * table.LIGHT_SLEEP_MA / 1e6,
        }
        for name, us in self.powered_us.items():
            parts[name] = us * table.SENSOR_MA[name] / 1e6
        symbol_us = sum((1 << sf) * 8 for sf in (spreading_factor, 12))
        for size in self.frames:
            air_us = airtime_us(size, spreading_factor, 125_000)
            parts["send"] = parts.get("send", 0.0) + air_us * table.TX_MA / 1e6
            listening = table.WINDOW_SYMBOLS * symbol_us * table.RX_MA / 1e6
            parts["listen"] = parts.get("listen", 0.0) + listening + table.RADIO_STANDBY_MC
        return parts


class _Recorder(NullAir):
    """What happens on one board, wake by wake."""

    def __init__(self) -> None:
        self.wakes: list[Recorded] = []
        self._now = Recorded("")
        self._begun_us = 0
        self._on_us: dict[str, int] = {}

    def watch(self, board: WiredBoard) -> None:
        board.on_boot = self._boot
        board.on_sleep = self._sleep
        board.on_light_sleep = self._light_sleep
        for name, chip in board.sensors.items():
            if name not in table.ALWAYS_ON:
                self._watch_power(name, chip)

    def _watch_power(self, name: str, chip: Any) -> None:
        power = chip.power

        def switched(on: bool, t_us: int) -> None:
            if on:
                self._on_us[name] = t_us
            elif name in self._on_us:
                spent_us = t_us - self._on_us.pop(name)
                self._now.powered_us[name] = self._now.powered_us.get(name, 0) + spent_us
            power(on, t_us)

        chip.power = switched

    def emit(self, emission: Emission) -> None:
        self._now.frames.append(len(emission.payload))

    def _boot(self, t_us: int, _cause: int) -> None:
        self._now, self._begun_us = Recorded(""), t_us

    def _light_sleep(self, t_us: int, begun_us: int) -> None:
        self._now.light_us += t_us - begun_us

    def _sleep(self, t_us: int, _asked_us: int) -> None:
        self._now.awake_us = t_us - self._begun_us - self._now.light_us
        self.wakes.append(self._now)


def record(node: str) -> list[Recorded]:
    """The usual wakes of one of NODES, named by what they are for."""
    kind, name = NODES[node]
    interval_us = USUAL_S[node] * 1_000_000
    environment = Still(changes_us=_bay(interval_us) if kind == "parking" else ())
    with tempfile.TemporaryDirectory(prefix="revier-node-energy-") as made:
        folder = Path(made)
        base = image.build(folder / "build")
        flash = joined_flash(kind, 1, folder, folder / "build", base, dev_nonce=1)
        config = f'{{"kind": "{kind}", "board": "{name}"}}'.encode()
        image.write_files(flash, {"/node.json": config}, folder / "build")
        with Kernel(build_dir=folder / "build") as kernel:
            spec = BoardSpec(
                name=kind,
                mac=bytes(6),
                flash_image=flash,
                work_dir=folder,
                kind=kind,
                board=name,
                sleep_clock_error_ppm=0,
                light_sleep_error_ppm=0,
            )
            recorder = _Recorder()
            board = build_board(kernel, spec, recorder, environment)
            recorder.watch(board)
            board.power_on()
            kernel.run_until(_INTERVALS * interval_us)
            if board.misuse:
                raise AssertionError(board.misuse[0])
    return [_named(kind, wake) for wake in recorder.wakes[_SKIPPED:]]


def _bay(interval_us: int) -> tuple[tuple[int, tuple[float, float, float]], ...]:
    """Cars that come and go half an hour after the heartbeats, and what only passes."""
    empty = (19.2, 1.0, 45.4)
    half_us = interval_us // 2
    return (
        (4 * interval_us + half_us, _CAR),
        (5 * interval_us + half_us, empty),
        (6 * interval_us + half_us, _TRAM),
        (6 * interval_us + half_us + _NIGHT_US, empty),
    )


def _named(kind: str, wake: Recorded) -> Recorded:
    if kind != "parking":
        wake.activity = "reading" if wake.frames else "look for a fire"
    elif not wake.frames:
        wake.activity = "wake in vain"
    elif len(wake.frames) > 1:
        wake.activity = "event again and heartbeat"
    else:
        wake.activity = "event or heartbeat"
    return wake


def usual(wakes: list[Recorded]) -> dict[str, Recorded]:
    """Of each activity the wake that costs most."""
    chosen: dict[str, Recorded] = {}
    for wake in wakes:
        before = chosen.get(wake.activity)
        cost = sum(wake.charge_mc(SPREADING_FACTOR).values())
        if before is None or cost > sum(before.charge_mc(SPREADING_FACTOR).values()):
            chosen[wake.activity] = wake
    return chosen


def per_day(kind: str, interval_s: int) -> dict[str, float]:
    """Activity -> times a day."""
    readings = DAY_S / interval_s
    if kind == "parking":
        both = readings + 2 * EVENTS_PER_DAY  # each goes out again: nobody answers
        return {
            "event or heartbeat": both - 2 * MEETINGS_PER_DAY,
            "event again and heartbeat": MEETINGS_PER_DAY,
            "wake in vain": VAIN_WAKES_PER_DAY,
        }
    if kind == WATCHED:
        return {"reading": readings, "look for a fire": DAY_S / bin_watch.WATCH_S - readings}
    return {"reading": readings}


def sleep_ua(kind: str) -> dict[str, float]:
    """Part -> uA, day and night."""
    parts = {
        "deep sleep": table.DEEP_SLEEP_UA,
        "carrier": table.CARRIER_UA,
        "radio asleep": table.RADIO_SLEEP_UA,
    }
    if kind == "parking":
        parts["lis2mdl"] = table.SENSOR_MA["lis2mdl"] * 1_000
    if kind in ("waste", WATCHED):
        parts["lis3dh"] = table.SENSOR_MA["lis3dh"] * 1_000
        parts["vl53l1x, standby"] = table.TOF_STANDBY_UA
    return parts


def daily_mah(
    kind: str, chosen: dict[str, Recorded], interval_s: int, spreading_factor: int
) -> dict[str, float]:
    """Activity or part -> mAh a day."""
    found = {part: ua * 24 / 1_000 for part, ua in sleep_ua(kind).items()}
    for activity, count in per_day(kind, interval_s).items():
        if activity not in chosen:
            raise AssertionError(f"{kind}: no wake recorded for {activity!r}")
        for part, mc in chosen[activity].charge_mc(spreading_factor).items():
            found[part] = found.get(part, 0.0) + count * mc / 3_600
    return found


def years(supply: table.Supply, mah_per_day: float) -> float:
    """Until the usable charge is gone, the cell's own loss beside it."""
    loss_per_day = supply.capacity_mah * supply.loss_per_year / 365.25
    return supply.capacity_mah * supply.usable / (mah_per_day + loss_per_day) / 365.25


def panel_w(mah_per_day: float) -> float:
    """Peak watts of a panel that carries the node through December."""
    watt_hours = mah_per_day * table.BATTERY_V / 1_000
    return watt_hours / table.SUN_HOURS / table.PANEL_EFFICIENCY


def dark_days(supply: table.Supply, mah_per_day: float) -> float:
    return supply.capacity_mah * supply.usable / mah_per_day


def _supply_row(kind: str, interval_s: int, spreading_factor: int, mah: float) -> dict[str, Any]:
    supplies = (table.ER34615, table.TWO_ER34615, table.LIFEPO4_6AH)
    lives = "; ".join(f"{years(supply, mah):.2f} y {supply.name}" for supply in supplies)
    dark = dark_days(table.LIFEPO4_6AH, mah)
    return {
        "node": kind,
        "what": f"every {interval_s // 60} min, SF{spreading_factor}",
        "mAh/day": round(mah, 2),
        "share or supplies": f"{lives}; panel {panel_w(mah):.2f} W, {dark:.0f} d without sun",
    }


def measure() -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    counts: dict[str, float] = {}
    for kind, intervals in INTERVALS_S.items():
        wakes = record(kind)
        counts[f"{kind}_wakes"] = len(wakes)
        chosen = usual(wakes)
        by_part = daily_mah(kind, chosen, USUAL_S[kind], SPREADING_FACTOR)
        total = sum(by_part.values())
        rows += [
            {
                "node": kind,
                "what": part,
                "mAh/day": round(mah, 3),
                "share or supplies": f"{100 * mah / total:.1f} %",
            }
            for part, mah in sorted(by_part.items(), key=lambda item: -item[1])
        ]
        for interval_s in intervals:
            for sf in (SPREADING_FACTOR, 12):
                mah = sum(daily_mah(kind, chosen, interval_s, sf).values())
                rows.append(_supply_row(kind, interval_s, sf, mah))
                if sf == SPREADING_FACTOR:
                    name = f"{kind}_{interval_s}s"
                    counts[f"{name}_mah_per_day"] = round(mah, 2)
                    counts[f"{name}_er34615_years"] = round(years(table.ER34615, mah), 2)
    mean_ua = {
        kind: counts[f"{kind}_{USUAL_S[kind]}s_mah_per_day"] / 24 * 1_000 for kind in ON_BATTERIES
    }
    budget_ua = table.budget_ua(table.ER34615)
    return {
        "name": "node-energy",
        "value": round(max(mean_ua.values())),
        "unit": "uA, mean at SF9 of a parking node with ten cars a day, or of a waste node",
        "budget": f"<= {budget_ua:.0f}: {table.DESIGN_YEARS} years of one ER34615",
        "holds": max(mean_ua.values()) <= budget_ua,
        "n": {**counts, **{f"{kind}_mean_ua": round(ua) for kind, ua in mean_ua.items()}},
        "peer": {"acconeer_a121_ground_radar_alone_ua": 75},
        "rows": rows,
    }
