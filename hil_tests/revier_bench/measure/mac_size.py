# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""mac-size: bytes of .mpy of the MAC, of a radio driver, and of what a usual wake imports.

mpy-cross removes assertions from -O1 on. The figure with them is -O0, which in mpy-cross 1.29
differs from -O2 in nothing else (both keep line numbers; `if __debug__` is not used). Both are
printed, the greater one is judged. MAC = all of revier_mac (frames.py is the cryptography,
airtime.py is EU868) but TS003, an application of its own that no uplink needs. A driver counts
with radio_bus.py; radio.py, which serves both drivers, is printed beside it and counted too.

The wake is run: the project's image on the virtual board, joined before; at deepsleep() the
interpreter's sys.modules says what was imported.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from revier_bench import image
from revier_bench.chips.environments import Still
from revier_bench.measure.sim_speed import joined_flash
from revier_bench.virtual_board import BoardSpec, Kernel, build_board
from revier_bench.virtual_board.shim_build import compile_mpy
from revier_bench.world.air import NullAir

BUDGET_MAC = 16 * 1024
BUDGET_WITH_DRIVER = 28 * 1024
BUDGET_WAKE = 40 * 1024
NOT_MAC = ("ts003.py",)
DRIVERS = ("sx1262.py", "sx1276.py")
BESIDE_DRIVER = ("radio_bus.py", "radio.py")
KINDS = ("parking", "waste", "air")
KEPT = ("-O0",)
STRIPPED = ("-O2",)
FIRST_US = 2 * 3_600_000_000  # power-on, diagnosis, first clock synchronisation
WAKES_US = 8 * 3_600_000_000
MARK = "modules "
PEERS = {
    "LoRa Basics Modem": ">= 40 KB of flash, class A, one region (its porting guide, SWL2001)",
    "LoRaMac-node": "class A overflows 64 KB by 8.8 KB (Lora-net/LoRaMac-node issue 490)",
    "lora-rs": "0.65 to 5.5 KB of text for its codec alone (lora-rs/lora-rs)",
}


def mpy_bytes(source: Path, options: tuple[str, ...]) -> int:
    """Size of the .mpy as it is installed (the name in it counts)."""
    name = f"/a/{source.relative_to(image.FIRMWARE_DIR).with_suffix('.mpy').as_posix()}"
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "one.mpy"
        compile_mpy(source, target, name, options)
        return target.stat().st_size


def mac_sources(firmware_dir: Path = image.FIRMWARE_DIR) -> list[Path]:
    found = sorted((firmware_dir / "revier_mac").glob("*.py"))
    return [path for path in found if path.name not in NOT_MAC]


def driver_sources(firmware_dir: Path = image.FIRMWARE_DIR) -> list[Path]:
    found = [firmware_dir / "revier_node" / name for name in DRIVERS + BESIDE_DRIVER]
    return [path for path in found if path.exists()]


def module_path(name: str) -> Path:
    """The source of a module of ours."""
    base = image.FIRMWARE_DIR.joinpath(*name.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def wake_bytes(modules: Iterable[str]) -> int:
    return sum(mpy_bytes(module_path(name), STRIPPED) for name in modules)


def imported(kind: str, folder: Path) -> list[str]:
    """Modules of ours that a joined node of this kind has in memory at the end of a usual wake.

    Of the wakes of six hours, after two, the one that imported the most modules.
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
    return max(usual, key=len)


def summary(
    mac: Mapping[str, tuple[int, int]],
    drivers: Mapping[str, tuple[int, int]],
    wakes: Mapping[str, tuple[int, int]],
) -> dict[str, Any]:
    """From {file: (bytes with assertions, bytes at -O2)} and {kind: (modules, bytes)}."""
    kept, stripped = (sum(size[i] for size in mac.values()) for i in (0, 1))
    beside = sum(drivers[name][0] for name in BESIDE_DRIVER)
    with_driver = kept + beside + max(drivers[name][0] for name in DRIVERS if name in drivers)
    wake = max(size for _, size in wakes.values())
    rows = [_row("revier_mac/" + name, *sizes) for name, sizes in mac.items()]
    rows += [_row("revier_node/" + name, *sizes) for name, sizes in drivers.items()]
    rows.append(_row("MAC + crypto + EU868", kept, stripped))
    rows.append(_row("with the larger radio driver", with_driver, None))
    rows += [_row(f"wake of {kind}: {n} modules", None, size) for kind, (n, size) in wakes.items()]
    return {
        "name": "mac-size",
        "value": kept,
        "unit": "B of .mpy with assertions",
        "budget": f"<= {BUDGET_MAC}; with a driver <= {BUDGET_WITH_DRIVER}; wake <= {BUDGET_WAKE}",
        "holds": kept <= BUDGET_MAC and with_driver <= BUDGET_WITH_DRIVER and wake <= BUDGET_WAKE,
        "n": {
            "mac_bytes_with_assertions": kept,
            "mac_bytes_o2": stripped,
            "with_driver_bytes": with_driver,
            "wake_bytes": {kind: size for kind, (_, size) in wakes.items()},
            "wake_modules": {kind: count for kind, (count, _) in wakes.items()},
        },
        "peer": PEERS,
        "rows": rows,
    }


def _row(what: str, kept: int | None, stripped: int | None) -> dict[str, Any]:
    return {"what": what, "with_assertions": kept or "", "o2": stripped or ""}


def _both(source: Path) -> tuple[int, int]:
    return mpy_bytes(source, KEPT), mpy_bytes(source, STRIPPED)


def measure() -> dict[str, Any]:
    """About five seconds."""
    wakes = {}
    with tempfile.TemporaryDirectory(prefix="revier-mac-size-") as folder:
        for kind in KINDS:
            modules = imported(kind, Path(folder))
            wakes[kind] = (len(modules), wake_bytes(modules))
    return summary(
        {path.name: _both(path) for path in mac_sources()},
        {path.name: _both(path) for path in driver_sources()},
        wakes,
    )
