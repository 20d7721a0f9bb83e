# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""sim-speed: cycles of virtual nodes per second of wall time on this machine.

A cycle is a new process that imports the firmware's .mpy from its own LittleFS, sets up the whole
radio chip, senses, sends one uplink, opens two windows that stay empty, saves and is killed in
deep sleep. Nobody else is on the air. Parking nodes wake by their heartbeat, air nodes measure
their ten samples.
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from revier_bench import image
from revier_bench.chips.environments import Still
from revier_bench.virtual_board import BoardSpec, Kernel, Nvs, WiredBoard, build_board, clone_image
from revier_bench.virtual_board import link as protocol
from revier_bench.world.air import NullAir
from revier_mac.session import Session

BUDGET_PARKING_PER_S = 150
BUDGET_AIR_PER_S = 60
NODES = 12
INTERVAL_S = {"parking": 3_600, "air": 300}
CYCLES_PER_NODE = 20
HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Run:
    """One kind's run: counts, wall and CPU seconds."""

    kind: str
    cycles: int
    boots: int
    calls: int
    uplinks: int
    windows: int
    misuse: int
    wall_s: float
    cpu_s: float
    ops: dict[str, int]

    @property
    def per_s(self) -> float:
        return self.cycles / self.wall_s

    @property
    def whole(self) -> bool:
        """Two windows for each uplink, but for the nodes that were in the middle of a cycle."""
        missing = 2 * self.uplinks - self.windows
        return self.uplinks >= self.cycles - NODES and abs(missing) <= 2 * NODES and not self.misuse

    def row(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "cycles_per_s": round(self.per_s, 1),
            "calls_per_cycle": round(self.calls / self.cycles, 1),
            "cpu_ms_per_cycle": round(1000 * self.cpu_s / self.cycles, 2),
            "windows_per_uplink": round(self.windows / max(1, self.uplinks), 2),
        }


def measure() -> dict[str, Any]:
    """Both kinds, one after the other; about 10 s."""
    with tempfile.TemporaryDirectory(prefix="revier-sim-speed-") as folder:
        runs = [_run(kind, Path(folder)) for kind in ("parking", "air")]
    parking, air = runs
    whole = all(run.whole for run in runs)
    fast = parking.per_s >= BUDGET_PARKING_PER_S or air.per_s >= BUDGET_AIR_PER_S
    return {
        "name": "sim-speed",
        "value": round(parking.per_s, 1),
        "unit": "parking cycles/s",
        "budget": f">= {BUDGET_PARKING_PER_S} parking or >= {BUDGET_AIR_PER_S} air cycles/s",
        "holds": whole and fast,
        "n": {run.kind: _counts(run) for run in runs},
        "peer": {"air_cycles_per_s": round(air.per_s, 1)},
        "rows": [run.row() for run in runs],
        "cores": os.cpu_count(),
    }


def _counts(run: Run) -> dict[str, Any]:
    return {
        "nodes": NODES,
        "cycles": run.cycles,
        "boots": run.boots,
        "uplinks": run.uplinks,
        "windows": run.windows,
        "calls": run.calls,
        "calls_per_cycle": round(run.calls / run.cycles, 1),
        "calls_by_kind": run.ops,
        "misuse": run.misuse,
        "wall_s": round(run.wall_s, 2),
        "cpu_s": round(run.cpu_s, 2),
    }


def _joined_session(number: int, dr: int, rx1_delay_s: int) -> bytes:
    """A session as after a join."""
    session = Session()
    session.joined = True
    session.join_nonce = 0
    session.start(number.to_bytes(4, "little"), bytes(range(16)), bytes(range(16, 32)), dr)
    session.rx1_delay_s = rx1_delay_s
    return session.pack()


def joined_flash(
    kind: str,
    number: int,
    folder: Path,
    build_dir: Path,
    base: Path,
    dr: int | None = 5,
    rx1_delay_s: int = 1,
    dev_nonce: int = 0,
) -> Path:
    """A flash image of a node that has joined, with dr None of one that has not.

    `base` is image.build() of build_dir.
    dev_nonce: 1 as after a join. The node's first start is then a cold one, which waits; with 0,
    as if it had never sent, each of its wakes looks for what NVS lacks.
    """
    flash = clone_image(base, folder / kind / f"{number}.img")
    nvs = Nvs(flash)
    nvs.set("lorawan", "dev_eui", number.to_bytes(8, "big"))
    nvs.set("lorawan", "join_eui", bytes(8))
    nvs.set("lorawan", "app_key", bytes(16))
    if dr is not None:
        nvs.set("lorawan", "dev_nonce", dev_nonce)
        nvs.set("lorawan", "session", _joined_session(number, dr, rx1_delay_s))
    nvs.commit()
    config = f'{{"kind": "{kind}", "board": "heltec_v3"}}'.encode()
    image.write_files(flash, {"/node.json": config}, build_dir)
    return flash


def _run(kind: str, folder: Path) -> Run:
    build_dir = folder / "build"
    base = image.build(build_dir)
    with Kernel(build_dir=build_dir) as kernel:
        boards = []
        interval_us = INTERVAL_S[kind] * 1_000_000
        for number in range(NODES):
            flash = joined_flash(kind, number, folder, build_dir, base)
            mac = number.to_bytes(6, "big")
            spec = BoardSpec(
                name=f"{kind}-{number}", mac=mac, flash_image=flash, work_dir=folder, kind=kind
            )
            board = build_board(kernel, spec, NullAir(), Still())
            board.at(number * interval_us // NODES, board.power_on)
            boards.append(board)
        kernel.run_until(2 * interval_us)  # first starts, diagnosis frames
        before, cpu_s = _sum(boards), _cpu_s()
        begun_s = time.perf_counter()
        kernel.run_until((2 + CYCLES_PER_NODE) * interval_us)
        wall_s = time.perf_counter() - begun_s
        after = _sum(boards)
        cpu_s = _cpu_s() - cpu_s
        return _difference(kind, before, after, wall_s, cpu_s)


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _sum(boards: list[WiredBoard]) -> dict[str, Any]:
    ops: dict[int, int] = {}
    for board in boards:
        for op, count in board.calls_by_op.items():
            ops[op] = ops.get(op, 0) + count
    return {
        "cycles": sum(board.counters["cycles"] for board in boards),
        "boots": sum(board.counters["boots"] for board in boards),
        "calls": sum(board.calls for board in boards),
        "uplinks": sum(board.radio.modem.transmissions for board in boards),
        "windows": sum(board.radio.modem.windows for board in boards),
        "misuse": sum(len(board.misuse) for board in boards),
        "ops": ops,
    }


def _difference(
    kind: str, before: dict[str, Any], after: dict[str, Any], wall_s: float, cpu_s: float
) -> Run:
    counts = {name: after[name] - before[name] for name in after if name != "ops"}
    ops = {
        protocol.OPERATIONS[op]: count - before["ops"].get(op, 0)
        for op, count in sorted(after["ops"].items())
    }
    return Run(kind=kind, wall_s=wall_s, cpu_s=cpu_s, ops=ops, **counts)
