# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""From a recorded wake to its charge: time in each state, times the current of the state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from revier_bench.measure.energy_record import Cycle, Interval
from revier_bench.measure.energy_table import LIGHT_SLEEP_WAKE_US, MCU_MA, SX1262_MA, Boot

BEFORE, AFTER = "wake to SetTx", "SetTx to sleep"


class EnergyError(Exception):
    """A state without a current, or a recording that is not one wake with one uplink."""


@dataclass(frozen=True, slots=True)
class Row:
    """Time in one state of one part within one phase. ms, mA, mC."""

    phase: str
    part: str
    us: int
    ma: float
    mc: float
    source: str

    def printed(self) -> dict[str, object]:
        return {
            "phase": self.phase,
            "part": self.part,
            "ms": round(self.us / 1000, 1),
            "ma": round(self.ma, 3),
            "mc": round(self.mc, 2),
            "duration from": self.source,
        }


@dataclass(frozen=True, slots=True)
class Wake:
    """The table of one wake. `cpu_active_us`: awake but for the boot and imports."""

    rows: tuple[Row, ...]
    cpu_active_us: int

    @property
    def mc(self) -> float:
        return sum(row.mc for row in self.rows)

    @property
    def after_mc(self) -> float:
        return sum(row.mc for row in self.rows if row.phase == AFTER)


def charge_mc(us: int, ma: float) -> float:
    return us * ma / 1e6


def current_ma(table: Mapping[str, float], part: str, state: str) -> float:
    if state not in table:
        raise EnergyError(f"energy_table.py has no current for {part} {state!r}")
    return table[state]


def wake(
    cycle: Cycle,
    boot: Boot,
    mcu: Mapping[str, float] = MCU_MA,
    radio: Mapping[str, float] = SX1262_MA,
) -> Wake:
    """The table of a recorded wake, with its boot in front. EnergyError as said above."""
    if len(cycle.works) != 2 or cycle.transmissions != 1:
        raise EnergyError(
            f"{len(cycle.works)} reports of the meter and {cycle.transmissions} transmissions"
        )
    rows = [Row("boot", "mcu", boot.us, 1000 * boot.mc / boot.us * 1000, boot.mc, "constant")]
    active_us = 0
    before, whole = cycle.works
    for phase, from_us, to_us, import_us in (
        (BEFORE, cycle.started_us, cycle.set_tx_us, before.import_us),
        (AFTER, cycle.set_tx_us, cycle.slept_us, whole.import_us - before.import_us),
    ):
        asleep_us, waking_us = _light_sleep(cycle.light_sleeps, from_us, to_us)
        awake_us = to_us - from_us - asleep_us - waking_us - import_us
        active_us += awake_us
        awake_ma = current_ma(mcu, "mcu", "awake")
        for part, us, ma, source in (
            ("mcu imports", import_us, awake_ma, "recorded: files, bytes, bytecodes"),
            ("mcu awake", awake_us, awake_ma, "recorded"),
            ("mcu ends its light sleeps", waking_us, awake_ma, "recorded count, constant"),
            ("mcu light sleep", asleep_us, current_ma(mcu, "mcu", "light sleep"), "recorded"),
        ):
            if us:
                rows.append(Row(phase, part, us, ma, charge_mc(us, ma), source))
        rows += _radio(cycle.radio, phase, from_us, to_us, radio)
    return Wake(tuple(rows), active_us)


def _light_sleep(sleeps: list[Interval], from_us: int, to_us: int) -> tuple[int, int]:
    """Time asleep, and the part of it that waking up takes."""
    inside = [one for one in sleeps if from_us <= one.from_us < to_us]
    waking = [min(LIGHT_SLEEP_WAKE_US, one.to_us - one.from_us) for one in inside]
    return sum(one.to_us - one.from_us for one in inside) - sum(waking), sum(waking)


def _radio(
    intervals: list[Interval], phase: str, from_us: int, to_us: int, table: Mapping[str, float]
) -> list[Row]:
    sums: dict[str, int] = {}
    for one in intervals:
        us = min(one.to_us, to_us) - max(one.from_us, from_us)
        if us > 0:
            sums[one.state] = sums.get(one.state, 0) + us
    return [
        Row(phase, f"radio {state}", us, current_ma(table, "radio", state),
            charge_mc(us, current_ma(table, "radio", state)), "recorded")
        for state, us in sums.items()
    ]  # fmt: skip
