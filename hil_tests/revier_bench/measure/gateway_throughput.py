# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""gateway-throughput: uplinks a second through the whole gateway, the broker on the same machine.

A backlog of 40,000 air readings of 2,000 nodes (and their diagnoses) waits under the gateway's
session. The gateway decodes, checks owner and quality, gives identities, commits and publishes obs
and state; the time ends when the broker has acknowledged all of it. The peers pass one small
message on for each event, and keep nothing.

The budget is of the machine on which it was set. There paho relayed 2 kB events as the peer does
here, at PAHO_PER_S and PAHO_CPU_US; so on a slower machine, or a busy one, the budget is asked by
paho's measure of the same run.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from revier_bench.broker import free_port
from revier_bench.measure import gateway_broker, gateway_child, gateway_node_red, gateway_town

BUDGET_PER_S = 15_000
BUDGET_CPU_US = 45
PAHO_PER_S = 8_690
PAHO_CPU_US = 113.5
DEVICES = 2_000
ROUNDS = 20
UPLINKS = DEVICES * ROUNDS
EVENTS = UPLINKS + DEVICES
RUNS = 3
LIMIT_S = 90  # of one run
OURS, MEASURE = "revier gateway", "paho"
PEERS = (MEASURE, "aiomqtt", "node-red")


class BridgeError(Exception):
    """A bridge did not do its work; of a peer that is told, and no more."""


def measure() -> dict[str, Any]:
    """Median of three runs of ours and paho's, the other peers once; one to three minutes."""
    wanted = [name for name in PEERS if name != "node-red" or gateway_node_red.path()]
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in (OURS, *wanted)}
    without = {} if "node-red" in wanted else {"node-red": "not run: not installed"}
    with tempfile.TemporaryDirectory(prefix="revier-throughput-") as folder:
        for number in range(RUNS):
            for name, done in runs.items():
                if name not in (OURS, MEASURE) and number:
                    continue
                try:
                    done.append(_one(name, Path(folder) / f"{number}-{name}"))
                except BridgeError as failed:
                    if name == OURS:
                        raise
                    without[name] = str(failed)
    runs = {name: done for name, done in runs.items() if done}
    peers = [name for name in runs if name != OURS]
    rates = {name: _median(done, "per_s") for name, done in runs.items()}
    cpu_us = _median(runs[OURS], "cpu_us")
    there = _by_paho(runs)
    return {
        "name": "gateway-throughput",
        "value": round(rates[OURS]),
        "unit": "uplinks/s",
        "budget": f">= {BUDGET_PER_S}/s and <= {BUDGET_CPU_US} us CPU each",
        "holds": _holds(rates[OURS], cpu_us) or (there is not None and _holds(*there)),
        "n": {
            "uplinks": UPLINKS,
            "devices": DEVICES,
            "event_bytes": gateway_town.EVENT_BYTES,
            "runs": RUNS,
            "cpus": os.cpu_count(),
            "cpu_us_per_uplink": round(cpu_us, 1),
            "disk_kb_per_uplink": round(_median(runs[OURS], "disk_kb"), 2),
            "holds_here": _holds(rates[OURS], cpu_us),
        },
        "peer": {
            "by paho's measure": "not known" if there is None else _told(*there),
            **{f"{name}, messages/s": round(rates[name]) for name in peers},
            **without,
            "broker": gateway_broker.broker_name(),
        },
        "rows": [_row(name, done) for name, done in runs.items()],
    }


def _by_paho(runs: dict[str, list[dict[str, float]]]) -> tuple[float, float] | None:
    """Uplinks a second and CPU us of each, as on the machine where paho does its figures."""
    if MEASURE not in runs:
        return None
    rate = _median(runs[OURS], "per_s") / _median(runs[MEASURE], "per_s")
    cpu = _median(runs[OURS], "cpu_us") / _median(runs[MEASURE], "cpu_us")
    return rate * PAHO_PER_S, cpu * PAHO_CPU_US


def _told(per_s: float, cpu_us: float) -> str:
    return f"{per_s:.0f} uplinks/s at {cpu_us:.1f} us (paho {PAHO_PER_S}/s at {PAHO_CPU_US})"


def _holds(per_s: float, cpu_us: float) -> bool:
    return per_s >= BUDGET_PER_S and cpu_us <= BUDGET_CPU_US


def _median(runs: list[dict[str, float]], key: str) -> float:
    return statistics.median(run[key] for run in runs)


def _row(name: str, runs: list[dict[str, float]]) -> dict[str, Any]:
    return {
        "bridge": name,
        "per_s": round(_median(runs, "per_s")),
        "cpu_us": round(_median(runs, "cpu_us"), 1),
        "disk_kb": round(_median(runs, "disk_kb"), 2),
        "keeps": "everything" if name == OURS else "nothing",
        "runs": " ".join(str(round(run["per_s"])) for run in runs),
    }


def _one(name: str, folder: Path) -> dict[str, float]:
    """One bridge drains one backlog from a fresh broker, in a process of its own."""
    folder.mkdir()
    port = free_port()
    ours = name == OURS
    client_id = gateway_child.source_client_id("bench") if ours else f"peer-{name}"
    with gateway_broker.broker(folder, port):
        gateway_broker.backlog(port, client_id, gateway_town.events(DEVICES, ROUNDS))
        if ours:
            config = gateway_child.write_config(folder, "bench", port, DEVICES)
            command = [sys.executable, "-m", gateway_child.__name__, str(config), str(UPLINKS)]
        else:
            command = [sys.executable, "-m", "revier_bench.measure.gateway_peers"]
            command += [name, str(port), client_id, str(EVENTS)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=LIMIT_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise BridgeError(f"not finished within {LIMIT_S} s") from None
    if done.returncode != 0:
        raise BridgeError(f"failed: {done.stderr[-2000:]}")
    result = json.loads(done.stdout.splitlines()[-1])
    count = UPLINKS if ours else EVENTS
    return {
        "per_s": count / result["seconds"],
        "cpu_us": result["cpu_s"] / count * 1e6,
        "disk_kb": result.get("written_bytes", 0) / count / 1000,  # peers keep nothing
    }
