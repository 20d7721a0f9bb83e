# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""provision-time: how long a node takes from the box to its proof, step by step; one and ten.

The boards are on paper: their transfers, exchanges over the cable and join take the time of the
table below. Everything else is the real thing: esptool is started twice a board, as for finding and
flashing, and gRPC, ledger, vault, inventory and labels are really done. Host overhead is the wall
time that is neither flash, upload nor join.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from revier_bench.workshop.paper_air import PaperAir
from revier_bench.workshop.paper_board import Sent
from revier_bench.workshop.paper_table import PaperShop
from revier_provision.workshop.batch import make_all
from revier_provision.workshop.make_node import QUIET_S, NodeMade, Wanted, make_node
from revier_provision.workshop.site_file import LabelFormat
from revier_provision.workshop.step_events import NodeStep

BOARDS = 10
FLASH_S = 16.0  # 1.6 MB deflated to 1.0 MB at 921,600 baud, and 5 s of erasing and checking
UPLOAD_S = 12.0  # 100 kB of .mpy through a REPL at 115,200 baud
WIRE_S = 0.02  # one program through the raw REPL and its answer
JOIN_S = 8.0  # boot, self-test, join request, RX1 after 5 s, first reading
OVERHEAD_S_MAX = 5.0
PARALLEL_MAX = 1.5


def measure() -> dict[str, Any]:
    """One board, then ten at once; 80 s."""
    started = time.monotonic()
    (one,) = _make(1, 1)
    begun_s = time.monotonic()
    many = _make(BOARDS, 2)
    ten_s = time.monotonic() - begun_s
    waits_s = FLASH_S + UPLOAD_S + JOIN_S
    overhead_s = one.seconds - waits_s
    ratio = max(made.seconds for made in many) / one.seconds
    return {
        "name": "provision-time",
        "value": round(overhead_s, 2),
        "unit": "s of host overhead beyond flash, upload and join",
        "budget": f"<= {OVERHEAD_S_MAX:g} s; {BOARDS} boards at once <= {PARALLEL_MAX} x one",
        "holds": overhead_s <= OVERHEAD_S_MAX and ratio <= PARALLEL_MAX and len(many) == BOARDS,
        "n": {
            "one_s": round(one.seconds, 2),
            "ten_s": round(ten_s, 2),
            "ten_by_one": round(ratio, 3),
            "modelled": {
                "flash_s": FLASH_S, "upload_s": UPLOAD_S, "join_s": JOIN_S, "wire_s": WIRE_S
            },
        },
        "peer": {},
        "rows": _rows(one, many),
        "seconds": round(time.monotonic() - started, 2),
    }  # fmt: skip


def _make(count: int, number: int) -> list[NodeMade]:
    """So many boards at once, new ones. Raises AssertionError if one was not made."""
    air = PaperAir(f"time-{number}")
    try:
        with tempfile.TemporaryDirectory() as folder:
            macs = [bytes.fromhex("240ac5") + bytes([number, i, 0]) for i in range(count)]
            formats: tuple[LabelFormat, ...] = ("svg", "png", "pdf", "zpl")
            shop = PaperShop(Path(folder) / "shop", air, macs, Sent(), str(number), formats)
            shop.tool = _esptool
            for board in shop.boards.values():
                board.wire_s, board.join_s = WIRE_S, JOIN_S
                board.flash_s, board.upload_s = FLASH_S, UPLOAD_S
            wanted = [Wanted(port=port) for port in sorted(shop.boards)]
            with shop.bench(quiet_s=QUIET_S) as bench:
                if count == 1:
                    return [make_node(bench, wanted[0])]
                outcomes = make_all(bench, wanted)
    finally:
        air.close()
    made = [outcome.made for outcome in outcomes if outcome.made is not None]
    assert len(made) == count, [outcome.problem for outcome in outcomes]
    return made


def _esptool() -> None:
    """Its start is what it costs the host; its transfers are the boards'."""
    command = [sys.executable, "-m", "esptool", "version"]
    subprocess.run(command, check=True, capture_output=True)


def _rows(one: NodeMade, many: list[NodeMade]) -> list[dict[str, Any]]:
    rows = []
    for at, step in enumerate(NodeStep):
        each = [float(made.steps[at]["seconds"]) for made in many]
        rows.append(
            {
                "step": step.value,
                "one_s": one.steps[at]["seconds"],
                "ten_median_s": round(sorted(each)[len(each) // 2], 3),
                "ten_max_s": round(max(each), 3),
            }
        )
    return rows
