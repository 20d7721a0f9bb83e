# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The windows of one run of the firmware, as the chip model had them.

The reference is the chip model's own end of the transmission; the opening is its receiver being on,
after BUSY, TCXO and PLL. Nobody answers, so both windows run out.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from revier_bench import image
from revier_bench.chips.environments import Still
from revier_bench.chips.lora_modem import LoraModem
from revier_bench.measure.sim_speed import joined_flash
from revier_bench.virtual_board import BoardSpec, Kernel, WiredBoard, build_board
from revier_bench.virtual_board.costs import CHIP
from revier_bench.world.air import Medium, NullAir
from revier_mac.airtime import symbol_us, window

INTERVAL_US = 300_000_000  # of an air node
UPLINKS = 52  # of each data rate; from the 64th on an unanswered node changes it
JOIN_NODES = 9
JOIN_MINUTES = 60  # the back-off of joins allows most tries in the first hour
MINUTE_US = 60_000_000
DATA_RATES = 6
JOIN_DELAY_S = 5  # JOIN_ACCEPT_DELAY1: L2 6.2.6


@dataclass(frozen=True, slots=True)
class Setting:
    """Light sleep's clock (ppm, jitter from one sleep to the next) and the factor of all costs.

    ppm 0: light sleep is exact, as a node that stays awake; None: drawn for each node.
    """

    name: str
    ppm: int | None
    jitter_ppm: int = 50
    factor: int = 1

    @property
    def awake(self) -> bool:
        return self.ppm == 0


@dataclass(frozen=True, slots=True)
class Opening:
    """One window as the chip had it; times in us, the error positive when it opened late."""

    number: int
    error_us: int
    on_us: int
    spreading_factor: int
    join: bool = False


@dataclass(frozen=True, slots=True)
class ClockError:
    """What the firmware tells its MAC that its clock may err by."""

    fixed_us: int
    ppm: int
    join_ppm: int
    learnt_ppm: int

    def at(self, delay_s: int, join: bool, learnt: bool) -> int:
        ppm = self.join_ppm if join else self.learnt_ppm if learnt else self.ppm
        return self.fixed_us + delay_s * ppm


class Watch:
    """Looks on while a modem transmits and listens. `learnt`: a downlink has told the clock."""

    def __init__(self, modem: LoraModem, clock: ClockError, rx1_delay_s: int = 1) -> None:
        self.learnt = False
        self.rx1_delay_s = rx1_delay_s
        self.openings: list[Opening] = []
        self._clock = clock
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
        delay_s = (JOIN_DELAY_S if self._join else self.rx1_delay_s) + self._number - 1
        error_us = self._clock.at(delay_s, self._join, self.learnt)
        _, offset_us = window(symbol_us(now.spreading_factor, now.bandwidth_hz), error_us)
        asked_us = self._end_us + delay_s * 1_000_000 + offset_us
        on_us = self._modem.chip.host.now_us - self._from_us
        self.openings.append(
            Opening(self._number, self._from_us - asked_us, on_us, now.spreading_factor, self._join)
        )
        self._silent()


def clock_error(firmware_dir: Path = image.FIRMWARE_DIR) -> ClockError:
    """Read from the firmware's source."""

    def constant(module: str, name: str) -> int:
        text = (firmware_dir / "revier_node" / module).read_text()
        found = re.search(rf"^{name} = const\(([\d_]+)\)", text, re.MULTILINE)
        if found is None:
            raise ValueError(f"{module} has no {name}")
        return int(found[1].replace("_", ""))

    return ClockError(
        constant("radio.py", "CLOCK_ERROR_US"),
        constant("radio.py", "CLOCK_ERROR_PPM"),
        constant("seldom.py", "JOIN_ERROR_PPM"),
        constant("radio.py", "LEARNT_ERROR_PPM"),
    )


def data_windows(
    setting: Setting, uplinks: int = UPLINKS, firmware_dir: Path = image.FIRMWARE_DIR
) -> list[Opening]:
    """Joined air nodes, one for each data rate, that send every five minutes."""

    def add(kernel: Kernel, folder: Path, base: Path) -> list[WiredBoard]:
        boards = []
        for dr in range(DATA_RATES):
            flash = joined_flash("air", dr, folder, folder / "build", base, dr)
            boards.append(make_board(kernel, setting, folder, flash, "air", dr))
            boards[-1].at(dr * INTERVAL_US // DATA_RATES, boards[-1].power_on)
        return boards

    return _watch(add, (uplinks + 1) * INTERVAL_US, firmware_dir)


def join_windows(
    setting: Setting, minutes: int = JOIN_MINUTES, nodes: int = JOIN_NODES
) -> list[Opening]:
    """Nodes that nobody lets join: every data rate in turn, as the MAC's back-off allows."""

    def add(kernel: Kernel, folder: Path, base: Path) -> list[WiredBoard]:
        boards = []
        for number in range(nodes):
            flash = joined_flash("parking", number, folder, folder / "build", base, None)
            boards.append(make_board(kernel, setting, folder, flash, "parking", number))
            boards[-1].at(number * 10_000_000, boards[-1].power_on)
        return boards

    return _watch(add, minutes * MINUTE_US, image.FIRMWARE_DIR)


def make_board(
    kernel: Kernel,
    setting: Setting,
    folder: Path,
    flash: Path,
    kind: str,
    number: int,
    air: Medium | None = None,
) -> WiredBoard:
    spec = BoardSpec(
        name=f"{kind}-{number}",
        mac=number.to_bytes(6, "big"),
        flash_image=flash,
        work_dir=folder,
        kind=kind,
        light_sleep_error_ppm=setting.ppm,
        light_sleep_jitter_ppm=setting.jitter_ppm,
        costs=CHIP.times(setting.factor),
        seed=setting.name,
    )
    return build_board(kernel, spec, air or NullAir(), Still())


def _watch(
    add: Callable[[Kernel, Path, Path], list[WiredBoard]], until_us: int, firmware_dir: Path
) -> list[Opening]:
    with tempfile.TemporaryDirectory(prefix="revier-rx-window-") as name:
        folder = Path(name)
        build_dir = folder / "build"
        base = image.build(build_dir, firmware_dir)
        clock = clock_error(firmware_dir)
        with Kernel(build_dir=build_dir) as kernel:
            boards = add(kernel, folder, base)
            watches = [Watch(board.radio.modem, clock) for board in boards]
            kernel.run_until(until_us)
        return [opening for one in watches for opening in one.openings]
