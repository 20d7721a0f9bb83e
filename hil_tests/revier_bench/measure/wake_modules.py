# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What wakes of joined nodes import and keep: the project's image on virtual boards.

At deepsleep() the interpreter's sys.modules says what was imported, and its heap what is alive
after a collection, beside what there was before the application.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from revier_bench import image
from revier_bench.chips.environments import Still
from revier_bench.measure.energy_network import AnsweringAir
from revier_bench.measure.sim_speed import joined_flash
from revier_bench.network_server.frames import SessionKeys
from revier_bench.virtual_board import BoardSpec, Kernel, build_board

MARK = "modules "
HOUR_US = 3_600_000_000
# A start, the wait after it, a join and its diagnosis are no wakes of every day
START = ("revier_node.seldom", "revier_node.waiting")
_KEYS = SessionKeys(bytes(range(16)), bytes(range(16, 32)))  # joined_flash's session
_HOOK = f"""
import gc, machine, sys
gc.collect()
_before = gc.mem_alloc()
_deepsleep = machine.deepsleep
def _listed(*arguments):
    gc.collect()
    print('{MARK}' + str(gc.mem_alloc() - _before), *sys.modules)
    _deepsleep(*arguments)
machine.deepsleep = _listed
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A node: `config` goes into /node.json, `hours` is how long it is watched."""

    name: str
    kind: str
    board: str
    hours: float
    config: Mapping[str, Any] = field(default_factory=dict)
    environment: Callable[[], Still] = Still


@dataclass(frozen=True, slots=True)
class Woken:
    """One wake: modules of ours, bytes alive at its end (words of 64 bits)."""

    modules: frozenset[str]
    alive: int

    @property
    def sends(self) -> bool:
        return "revier_mac.device" in self.modules

    @property
    def starts(self) -> bool:
        return any(name in self.modules for name in START)


def wake_bytes(modules: Iterable[str], shipped: Mapping[str, int]) -> int:
    """An empty package is a folder without a file. shipped: bytes by path below the slot."""
    return sum(shipped[name] for name in files(modules, shipped))


def files(modules: Iterable[str], shipped: Mapping[str, Any]) -> list[str]:
    paths = [module.replace(".", "/") for module in modules]
    names = [f"{p}.mpy" if f"{p}.mpy" in shipped else f"{p}/__init__.mpy" for p in paths]
    return sorted(name for name in names if name in shipped)


def watch(nodes: Sequence[Asked], folder: Path) -> dict[str, list[Woken]]:
    """Wakes of each node, by its name, in their order. A network answers half of its questions."""
    build_dir = folder / "build"
    base = image.build(build_dir)
    main = (image.FIRMWARE_DIR / "image" / "main.py").read_text()
    found: dict[str, list[Woken]] = {node.name: [] for node in nodes}
    for hours in sorted({node.hours for node in nodes}):
        with Kernel(build_dir=build_dir) as kernel:
            for number, node in enumerate(n for n in nodes if n.hours == hours):
                place = folder / f"{hours:g} h"
                flash = joined_flash(node.kind, number, place, build_dir, base, dev_nonce=1)
                config = json.dumps({"kind": node.kind, "board": node.board, **node.config})
                changed = {"/main.py": (_HOOK + main).encode(), "/node.json": config.encode()}
                image.write_files(flash, changed, build_dir)
                _start(kernel, node, number, flash, folder, found[node.name])
            kernel.run_until(int(hours * HOUR_US))
    return found


def _start(
    kernel: Kernel, node: Asked, number: int, flash: Path, folder: Path, wakes: list[Woken]
) -> None:
    spec = BoardSpec(
        name=node.name,
        mac=number.to_bytes(6, "big"),
        flash_image=flash,
        work_dir=folder,
        kind=node.kind,
        board=node.board,
    )
    # the session's DevAddr is on the wire as the number, little endian
    air = AnsweringAir(_KEYS, number.to_bytes(4, "big"), kernel.at)
    board = build_board(kernel, spec, air, node.environment())
    air.radio = board.radio

    def hear(_t_us: int, line: str) -> None:
        if line.startswith(MARK):
            alive, *names = line[len(MARK) :].split()
            ours = frozenset(name for name in names if name.startswith("revier_"))
            wakes.append(Woken(ours, int(alive)))

    board.on_console_line = hear
    board.power_on()
