# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""gateway-memory: what the gateway's memory grows to while the feed's broker is away for a day.

10,000 nodes that report each ten minutes make 1,440,000 uplinks in 24 hours. They come while nobody
answers on the feed's port; then its broker is there and takes all of it. The peak is the kernel's
word on the whole process (ru_maxrss), beside that of a backlog of 10,000. Both gateways are old
enough to have looked after every node: at 1.3 s nothing is known of their silence yet.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from revier_bench.broker import free_port
from revier_bench.measure import gateway_broker, gateway_child, gateway_town

BUDGET_MB = 200
BUDGET_RATIO = 1.2
DEVICES = 10_000
SMALL, LARGE = 10_000, 1_440_000
AGE_S = 20.0  # the watch looks each ten seconds
CHUNK = 5_000  # events that the publisher has under way


def measure(large: int = LARGE) -> dict[str, Any]:
    """Five to ten minutes, and some 6 GB of disk, for the whole day."""
    with tempfile.TemporaryDirectory(prefix="revier-memory-") as folder:
        small = _peak(Path(folder) / "small", SMALL)
        day = _peak(Path(folder) / "large", large)
    ratio = day["peak_mb"] / small["peak_mb"]
    return {
        "name": "gateway-memory",
        "value": round(day["peak_mb"], 1),
        "unit": "MB, peak",
        "budget": f"<= {BUDGET_MB} MB and <= {BUDGET_RATIO} x a backlog of {SMALL}",
        "holds": day["peak_mb"] <= BUDGET_MB and ratio <= BUDGET_RATIO,
        "n": {"uplinks": large, "small_uplinks": SMALL, "devices": DEVICES},
        "peer": {"backlog of 10,000, MB": round(small["peak_mb"], 1), "ratio": round(ratio, 2)},
        "rows": [
            {"backlog": count, **{key: round(value, 1) for key, value in run.items()}}
            for count, run in ((SMALL, small), (large, day))
        ],
    }


def _peak(folder: Path, uplinks: int) -> dict[str, float]:
    """One gateway: everything in, then everything out. MB, seconds."""
    folder.mkdir()
    source_port, feed_port = free_port(), free_port()
    rounds = uplinks // DEVICES
    config = gateway_child.write_config(folder, "bench", source_port, DEVICES, feed_port)
    command = [sys.executable, "-m", gateway_child.__name__, str(config), str(rounds * DEVICES)]
    source_folder, feed_folder = folder / "source", folder / "feed"
    source_folder.mkdir()
    feed_folder.mkdir()
    with gateway_broker.broker(source_folder, source_port):
        gateway_broker.backlog(source_port, gateway_child.source_client_id("bench"), ())
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as gateway:
            begun_s = time.monotonic()
            for chunk in _chunks(gateway_town.events(DEVICES, rounds)):
                gateway_broker.publish(source_port, chunk)
                if gateway.poll() is not None:
                    raise RuntimeError("the gateway ended early")
            taken_s = time.monotonic() - begun_s
            time.sleep(max(0.0, AGE_S - taken_s))
            with gateway_broker.broker(feed_folder, feed_port):
                said = gateway.communicate()[0]
    result = json.loads(said.splitlines()[-1])
    return {"peak_mb": result["peak_mb"], "published_in_s": taken_s, "seconds": result["seconds"]}


def _chunks(events: Iterator[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    while chunk := list(itertools.islice(events, CHUNK)):
        yield chunk
