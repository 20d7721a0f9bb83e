# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""firmware-size: bytes of .mpy of each room, and what the wakes of every kind and board take.

The shipped firmware runs on virtual boards (wake_modules.py), the network answers some of its
questions. Judged is each kind of wake with an uplink, the batch of an hour, an event and the
twelfth reading that goes to the flash among them. Printed beside them, and not judged by their
imports: wakes that begin something new, hear the network (once a day) or renew a lease (every 128th
uplink). The free heap is judged in all.

Heap at the end of a wake: what the modules keep, in words of 32 bits, and all other objects as they
are in words of 64, which is more than the chip's. Without Node.js (chip_heap.py) all of it is in
words of 64 bits: an upper bound, by a factor of 1.4 for modules, and said in the unit.
"""

from __future__ import annotations

import ast
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from revier_bench import firmware_mpy
from revier_bench.chips.environments import Still
from revier_bench.measure import chip_heap
from revier_bench.measure.mac_size import BUDGET_WAKE, KINDS
from revier_bench.measure.wake_modules import HOUR_US, Asked, Woken, files, wake_bytes, watch
from revier_bench.virtual_board.wiring import BOARDS_DIR

HEAP_BYTES = 165 * 1024  # an ESP32 without PSRAM, stock MicroPython
BUDGET_FREE = 50 * 1024
ROOMS = ("revier_payload", "revier_mac", "revier_node")
PARTS = ("revier_node/sensors", "revier_node/kinds")
HOURS = {"parking": 14, "waste": 7.5, "air": 2.25}
MODES = ("batch", "change")
BOARD = "heltec_v3"
# module: why a wake that imports it is none of every day
SELDOM = {
    "revier_node.seldom": "start, join or diagnosis",
    "revier_node.waiting": "wait after a start",
    "revier_node.news": "the network has spoken",
    "revier_node.store_lease": "a lease is renewed",
}
# what a module that is only imported asks of the port
STUBS = {
    "machine.py": "ADC = I2C = SPI = UART = Pin = RTC = None",
    "esp32.py": "NVS = None",
    "cryptolib.py": "aes = None",
}
_CARS_UT = ((19.2, 1.0, 85.4), (19.2, 1.0, 45.4))


@dataclass(frozen=True, slots=True)
class Row:
    """Wakes of a node that import the same. `share` of its wakes; bytes."""

    node: str
    why: str
    share: float
    modules: int
    imports: int
    heap: int

    @property
    def free(self) -> int:
        return HEAP_BYTES - self.heap

    @property
    def judged(self) -> bool:
        return self.why not in SELDOM.values()

    @property
    def holds(self) -> bool:
        return self.free >= BUDGET_FREE and (self.imports <= BUDGET_WAKE or not self.judged)


def bay() -> Still:
    """Cars come and go."""
    still = Still()
    still.changes_us = tuple(
        (int((hour + 0.4) * HOUR_US), _CARS_UT[number % 2])
        for number, hour in enumerate(range(3, 12))
    )
    return still


def nodes() -> list[Asked]:
    """Every kind on every shipped board, and the air node's other ways to report."""
    found = []
    for path in sorted(BOARDS_DIR.glob("*.json")):
        for kind in KINDS:
            name = f"{kind}, {path.stem}"
            place = bay if kind == "parking" else Still
            found.append(Asked(name, kind, path.stem, HOURS[kind], environment=place))
    for mode in MODES:
        name = f"air, {BOARD}, {mode}"
        found.append(Asked(name, "air", BOARD, HOURS["air"], {"report": mode}))
    return found


def why(modules: frozenset[str]) -> str:
    for module, reason in SELDOM.items():
        if module in modules:
            return reason
    return "sends" if "revier_mac.device" in modules else "sends nothing"


def rows_of(
    name: str, wakes: Sequence[Woken], shipped: Mapping[str, int], heaps: Heaps
) -> list[Row]:
    """The largest of each reason; of those that send also the usual one and what it lacks."""
    counts = Counter(wake.modules for wake in wakes)
    chosen: dict[str, frozenset[str]] = {}
    for modules in sorted(counts, key=lambda one: wake_bytes(one, shipped)):
        chosen[_named(modules)] = modules
    return [
        Row(
            name,
            reason,
            counts[modules] / len(wakes),
            len(modules),
            wake_bytes(modules, shipped),
            max(heaps.of(wake) for wake in wakes if wake.modules == modules),
        )
        for reason, modules in chosen.items()
    ]


_SENDING = {
    "revier_node.reading_log": "sends, and readings go to the flash",
    "revier_node.parking_change": "sends an event",
    "revier_node.kinds.air_hour": "sends an hour",
}


def _named(modules: frozenset[str]) -> str:
    reason = why(modules)
    if reason == "sends":
        for module, what in _SENDING.items():
            if module in modules:
                return what
    return reason


class Heaps:
    """What a wake keeps on the chip's heap, from what it kept on the virtual board's."""

    def __init__(self, modules: Iterable[str]) -> None:
        self.mjs = chip_heap.wasm()
        self._saved = narrow_saves(modules, self.mjs) if self.mjs else {}

    def of(self, wake: Woken) -> int:
        return wake.alive - sum(self._saved.get(module, 0) for module in wake.modules)


def narrow_saves(modules: Iterable[str], mjs: Path) -> dict[str, int]:
    """By how many bytes each module alone is smaller in words of 32 bits."""
    order = leaves_first(modules)
    # the interpreter's own first import is no module's
    steps = ["import cryptolib, esp32, machine", *(f"import {name}" for name in order)]
    names = files(order, firmware_mpy.prepared())
    wide = chip_heap.alive(names, steps, beside=STUBS)
    narrow = chip_heap.alive(names, steps, mjs, STUBS)
    return {
        name: (wide[i + 1] - wide[i]) - (narrow[i + 1] - narrow[i]) for i, name in enumerate(order)
    }


def leaves_first(modules: Iterable[str]) -> list[str]:
    """Each after what it imports as it is loaded itself."""
    texts = {firmware_mpy.module_name(name): text for name, text in firmware_mpy.prepared().items()}
    order: list[str] = []

    def put(module: str) -> None:
        if module not in texts or module in order:
            return
        for node in ast.parse(texts[module]).body:
            if isinstance(node, ast.ImportFrom) and node.module:
                put(node.module)
                for alias in node.names:
                    put(f"{node.module}.{alias.name}")
        order.append(module)

    for module in sorted(modules):
        put(module)
    return order


def summary(rooms: Mapping[str, int], rows: Sequence[Row], word_bits: int) -> dict[str, Any]:
    """From bytes of each room and the wakes."""
    judged = [row for row in rows if row.judged]
    worst = max(judged, key=lambda row: row.imports)
    least = min(rows, key=lambda row: row.free)
    return {
        "name": "firmware-size",
        "value": worst.imports,
        "unit": f"B of .mpy, the largest normal wake; heap in words of {word_bits} bits",
        "budget": f"<= {BUDGET_WAKE}; free heap >= {BUDGET_FREE} of {HEAP_BYTES}",
        "holds": all(row.holds for row in rows),
        "n": {
            "rooms": dict(rooms),
            "largest_wake": f"{worst.node}: {worst.why}",
            "least_free_bytes": least.free,
            "least_free": f"{least.node}: {least.why}",
            "heap_of_32_bit_words": "measured" if word_bits == 32 else "not run: no Node.js build",
        },
        "peer": {},
        "rows": [{"what": room, "bytes": size} for room, size in rooms.items()]
        + [
            {
                "what": f"{row.node}: {row.why}",
                "bytes": row.imports,
                "modules": row.modules,
                "free heap": row.free,
                "share of wakes": f"{row.share:.0%}",
                "judged": "imports, heap" if row.judged else "heap",
            }
            for row in rows
        ],
    }


def measure() -> dict[str, Any]:
    """About half a minute."""
    shipped = {name: len(data) for name, data in firmware_mpy.compiled().items()}
    rooms = {
        place: sum(size for name, size in shipped.items() if name.startswith(place + "/"))
        for place in ROOMS + PARTS
    }
    with tempfile.TemporaryDirectory(prefix="revier-firmware-size-") as folder:
        found = watch(nodes(), Path(folder))
    heaps = Heaps({name for wakes in found.values() for wake in wakes for name in wake.modules})
    rows = [row for name, wakes in found.items() for row in rows_of(name, wakes, shipped, heaps)]
    return summary(rooms, rows, 32 if heaps.mjs else 64)
