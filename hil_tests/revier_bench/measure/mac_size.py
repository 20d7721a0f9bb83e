# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""mac-size: bytes of .mpy of the MAC, of a radio driver, and of what a usual wake imports.

Judged is what a node gets (firmware_mpy.py): assertions kept, constants inlined, no line numbers.
Beside it the same with line numbers, and the sources as they are at -O2, where mpy-cross removes
assertions. MAC = all of revier_mac (frames.py is the cryptography, airtime.py is EU868) but TS003,
an application of its own that no uplink needs. A driver counts with radio_bus.py; radio.py, which
serves both drivers, is printed beside it and counted too.

The wakes are run on virtual boards (wake_modules.py).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from revier_bench import firmware_mpy, image
from revier_bench.measure.wake_modules import Asked, Woken, wake_bytes, watch

BUDGET_MAC = 16 * 1024
BUDGET_WITH_DRIVER = 28 * 1024
BUDGET_WAKE = 40 * 1024
NOT_MAC = ("ts003.mpy",)
DRIVERS = ("sx1262.mpy", "sx1276.mpy")
BESIDE_DRIVER = ("radio_bus.mpy", "radio.mpy")
KINDS = ("parking", "waste", "air")
WITH_LINES = ("-O0",)
PLAIN = ("-O2",)
HOURS = 8
PEERS = {
    "LoRa Basics Modem": ">= 40 KB of flash, class A, one region (its porting guide, SWL2001)",
    "LoRaMac-node": "class A overflows 64 KB by 8.8 KB (Lora-net/LoRaMac-node issue 490)",
    "lora-rs": "0.65 to 5.5 KB of text for its codec alone (lora-rs/lora-rs)",
}


Sizes = tuple[int, int, int]  # shipped, with line numbers, sources at -O2


def sizes(firmware_dir: Path = image.FIRMWARE_DIR) -> dict[str, Sizes]:
    """Of every .mpy, by its path below the slot."""
    prepared, paths = firmware_mpy.prepared(firmware_dir), firmware_mpy.sources(firmware_dir)
    found = {}
    for name, source in prepared.items():
        plain = paths[name].read_text()
        forms = (source, firmware_mpy.SHIPPED), (source, WITH_LINES), (plain, PLAIN)
        module = firmware_mpy.module_name(name)
        a, b, c = (len(firmware_mpy.mpy(text, module, o)) for text, o in forms)
        found[name] = a, b, c
    return found


def mac_names(names: Iterable[str]) -> list[str]:
    return [n for n in names if n.startswith("revier_mac/") and Path(n).name not in NOT_MAC]


def driver_names(names: Iterable[str]) -> list[str]:
    return [n for n in names if n.removeprefix("revier_node/") in DRIVERS + BESIDE_DRIVER]


def imported(kinds: Sequence[str], folder: Path) -> dict[str, list[str]]:
    """Modules of ours that a joined node of each kind has in memory at the end of a usual wake.

    Of the wakes with an uplink, but for the first: the most frequent; of equals, the larger.
    """
    nodes = [Asked(kind, kind, "heltec_v3", HOURS) for kind in kinds]
    return {kind: usual(wakes) for kind, wakes in watch(nodes, folder).items()}


def usual(wakes: Sequence[Woken]) -> list[str]:
    sending = [wake.modules for wake in wakes if wake.sends and not wake.starts]
    if not sending:
        raise RuntimeError(f"no uplink in {len(wakes)} wakes")
    _, _, modules = max((sending.count(wake), len(wake), sorted(wake)) for wake in sending)
    return modules


def summary(
    mac: Mapping[str, Sizes], drivers: Mapping[str, Sizes], wakes: Mapping[str, tuple[int, int]]
) -> dict[str, Any]:
    """From sizes by path below the slot, and {kind: (modules, bytes)}."""
    total, lines, plain = (sum(size[i] for size in mac.values()) for i in range(3))
    named = {Path(name).name: size[0] for name, size in drivers.items()}
    beside = sum(named[name] for name in BESIDE_DRIVER)
    with_driver = total + beside + max(named[name] for name in DRIVERS if name in named)
    wake = max(size for _, size in wakes.values())
    rows = [_row(name, *size) for name, size in {**mac, **drivers}.items()]
    rows.append(_row("MAC + crypto + EU868", total, lines, plain))
    rows.append(_row("with the larger radio driver", with_driver))
    rows += [_row(f"wake of {kind}: {n} modules", size) for kind, (n, size) in wakes.items()]
    return {
        "name": "mac-size",
        "value": total,
        "unit": "B of .mpy, assertions kept",
        "budget": f"<= {BUDGET_MAC}; with a driver <= {BUDGET_WITH_DRIVER}; wake <= {BUDGET_WAKE}",
        "holds": total <= BUDGET_MAC and with_driver <= BUDGET_WITH_DRIVER and wake <= BUDGET_WAKE,
        "n": {
            "mac_bytes": total,
            "mac_bytes_with_lines": lines,
            "mac_bytes_of_sources_at_o2": plain,
            "with_driver_bytes": with_driver,
            "wake_bytes": {kind: size for kind, (_, size) in wakes.items()},
            "wake_modules": {kind: count for kind, (count, _) in wakes.items()},
        },
        "peer": PEERS,
        "rows": rows,
    }


def _row(what: str, shipped: int, lines: int | str = "", plain: int | str = "") -> dict[str, Any]:
    return {"what": what, "shipped": shipped, "with_lines": lines, "sources_at_o2": plain}


def measure() -> dict[str, Any]:
    """About ten seconds."""
    all_sizes = sizes()
    wakes = {}
    with tempfile.TemporaryDirectory(prefix="revier-mac-size-") as folder:
        shipped = {name: size[0] for name, size in all_sizes.items()}
        for kind, modules in imported(KINDS, Path(folder)).items():
            wakes[kind] = (len(modules), wake_bytes(modules, shipped))
    return summary(
        {name: all_sizes[name] for name in mac_names(all_sizes)},
        {name: all_sizes[name] for name in driver_names(all_sizes)},
        wakes,
    )
