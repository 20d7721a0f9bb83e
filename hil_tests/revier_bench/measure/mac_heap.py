# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""mac-heap: what the MAC keeps alive on MicroPython's heap, import and life apart.

The shipped .mpy files run on real MicroPython (chip_heap.py): before the import, after it, after a
join, and in the first window after the longest uplink with sixteen channels. Where the build with
the chip's words of 32 bits is there its figures are judged; otherwise the larger ones of 64 bits
are, as an upper bound, not halved.

The cipher is a stub on both (the WebAssembly build has no cryptolib): the contexts of the chip's
three AES objects are the port's, not the MAC's. What the steps define themselves is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from revier_bench import firmware_mpy
from revier_bench.measure import chip_heap
from revier_bench.measure import duty_network as network
from revier_bench.measure.mac_size import mac_names
from revier_mac import actions as act
from revier_mac.device import Device

BUDGET_ALIVE = 12 * 1024
BUDGET_PER_BYTE = 3.0
STEPS = ("start", "import", "joined", "in the window")

_IMPORT = f"""
import gc, sys
from revier_mac import actions, airtime, commands, device, frames, joining, session
TX_DONE, FINISH = {act.TX_DONE}, {act.FINISH}
"""
_JOIN = """
class NoCipher:
    def __init__(self, key): pass
    def encrypt(self, source, target): target[:] = source
node = device.Device(actions.Identity(bytes(8), bytes(8), bytes(16), 0), NoCipher)
node.adr = False
def exchange(made, frame):
    assert type(made[-1]) is actions.Transmit, made
    node.handle(TX_DONE, 5000)
    node.received(frame, len(frame), -90, 7)
    return node.handle(FINISH, 8000)
exchange(node.join(1000, 1), bytes.fromhex("{accept}"))
assert node.joined
"""
_UPLINK = """
exchange(node.send(10, b"x", False, 10000, 1), bytes.fromhex("{orders}"))
exchange(node.send(10, b"x", False, 20000, 2), bytes.fromhex("{ack}"))
assert node.session.defined_mask() == 0xFFFF
node.session.dr = 5
made = node.send(10, bytes(node.payload_max()), False, 30000, 3)
assert len(made[-1].payload) == 255
del made
windows = node.handle(TX_DONE, 31000)
"""


def steps() -> list[str]:
    """Code to run one after the other; the frames that it hears are made here."""
    device = Device(act.Identity(bytes(8), bytes(8), bytes(16), 0), network.NoCipher)
    accept = network.join_accept(1)
    device.join(1000, 1)
    _hear(device, accept)
    device.send(10, b"x", False, 10_000, 1)
    orders = network.orders(device.session, b"".join(network.new_channels()))
    _hear(device, orders)
    device.send(10, b"x", False, 20_000, 2)
    ack = network.orders(device.session, b"")
    join = _JOIN.replace("{accept}", accept.hex())
    return ["", _IMPORT, join, _UPLINK.format(orders=orders.hex(), ack=ack.hex())]


def _hear(device: Device, frame: bytearray) -> None:
    device.handle(act.TX_DONE, 5000)
    device.received(frame, len(frame), -90, 7)
    device.handle(act.FINISH, 8000)


def alive(mjs: Path | None = None) -> dict[str, int]:
    """Bytes alive after each of STEPS; `mjs` for 32 bits. RuntimeError with the runner's words."""
    names = mac_names(firmware_mpy.prepared())
    return dict(zip(STEPS, chip_heap.alive(names, steps(), mjs), strict=True))


def figures(found: Mapping[str, int], mpy_bytes: int) -> dict[str, float]:
    imported = found["import"] - found["start"]
    return {
        "import_bytes": imported,
        "import_per_mpy_byte": round(imported / mpy_bytes, 2),
        "joined_bytes": found["joined"] - found["import"],
        "window_bytes": found["in the window"] - found["import"],
    }


def summary(by_word: Mapping[int, Mapping[str, float]]) -> dict[str, Any]:
    """From the figures of each word size; the smallest, the chip's, is judged."""
    bits = min(by_word)
    judged = by_word[bits]
    alive_bytes = max(judged["joined_bytes"], judged["window_bytes"])
    return {
        "name": "mac-heap",
        "value": alive_bytes,
        "unit": f"B alive beside the import, words of {bits} bits",
        "budget": f"<= {BUDGET_ALIVE}; import <= {BUDGET_PER_BYTE:g} B for a byte of .mpy",
        "holds": alive_bytes <= BUDGET_ALIVE and judged["import_per_mpy_byte"] <= BUDGET_PER_BYTE,
        "n": {f"{bits}_bit": dict(found) for bits, found in by_word.items()},
        "peer": {
            "LoRa Basics Modem": ">= 6 KB of RAM (its porting guide, SWL2001)",
            "LMIC": "4.2 KB of RAM on an AVR (mcci-catena/arduino-lmic)",
        },
        "rows": [{"words": f"{bits} bit", **found} for bits, found in by_word.items()],
    }


def measure() -> dict[str, Any]:
    """A second or two."""
    shipped = firmware_mpy.compiled()
    sizes = sum(len(shipped[name]) for name in mac_names(shipped))
    by_word = {64: figures(alive(), sizes)}
    mjs = chip_heap.wasm()
    if mjs is not None:
        by_word[32] = figures(alive(mjs), sizes)
    return summary(by_word)
