# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Which measurements there are, and the form in which each is run."""

import importlib
import time
from typing import Any

# name on the command line -> module of this package
MEASUREMENTS: dict[str, str] = {
    "air-reporting": "air_reporting",
    "airtime": "airtime",
    "codec-speed": "codec_speed",
    "downlink-fuzz": "downlink_fuzz",
    "duty": "duty",
    "energy": "energy",
    "decode-fuzz": "decode_fuzz",
    "gateway-kill": "gateway_kill",
    "gateway-latency": "gateway_latency",
    "gateway-memory": "gateway_memory",
    "gateway-throughput": "gateway_throughput",
    "firmware-size": "firmware_size",
    "mac-heap": "mac_heap",
    "mac-size": "mac_size",
    "mass-join": "mass_join",
    "node-energy": "node_energy",
    "nvs-writes": "nvs_writes",
    "parking-accuracy": "parking_accuracy",
    "parking-delivery": "parking_delivery",
    "payload-fuzz": "payload_fuzz",
    "payload-roundtrip": "payload_roundtrip",
    "payload-size": "payload_size",
    "power-cuts": "power_cuts",
    "relay": "relay",
    "rx-window": "rx_window",
    "session-size": "session_size",
    "signature-time": "signature_time",
    "sim-speed": "sim_speed",
    "upload-speed": "upload_speed",
    "waste-accuracy": "waste_accuracy",
}
KEYS = ("name", "value", "unit", "budget", "holds", "n", "seconds", "peer", "command")


def run(name: str, seeds: range | None = None) -> dict[str, Any]:
    """Run one measurement, with other seeds than its own if it takes any.

    KeyError for an unknown name, ValueError when a key is left out.
    """
    module = importlib.import_module(f"revier_bench.measure.{MEASUREMENTS[name]}")
    started = time.monotonic()
    result: dict[str, Any] = module.measure(seeds) if seeds else module.measure()
    result.setdefault("seconds", round(time.monotonic() - started, 2))
    result.setdefault("command", f"revier-bench measure {name} --json")
    missing = [key for key in KEYS if key not in result]
    if missing:
        raise ValueError(f"measurement {name} leaves out {missing}")
    return result
