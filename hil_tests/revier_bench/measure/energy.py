# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""energy: the charge of a wake with one SF7 uplink, from the recorded timeline of the firmware.

The firmware runs on the virtual board; chips and board record their states. A meter in the node
counts the bytecodes that it executes, what it imports and what it prints, and makes its clock go
on by what that takes on the chip. Currents, boot and cost of a bytecode are constants
(energy_table.py). Half of the uplinks stay without an answer: both windows run out, RX2 at SF12.
The heaviest of a node's wakes is judged, but for its first start and diagnosis.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from revier_bench.chips.environments import Still
from revier_bench.measure import energy_table as table
from revier_bench.measure.energy_meter import metered_image
from revier_bench.measure.energy_model import AFTER, EnergyError, Row, Wake, charge_mc, wake
from revier_bench.measure.energy_network import AnsweringAir
from revier_bench.measure.energy_record import Cycle, Recorder
from revier_bench.measure.sim_speed import joined_flash
from revier_bench.network_server.frames import SessionKeys
from revier_bench.virtual_board import BoardSpec, Kernel, build_board
from revier_mac.airtime import airtime_us

BUDGET_AFTER_MC = 16
BUDGET_STOCK_MC = 55
BUDGET_FROZEN_MC = 20
BUDGET_ACTIVE_MS = 150
KINDS = ("parking", "waste", "air")
_HOURS = {"parking": 15, "waste": 4, "air": 2}  # every twelfth reading, all go to the flash
_HOUR_US = 3_600_000_000
_SKIPPED = 3  # first start, wait after it, diagnosis
_NUMBER = 1
_KEYS = SessionKeys(bytes(range(16)), bytes(range(16, 32)))  # joined_flash's session


def record(kind: str, frozen: bool, cpu: table.Cpu = table.CPU) -> list[Cycle]:
    """Wakes with one uplink at SF7 of a joined node, without the first ones."""
    boot = table.FROZEN if frozen else table.STOCK
    with tempfile.TemporaryDirectory(prefix="revier-energy-") as name:
        folder = Path(name)
        build_dir = folder / "build"
        base = metered_image(build_dir, cpu, frozen)
        with Kernel(build_dir=build_dir) as kernel:
            spec = BoardSpec(
                name=kind,
                mac=bytes(6),
                flash_image=joined_flash(kind, _NUMBER, folder, build_dir, base, dev_nonce=1),
                work_dir=folder,
                kind=kind,
                light_sleep_error_ppm=0,
                sleep_clock_error_ppm=0,
                costs=table.CALLS,
                boot_us=boot.us,
            )
            air = AnsweringAir(_KEYS, _NUMBER.to_bytes(4, "big"), kernel.at)
            board = build_board(kernel, spec, air, Still())
            air.radio = board.radio
            recorder = Recorder(board)
            board.power_on()
            kernel.run_until(_HOURS[kind] * _HOUR_US)
            if board.misuse:
                raise EnergyError(board.misuse[0])
    return [
        cycle
        for cycle in recorder.cycles[_SKIPPED:]
        if cycle.spreading_factor == 7 and cycle.transmissions == 1
    ]


def heaviest(cycles: list[Cycle], boot: table.Boot) -> tuple[Cycle, Wake]:
    """The wake with the most charge; its CPU time is the longest of all wakes."""
    if not cycles:
        raise EnergyError("no wake with one uplink at SF7 was recorded")
    wakes = [(cycle, wake(cycle, boot)) for cycle in cycles]
    cycle, most = max(wakes, key=lambda one: one[1].mc)
    return cycle, replace(most, cpu_active_us=max(one.cpu_active_us for _, one in wakes))


def naive_rows(cycle: Cycle) -> list[Row]:
    """The same uplink of a node that boots naively, never sleeps between and listens long.

    Awake from SetTx to the end of RX2; RX2 begins 2 s after the end of the transmission.
    """
    windows_us = [
        airtime_us(0, spreading_factor, 125_000) + table.NAIVE_GUARD_US
        for spreading_factor in (7, 12)
    ]
    boot = table.NAIVE_BOOT
    rows = [Row("naive", "mcu boots", boot.us, boot.mc * 1e6 / boot.us, boot.mc, "constant")]
    for part, us, ma in (
        ("mcu awake", cycle.airtime_us + 2_000_000 + windows_us[1], table.MCU_MA["awake"]),
        ("radio transmit", cycle.airtime_us, table.SX1262_MA["transmit 14 dBm"]),
        ("radio receive", sum(windows_us), table.NAIVE_RECEIVE_MA),
    ):
        rows.append(Row("naive", part, us, ma, charge_mc(us, ma), "airtimes, 2 s, RadioLib"))
    return rows


def holds(stock: Wake, frozen: Wake) -> bool:
    return (
        0 < max(stock.after_mc, frozen.after_mc) <= BUDGET_AFTER_MC
        and stock.mc <= BUDGET_STOCK_MC
        and frozen.mc <= BUDGET_FROZEN_MC
        and max(stock.cpu_active_us, frozen.cpu_active_us) <= BUDGET_ACTIVE_MS * 1000
    )


def _printed(image: str, rows: list[Row]) -> list[dict[str, object]]:
    whole = Row("whole", "", sum(row.us for row in rows if row.part.startswith("mcu")), 0.0,
                sum(row.mc for row in rows), "sum")  # fmt: skip
    return [{"image": image, **row.printed()} for row in [*rows, whole]]


def _radio_rows(kind: str) -> list[dict[str, object]]:
    """Another kind's radio from SetTx to sleep, of its heaviest wake."""
    _, one = heaviest(record(kind, frozen=False), table.STOCK)
    rows = [row for row in one.rows if row.phase == AFTER and row.part.startswith("radio")]
    return [{"image": kind, **row.printed()} for row in rows]


def result(cycle: Cycle, stock: Wake, frozen: Wake) -> dict[str, Any]:
    """What is judged and printed; `cycle`: the stock image's."""
    naive = naive_rows(cycle)
    clocked = {**table.MCU_MA, "awake": table.AWAKE_CLOCKED_MA}
    work = cycle.works[-1]
    return {
        "name": "energy",
        "value": round(max(stock.after_mc, frozen.after_mc), 2),
        "unit": "mC from SetTx to sleep, SF7 uplink of a parking node, no answer",
        "budget": f"<= {BUDGET_AFTER_MC}; whole wake <= {BUDGET_STOCK_MC} stock, "
        f"<= {BUDGET_FROZEN_MC} frozen; CPU <= {BUDGET_ACTIVE_MS} ms",
        "holds": holds(stock, frozen),
        "n": {
            "stock_mc": round(stock.mc, 2),
            "frozen_mc": round(frozen.mc, 2),
            "cpu_active_ms": round(max(stock.cpu_active_us, frozen.cpu_active_us) / 1000, 1),
            "frame_bytes": cycle.payload_bytes,
            "bytecodes": work.bytecodes,
            "modules": work.modules,
            "import_ms": round(work.import_us / 1000, 1),
            "peripherals_clocked_mc": round(wake(cycle, table.STOCK, clocked).after_mc, 2),
        },
        "rows": _printed("stock", list(stock.rows))
        + _printed("frozen", list(frozen.rows))
        + _printed("naive", naive),
        "peer": {"naive_mc": round(sum(row.mc for row in naive), 1)},
    }


def measure() -> dict[str, Any]:
    """Four runs of the firmware, about 15 s."""
    cycle, stock = heaviest(record("parking", frozen=False), table.STOCK)
    _, frozen = heaviest(record("parking", frozen=True), table.FROZEN)
    found = result(cycle, stock, frozen)
    for kind in KINDS[1:]:
        found["rows"] += _radio_rows(kind)
    return found
