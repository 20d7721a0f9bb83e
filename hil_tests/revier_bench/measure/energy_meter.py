# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The meter inside the node, and an image of the firmware that runs on it.

_meter is a module of the node (MicroPython). It makes the board's clock go on by what the work
since its last call takes on the chip, so that the recorded timeline holds it. It takes no heap:
the firmware locks its heap from SetTx to the end of RX2.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from revier_bench import firmware_mpy, image
from revier_bench.measure import energy_bytecode
from revier_bench.measure.energy_table import Cpu
from revier_bench.virtual_board.flash import clone_image

LINE = "bench cpu"
_SOURCE = """
import _link

ns = 0
bytecodes = body_bytecodes = modules = collections = 0
import_us = 0
tx_end = 0

def _spend(more):
    global ns
    ns += more
    us = ns // 1000
    ns -= us * 1000
    if us:
        _link.spend(us)
    return us

def run(n):
    global bytecodes
    bytecodes += n
    _spend(n * {bytecode_ns})
    return True

def load_body(n):
    global body_bytecodes, import_us
    body_bytecodes += n
    import_us += _spend(n * {bytecode_ns})

def load(size):
    global import_us, modules
    modules += 1
    if size:
        import_us += _spend({file_us} * 1000 + size * {load_byte_ns})

def compiled(size):
    global import_us
    import_us += _spend({file_us} * 1000 + size * {compile_byte_ns})

def open_file(path, mode="r"):
    _spend({file_us} * 1000)
    return open(path, mode)

def collected(_):
    global collections
    collections += 1
    _spend({gc_us} * 1000)

def console(text):
    global tx_end
    tx_end = max(tx_end, _link.now) + (len(text) + 2) * {uart_byte_us}
    full = tx_end - {uart_fifo} * {uart_byte_us} - _link.now
    if full > 0:
        _link.spend(full)
    print(text)

def mark(_):
    print("{line} import_us=%d bytecodes=%d body_bytecodes=%d modules=%d collections=%d"
          % (import_us, bytecodes, body_bytecodes, modules, collections))

def report(_):
    if tx_end > _link.now:
        _link.spend(tx_end - _link.now)
    mark(0)
"""


def meter_source(cpu: Cpu) -> str:
    fields = {name: getattr(cpu, name) for name in cpu.__slots__}
    return _SOURCE.format(line=LINE, **fields)


def metered_image(build_dir: Path, cpu: Cpu, frozen: bool) -> Path:
    """The firmware as it is now, on the meter. `frozen`: nothing is read or compiled to import."""
    tree = build_dir / f"metered-{frozen}"
    shutil.copytree(image.FIRMWARE_DIR / "image", tree / "image", dirs_exist_ok=True)
    code = _code(tree, inlined=not frozen)
    shipped = image.read_files(image.build(build_dir), build_dir)
    loads = {name: _load(name, 0 if frozen else len(shipped.get("/" + name, b""))) for name in code}
    for name, text in energy_bytecode.meter_files(code, loads).items():
        code[name].write_text(text)
    metered = clone_image(image.build(build_dir, tree), build_dir / f"metered-{frozen}.img")
    name = f"/lib/{energy_bytecode.METER}.py"
    image.write_files(metered, {name: meter_source(cpu).encode()}, build_dir)
    return metered


def _code(tree: Path, inlined: bool) -> dict[str, Path]:
    """Copies of the sources in `tree`, by their names in the image; frozen ones are not inlined."""
    prepared = firmware_mpy.prepared() if inlined else {}
    code = {}
    for name, path in image.sources(image.FIRMWARE_DIR).items():
        if path.suffix == ".py":
            code[name] = tree / path.relative_to(image.FIRMWARE_DIR)
            code[name].parent.mkdir(parents=True, exist_ok=True)
            code[name].write_text(prepared.get(name.removeprefix("a/"), path.read_text()))
    return code


def _load(name: str, size: int) -> str:
    return f"compiled({size})" if size and name.endswith(".py") else f"load({size})"
