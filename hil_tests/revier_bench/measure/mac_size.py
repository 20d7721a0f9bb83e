# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""mac-size: bytes of .mpy of the MAC, of a radio driver, and of what a usual wake imports.

Judged is what a node gets (firmware_mpy.py): assertions kept, constants inlined, no line numbers.
Beside it the same with line numbers, and the sources as they are at -O2, where mpy-cross removes
assertions. MAC = all of revier_mac (frames.py is the cryptography, airtime.py is EU868) but TS003,
an application of its own that no uplink needs. A driver counts with radio_bus.py; radio.py, which
serves both drivers, is printed beside it and counted too.

The wake is run: the project's image on the virtual board, joined before; at deepsleep() the
interpreter's sys.modules says what was imported.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from revier_bench import firmware_mpy, image
from revier_bench.chips.environments import Still
from revier_bench.measure.sim_speed import joined_flash
from revier_bench.virtual_board import BoardSpec, Kernel, build_board
from revier_bench.world.air import NullAir

BUDGET_MAC = 16 * 1024
BUDGET_WITH_DRIVER = 28 * 1024
BUDGET_WAKE = 40 * 1024
NOT_MAC = ("ts003.mpy",)
DRIVERS = ("sx1262.mpy", "sx1276.mpy")
BESIDE_DRIVER = ("radio_bus.mpy", "radio.mpy")
KINDS = ("parking", "waste", "air")
WITH_LINES = ("-O0",)
PLAIN = ("-O2",)
FIRST_US = 2 * 3_600_000_000  # power-on, diagnosis, first clock synchronisation
WAKES_US = 8 * 3_600_000_000
MARK = "modules "
PEERS = {
    "LoRa Basics Modem": ">= 40 KB of flash, class A, one region (its porting guide, SWL2001)",
    "LoRaMac-node": "class A overflows 64 KB by 8.8 KB (Lora-net/LoRaMac-node issue 490)",
    "lora-rs": "0.65 to 5.5 KB of text for its codec alone (lora-rs/lora-rs)",
}


Sizes = tuple[int, int, int]  # shipped, with line numbers, sources at -O2


def sizes(firmware_dir: Path = image.FIRMWARE_DIR) -> dict[str, Sizes]:
    """Of every .mpy, by its path below the slot, as it is installed (the name in it counts)."""
    prepared, paths = firmware_mpy.prepared(firmware_dir), firmware_mpy.sources(firmware_dir)
    found = {}
    for name, source in prepared.items():
        plain = paths[name].read_text()
        forms = (source, firmware_mpy.SHIPPED), (source, WITH_LINES), (plain, PLAIN)
        a, b, c = (len(firmware_mpy.mpy(text, f"/a/{name}", o)) for text, o in forms)
        found[name] = a, b, c
    return found


def mac_names(names: Iterable[str]) -> list[str]:
    return [n for n in names if n.startswith("revier_mac/") and Path(n).name not in NOT_MAC]


def driver_names(names: Iterable[str]) -> list[str]:
    return [n for n in names if n.removeprefix("revier_node/") in DRIVERS + BESIDE_DRIVER]


def wake_bytes(modules: Iterable[str], shipped: Mapping[str, Sizes]) -> int:
    """An empty package is a folder without a file."""
    files = [module.replace(".", "/") for module in modules]
    names = [f"{f}.mpy" if f"{f}.mpy" in shipped else f"{f}/__init__.mpy" for f in files]
    return sum(shipped[name][0] for name in names if name in shipped)


def imported(kind: str, folder: Path) -> list[str]:
    """Modules of ours that a joined node of this kind has in memory at the end of a usual wake.

    Of the wakes with an uplink in six hours, after two: the most frequent; of equals, the larger.
    """
    build_dir = folder / "build"
    flash = joined_flash(kind, 1, folder, build_dir, image.build(build_dir))
    main = (image.FIRMWARE_DIR / "image" / "main.py").read_text()
    listing = (
        "import machine, sys\n"
        "_deepsleep = machine.deepsleep\n"
        "def _listed(*arguments):\n"
        f"    print('{MARK}' + ' '.join(sys.modules))\n"
        "    _deepsleep(*arguments)\n"
        "machine.deepsleep = _listed\n"
    )
    image.write_files(flash, {"/main.py": (listing + main).encode()}, build_dir)
    wakes: list[list[str]] = []

    def hear(t_us: int, line: str) -> None:
        if t_us > FIRST_US and line.startswith(MARK):
            names = line[len(MARK) :].split()
            wakes.append(sorted(name for name in names if name.startswith("revier_")))

    with Kernel(build_dir=build_dir) as kernel:
        spec = BoardSpec(name=kind, mac=bytes(6), flash_image=flash, work_dir=folder, kind=kind)
        board = build_board(kernel, spec, NullAir(), Still())
        board.on_console_line = hear
        board.power_on()
        kernel.run_until(WAKES_US)
    usual = [wake for wake in wakes if "revier_mac.device" in wake]
    if not usual:
        raise RuntimeError(f"{kind}: no uplink in {len(wakes)} wakes")
    ranked = sorted(usual, key=lambda wake: (usual.count(wake), len(wake)))
    return ranked[-1]


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
        for kind in KINDS:
            modules = imported(kind, Path(folder))
            wakes[kind] = (len(modules), wake_bytes(modules, all_sizes))
    return summary(
        {name: all_sizes[name] for name in mac_names(all_sizes)},
        {name: all_sizes[name] for name in driver_names(all_sizes)},
        wakes,
    )
