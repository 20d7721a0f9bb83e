# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""provision-cuts: making a node, cut at random points, then run again until it goes through.

Each point is a call over the board's cable, a gRPC call or a durable write; see
revier_bench.workshop.cuts. After the last run the node must be whole at every place (board,
ChirpStack, inventory, ledger, vault, label), and over all trials no DevEUI, key or DevNonce may
have been used twice. A board that is broken on purpose (its DevNonce goes back) shows that the
check sees it.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from revier_bench.workshop import cuts
from revier_bench.workshop.paper_air import PaperAir
from revier_bench.workshop.paper_board import PaperBoard

TRIALS = 1000


def measure(seeds: range = range(1, TRIALS + 1)) -> dict[str, Any]:
    """Some three minutes of CPU."""
    started = time.monotonic()
    found, total = run(seeds)
    broken, _ = run(range(1, 61), forgetful=True)
    return {
        "name": "provision-cuts",
        "value": len(found.faults),
        "unit": f"faults in {found.trials} boards cut on their way",
        "budget": f"0 in >= {TRIALS}; a board that forgets its DevNonces is found out",
        "holds": not found.faults and found.trials >= TRIALS and bool(broken.faults),
        "n": {
            "trials": found.trials,
            "points_of_a_run": total,
            "cuts": sum(found.cuts[kind] for kind in ("killed", "cable")),
            "keys": len(found.keys),
            "dev_euis": len(found.dev_euis),
            "join_requests": len(found.sent.join_requests),
            **dict(sorted(found.cuts.items())),
        },
        "peer": {"board that forgets its DevNonces": len(broken.faults)},
        "rows": [{"cut": name, "n": n} for name, n in sorted(found.cuts.items())],
        "faults": found.faults[:20],
        "seconds": round(time.monotonic() - started, 2),
    }


def _first_nonce(self: PaperBoard) -> int:
    return 0 * self.dev_nonce


def run(numbers: range, *, forgetful: bool = False) -> tuple[cuts.Cuts, int]:
    """These trials; (what was found, points of an uncut run)."""
    found = cuts.Cuts()
    air = PaperAir("cuts")
    remembered = PaperBoard.spend_nonce
    if forgetful:
        PaperBoard.spend_nonce = _first_nonce  # type: ignore[method-assign]
    try:
        with tempfile.TemporaryDirectory() as folder:
            total = cuts.points(Path(folder) / "points", air)
            for number in numbers:
                place = Path(folder) / str(number)
                cuts.trial(number, total, place, air, found)
                shutil.rmtree(place)
    finally:
        PaperBoard.spend_nonce = remembered  # type: ignore[method-assign]
        air.close()
    return found, total
