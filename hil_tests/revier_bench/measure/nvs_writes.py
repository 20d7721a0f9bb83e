# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""nvs-writes: how often the flash is written, with the shipped store and MAC on MicroPython.

Each uplink is a wake from deep sleep with one reading. As with ChirpStack the first downlink sets
the data rate and each later one answers an ADRACKReq (every 65 uplinks). A write is one commit with
what was set before it.
"""

from typing import Any

from revier_bench.measure.power_cuts import on_micropython

UPLINKS = 2_000
PER_WRITE = 64


def count(uplinks: int, *lease_step: int) -> dict[str, Any]:
    """{"uplinks", "downlinks", "commits", "nvs_bytes", "file_writes", "file_bytes"}."""
    return on_micropython("wear.py", uplinks, *lease_step)


def measure(uplinks: int = UPLINKS, *lease_step: int) -> dict[str, Any]:
    n = count(uplinks, *lease_step)
    per_uplinks = n["commits"] * PER_WRITE / uplinks
    return {
        "name": "nvs-writes",
        "value": round(per_uplinks, 3),
        "unit": f"NVS writes per {PER_WRITE} uplinks",
        "budget": f"<= 1 over >= {UPLINKS} uplinks",
        "holds": per_uplinks <= 1 and uplinks >= UPLINKS and n["downlinks"] > 1,
        "n": n,
        "peer": {
            "LoRaMac-node (from its source: changed groups after each uplink)": PER_WRITE,
            "RadioLib (from its source: the user saves the session after each uplink)": PER_WRITE,
        },
        "rows": [
            {"where": "NVS", "writes": n["commits"], "bytes": n["nvs_bytes"]},
            {"where": "LittleFS", "writes": n["file_writes"], "bytes": n["file_bytes"]},
        ],
    }
