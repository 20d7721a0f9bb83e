# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What one virtual board is: identity, flash, seed, and the imperfections of its clocks."""

from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from revier_bench.virtual_board.costs import USUAL, Costs

HEAP_KIB = 200
"""Heap that the firmware has to itself, in kilobytes of the 32-bit chip."""


@dataclass(frozen=True, slots=True)
class BoardSpec:
    """`flash_image` is written by the board; give each board its own copy (flash.clone_image).

    seed                        everything random on the board comes from it
    sleep_clock_error_ppm       deep sleep takes this much longer than asked (up to +-50_000);
                                None: drawn from the seed
    sleep_clock_drift_ppm       slow change of that error over the day, as temperature does it
    light_sleep_error_ppm       the same for light sleep, whose clock is calibrated each time
    light_sleep_jitter_ppm      either way, from one light sleep to the next, unless the error is 0
    ticks_near_wrap             start the ticks a few seconds before they wrap; None: every
                                second boot
    fail                        faults to begin with, as "sps30:silent" (chips/*.py name theirs)
    power_chip                  of a board with one (LilyGO T-Beam): axp192 or axp2101
    board_file                  a description instead of firmware/image/boards/<board>.json
    costs                       what calls of the firmware take (costs.py)
    boot_us                     from reset to the first line of boot.py
    """

    name: str
    mac: bytes
    flash_image: Path
    work_dir: Path
    board: str = "heltec_v3"
    kind: str = "air"
    seed: str = "0"
    sleep_clock_error_ppm: int | None = None
    sleep_clock_drift_ppm: int = 2_000
    light_sleep_error_ppm: int | None = None
    light_sleep_jitter_ppm: int = 50
    ticks_near_wrap: bool | None = None
    boot_us: int = 420_000
    heap_kib: int = HEAP_KIB
    board_file: Path | None = None
    power_chip: str = "axp192"
    costs: Costs = USUAL
    fail: frozenset[str] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        if len(self.mac) != 6:
            raise ValueError(f"{self.name}: the factory MAC has 6 bytes, not {len(self.mac)}")

    def chance(self, purpose: str) -> Random:
        """Randomness of this board for one purpose."""
        return Random(f"{self.seed}:{self.name}:{purpose}")  # noqa: S311 - repeatable by design
