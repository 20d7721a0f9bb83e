# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The gateway as a child process that ends when the feed's broker has so many readings, and what
that took: python -m revier_bench.measure.gateway_child CONFIG READINGS."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from pathlib import Path

from revier_bench.measure.gateway_town import write_inventory
from revier_gateway import logs
from revier_gateway.config import load
from revier_gateway.service import Service, tune_memory

LOOK_EVERY_S = 0.005
CONFIG = """
[gateway]
id = "{name}"
data_dir = "data"
[source]
host = "127.0.0.1"
port = {port}
[feed]
host = "127.0.0.1"
port = {feed_port}
window_max = 2000
catch_up_per_s = 0
[inventory]
dir = "inventory"
[console]
enabled = false
"""


def source_client_id(name: str) -> str:
    return f"revier-gateway-{name}-source"


def write_config(
    folder: Path, name: str, port: int, devices: int, feed_port: int | None = None
) -> Path:
    """A gateway of its own with a town of so many devices; returns its configuration. The feed's
    broker is the source's where no port is given."""
    write_inventory(folder / "inventory", devices)
    path = folder / "gateway.toml"
    path.write_text(CONFIG.format(name=name, port=port, feed_port=feed_port or port), "utf-8")
    return path


async def run_until(config: Path, readings: int) -> dict[str, float]:
    """Seconds, CPU seconds and bytes to the disk from the first connection to the last
    acknowledgement; peak MB."""
    service = Service(load(config))
    tune_memory()
    started_s, cpu_s, bytes_before = time.perf_counter(), time.process_time(), _written_bytes()
    running = asyncio.create_task(service.run())
    while not _is_done(service, readings) and not running.done():  # noqa: ASYNC110 - a measurement
        await asyncio.sleep(LOOK_EVERY_S)
    seconds, cpu = time.perf_counter() - started_s, time.process_time() - cpu_s
    written_bytes = _written_bytes() - bytes_before
    service.stop()
    await running
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "seconds": seconds,
        "cpu_s": cpu,
        "peak_mb": peak_mb,
        "written_bytes": written_bytes,
    }


def _written_bytes() -> int:
    """By this process to a disk, as Linux counts it (proc_pid_io(5)); 0 elsewhere."""
    try:
        lines = Path("/proc/self/io").read_text("ascii").splitlines()
    except OSError:
        return 0
    return int(dict(line.split(": ") for line in lines)["write_bytes"])


def _is_done(service: Service, readings: int) -> bool:
    """Asked 200 times a second, so the counters are only looked at where they can matter."""
    if service.waiting:
        return False
    return service.view.counters().get("published.readings", 0) >= readings


def main() -> None:
    config, readings = Path(sys.argv[1]), int(sys.argv[2])
    logs.configure("WARNING")
    sys.stdout.write(json.dumps(asyncio.run(run_until(config, readings))) + "\n")


if __name__ == "__main__":
    main()
