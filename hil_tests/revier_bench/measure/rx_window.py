# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""rx-window: how exactly the firmware opens its receive windows, and for how long.

The reference is the chip model's own end of the transmission; the opening is its receiver being on,
after BUSY, TCXO and PLL. The error is the opening minus the time that the MAC asked for. Nodes of
every data rate send; nobody answers, so both windows run out. `awake`: the light sleep between the
windows is exact; `light sleep`: its clock errs by up to 1,000 ppm as calibrated, and jitters. Calls
cost what costs.CHIP says, and three times that.

Nobody answers, so the nodes also try to join anew. A join accept is due after 5 s, when a light
sleep that errs by 1,000 ppm is 5 ms off; the MAC widens its windows by that. Those windows are
printed in rows of their own and not judged.
"""

from __future__ import annotations

import re
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from revier_bench import image
from revier_bench.chips.environments import Still
from revier_bench.chips.lora_modem import LoraModem
from revier_bench.measure.sim_speed import joined_flash
from revier_bench.virtual_board import BoardSpec, Kernel, build_board
from revier_bench.virtual_board.costs import CHIP
from revier_bench.world.air import NullAir
from revier_mac.airtime import DATA_RATES, symbol_us, window

BUDGET_AWAKE_US = 1_000
BUDGET_LIGHT_US = 3_000
BUDGET_SF7_US = 16_000
BUDGET_SF12_US = 197_000
UPLINKS = 90  # of each data rate in each setting
INTERVAL_US = 3_600_000_000  # parking heartbeat
_SETTINGS = (("awake", 0, 1), ("awake", 0, 3), ("light sleep", None, 1), ("light sleep", None, 3))


@dataclass(frozen=True, slots=True)
class Opening:
    """One window as the chip had it; times in us."""

    number: int
    error_us: int
    on_us: int
    spreading_factor: int
    join: bool = False


class Watch:
    """Looks on while a modem transmits and listens."""

    def __init__(self, modem: LoraModem, asked: tuple[int, int]) -> None:
        self.openings: list[Opening] = []
        self._error = asked
        self._end_us = self._from_us = 0
        self._number = 0
        self._join = False
        self._modem = modem
        self._emit, self._listen, self._silent = modem.emit, modem.listen, modem.no_preamble
        modem.emit = self._emitted  # type: ignore[method-assign]
        modem.listen = self._listened  # type: ignore[method-assign]
        modem.no_preamble = self._over  # type: ignore[method-assign]

    def _emitted(self, emission: Any) -> None:
        self._end_us, self._number = emission.end_us, 0
        self._join = emission.payload[0] == 0  # MHDR
        self._emit(emission)

    def _listened(self, from_us: int, symbols: int, continuous: bool) -> None:
        self._from_us = from_us
        self._number += 1
        self._listen(from_us, symbols, continuous)

    def _over(self) -> None:
        """The window ran out."""
        now = self._modem.set
        delay_us = (self._number + 4 * self._join) * 1_000_000  # JOIN_ACCEPT_DELAY1 5 s
        fixed_us, ppm = self._error
        error_us = fixed_us + delay_us * ppm // 1_000_000
        _, offset_us = window(symbol_us(now.spreading_factor, now.bandwidth_hz), error_us)
        asked_us = self._end_us + delay_us + offset_us
        on_us = self._modem.chip.host.now_us - self._from_us
        self.openings.append(
            Opening(self._number, self._from_us - asked_us, on_us, now.spreading_factor, self._join)
        )
        self._silent()


def clock_error(firmware_dir: Path = image.FIRMWARE_DIR) -> tuple[int, int]:
    """(us, ppm) that the firmware gives its MAC, read from radio.py."""
    text = (firmware_dir / "revier_node" / "radio.py").read_text()
    found = [
        int(value.replace("_", ""))
        for name in ("CLOCK_ERROR_US", "CLOCK_ERROR_PPM")
        for value in re.findall(rf"^{name} = const\(([\d_]+)\)", text, re.MULTILINE)
    ]
    return found[0], found[1]


def watch(light_sleep_error_ppm: int | None, factor: int, uplinks: int) -> list[Opening]:
    """Openings of joined nodes, one for each data rate, that send an uplink an hour."""
    with tempfile.TemporaryDirectory(prefix="revier-rx-window-") as name:
        folder = Path(name)
        build_dir = folder / "build"
        base = image.build(build_dir)
        asked = clock_error()
        watches = []
        with Kernel(build_dir=build_dir) as kernel:
            for dr in range(6):
                spec = BoardSpec(
                    name=f"dr{dr}",
                    mac=dr.to_bytes(6, "big"),
                    flash_image=joined_flash("parking", dr, folder, build_dir, base, dr),
                    work_dir=folder,
                    kind="parking",
                    light_sleep_error_ppm=light_sleep_error_ppm,
                    costs=CHIP.times(factor),
                    seed=f"{light_sleep_error_ppm} {factor}",
                )
                board = build_board(kernel, spec, NullAir(), Still())
                watches.append(Watch(board.radio.modem, asked))
                board.at(dr * INTERVAL_US // 6, board.power_on)
            kernel.run_until((uplinks + 1) * INTERVAL_US)
        return [opening for one in watches for opening in one.openings]


def percentile(values: Sequence[int], percent: int) -> int:
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


def row(name: str, factor: int, openings: Sequence[Opening]) -> dict[str, Any]:
    errors = [abs(one.error_us) for one in openings]
    return {
        "setting": f"{name}, costs x {factor}",
        "windows": len(openings),
        "p50_us": round(statistics.median(errors)),
        "p99_us": percentile(errors, 99),
        "max_us": max(errors),
        "late_p50_us": round(statistics.median(one.error_us for one in openings)),
    }


def longest_us(openings: Sequence[Opening], spreading_factor: int, number: int) -> int:
    """The longest empty window of this kind, 0 if there was none."""
    on = [
        one.on_us
        for one in openings
        if one.spreading_factor == spreading_factor and one.number == number
    ]
    return max(on, default=0)


def judge(runs: dict[tuple[str, int], list[Opening]]) -> dict[str, Any]:
    rows = [
        row(name + " (joins)" * joins, factor, some)
        for joins in (False, True)
        for (name, factor), openings in runs.items()
        if (some := [one for one in openings if one.join == joins])
    ]
    everything = [one for openings in runs.values() for one in openings]
    everything = [one for one in everything if not one.join]
    sf7_us = longest_us(everything, 7, 1)
    sf12_us = longest_us(everything, 12, 2)
    awake, light = (
        percentile([abs(one.error_us) for one in runs[name, 1] if not one.join], 99)
        for name in ("awake", "light sleep")
    )
    holds = (
        awake <= BUDGET_AWAKE_US
        and light <= BUDGET_LIGHT_US
        and 0 < sf7_us <= BUDGET_SF7_US
        and 0 < sf12_us <= BUDGET_SF12_US
    )
    return {
        "name": "rx-window",
        "value": awake,
        "unit": "us, p99 of the opening error awake",
        "budget": "awake <= 1000, after light sleep <= 3000; RX1 at SF7 <= 16 ms, RX2 at SF12 "
        "<= 197 ms",
        "holds": holds,
        "n": {"windows": len(everything), "sf7_on_us": sf7_us, "sf12_on_us": sf12_us,
              "light_p99_us": light},
        "rows": rows,
        "peer": peers(),
    }  # fmt: skip


def peers() -> dict[str, int]:
    """Width of RX1 at SF7 in us for an error of 2 ms, by each stack's public formula."""
    sf7_us = symbol_us(*DATA_RATES[5])
    lora_mac_node = max(-(-((2 * 6 - 8) * sf7_us + 2 * 2_000) // sf7_us), 6) * sf7_us
    return {
        "loramac_node_sf7_us": lora_mac_node,
        "lora_basics_modem_sf7_us": max(6 * sf7_us + 2 * 2_000, 16_000),
        "radiolib_sf7_us": 25_856 + 10_000,  # airtime of an empty frame + 10 ms
    }


def measure() -> dict[str, Any]:
    """Four runs of the firmware, about 30 s."""
    return judge({(name, factor): watch(ppm, factor, UPLINKS) for name, ppm, factor in _SETTINGS})
