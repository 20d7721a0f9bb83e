# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The firmware's .mpy as a node gets them: constants inlined, assertions kept, no line numbers.

Why: docs/adr/0010-what-the-mpy-holds.md.
"""

import ast
import hashlib
import tempfile
from functools import cache
from pathlib import Path

from revier_bench.constant_inlining import imports, inline
from revier_bench.virtual_board.shim_build import compile_mpy
from revier_payload.generate import MODULES

FIRMWARE_DIR = Path(__file__).parents[2] / "firmware"
PACKAGES = ("revier_payload", "revier_mac", "revier_node")
SHIPPED = ("-O0", "-X", "no-source-lines")
# Of revier_payload the node has what it packs with; schema and decoders stay outside.
NODE_PAYLOAD = {f"{name}.py" for name in MODULES} | {
    "air_batch.py",
    "backfill.py",
    "configuration.py",
    "edges.py",
    "pack.py",
    "settings.py",
}


def sources(firmware_dir: Path = FIRMWARE_DIR) -> dict[str, Path]:
    """Path of the .mpy below the slot -> source."""
    return {
        path.relative_to(firmware_dir).with_suffix(".mpy").as_posix(): path
        for package in PACKAGES
        for path in sorted((firmware_dir / package).rglob("*.py"))
        if path.parent.name != "schema"
        if package != "revier_payload" or path.name in NODE_PAYLOAD
        if not _is_empty_package(path)
    }


def uncommented(text: str) -> str:
    """A file that the node compiles itself, without what costs it time at every wake."""
    return "".join(
        line for line in text.splitlines(keepends=True) if line.strip() and line.lstrip()[0] != "#"
    )


def _is_empty_package(path: Path) -> bool:
    """MicroPython needs no __init__ to see a package in a folder, and a file costs 5 ms to read."""
    return path.name == "__init__.py" and _is_empty(path.read_text())


def _is_empty(text: str) -> bool:
    """Nothing but a docstring."""
    return all(isinstance(node, ast.Expr | ast.Pass) for node in ast.parse(text).body)


def prepared(firmware_dir: Path = FIRMWARE_DIR) -> dict[str, str]:
    """What mpy-cross gets, by the path of the .mpy below the slot.

    A file of constants, all of which are where they are read now, is left out; a package's too.
    """
    found = sources(firmware_dir)
    main = firmware_dir / "image" / "main.py"
    texts = {module_name(name): path.read_text() for name, path in found.items()}
    done = inline(texts, {"main": main.read_text()} if main.exists() else {})
    imported = {name for text in done.values() for name in imports(ast.parse(text))}
    return {
        name: done[module_name(name)]
        for name in found
        if not _is_empty(done[module_name(name)])
        or (module_name(name) in imported and Path(name).stem != "__init__")
    }


def compiled(firmware_dir: Path = FIRMWARE_DIR) -> dict[str, bytes]:
    """The .mpy files by their path below whichever slot. RuntimeError with mpy-cross's words."""
    return {
        name: mpy(text, module_name(name), SHIPPED) for name, text in prepared(firmware_dir).items()
    }


def mpy(text: str, name: str, options: tuple[str, ...]) -> bytes:
    """One .mpy; `name` is what tracebacks show, and counts.

    It is the module's, which MicroPython keeps anyway: a path would be one more string for each
    module that is not in the slot named, and the table of strings doubles at 1,280.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "source.py", Path(folder) / "one.mpy"
        source.write_text(text)
        compile_mpy(source, target, name, options)
        return target.read_bytes()


@cache
def recipe() -> bytes:
    """Changes when the way from source to .mpy does."""
    own = [Path(__file__), Path(__file__).with_name("constant_inlining.py")]
    return hashlib.sha256(b"".join(path.read_bytes() for path in own)).digest()


def module_name(name: str) -> str:
    """revier_node/kinds/__init__.mpy -> revier_node.kinds"""
    return name.removesuffix(".mpy").removesuffix("/__init__").replace("/", ".")
