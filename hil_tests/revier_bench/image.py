# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The node's flash image: firmware compiled by mpy-cross, written as LittleFS by MicroPython.

Layout: /boot.py /main.py /a/revier_payload/*.mpy /a/revier_mac/*.mpy /a/revier_node/**.mpy
/boards/*.json. A node's own /node.json and NVS come from provisioning.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from revier_bench.virtual_board.flash import new_image
from revier_bench.virtual_board.shim_build import build_shim, compile_mpy
from revier_payload.generate import MODULES

FIRMWARE_DIR = Path(__file__).parents[2] / "firmware"
PACKAGES = ("revier_payload", "revier_mac", "revier_node")
# Of revier_payload the node has what it packs with; schema and decoders stay outside.
NODE_PAYLOAD = {f"{name}.py" for name in MODULES} | {
    "__init__.py",
    "air_batch.py",
    "backfill.py",
    "configuration.py",
    "edges.py",
    "pack.py",
    "settings.py",
}
MPY_OPTIONS = ("-O2",)
_TIMEOUT_S = 60
_LAUNCH = "import sys; from micropython_run import run_main; sys.exit(run_main(sys.argv[1:]))"


def build(build_dir: Path, firmware_dir: Path = FIRMWARE_DIR) -> Path:
    """The image of the firmware as it is now; made once per content, kept in build_dir.

    Read only: copy it for each board (virtual_board.clone_image). Raises RuntimeError with
    mpy-cross's words if a file does not compile.
    """
    build_dir.mkdir(parents=True, exist_ok=True)
    sources = _sources(firmware_dir)
    digest = hashlib.sha256("".join(MPY_OPTIONS).encode())
    for name, path in sources.items():
        digest.update(name.encode() + b"\0" + path.read_bytes())
    image = build_dir / f"node-{digest.hexdigest()[:16]}.img"
    if image.exists():
        return image
    with tempfile.TemporaryDirectory(dir=build_dir) as folder:
        staging = Path(folder) / "files"
        for name, path in sources.items():
            _stage(staging, name, path)
        making = Path(folder) / "image"
        new_image(making)
        _run(build_dir, making, staging, "in")
        making.replace(image)
    return image


def _sources(firmware_dir: Path) -> dict[str, Path]:
    """Path in the image -> file."""
    found: dict[str, Path] = {}
    for package in PACKAGES:
        for path in sorted((firmware_dir / package).rglob("*.py")):
            if package == "revier_payload" and path.name not in NODE_PAYLOAD:
                continue
            relative = path.relative_to(firmware_dir).with_suffix(".mpy")
            found[f"a/{relative.as_posix()}"] = path
    for name in ("boot.py", "main.py"):
        found[name] = firmware_dir / "image" / name
    for path in sorted((firmware_dir / "image" / "boards").glob("*.json")):
        found[f"boards/{path.name}"] = path
    return found


def _stage(staging: Path, name: str, path: Path) -> None:
    target = staging / name
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.suffix == ".mpy":
        compile_mpy(path, target, "/" + name, MPY_OPTIONS)
    else:
        shutil.copyfile(path, target)


def write_files(image: Path, files: dict[str, bytes], build_dir: Path) -> None:
    """Put files into an image of a board that is off (folders are made, old files replaced)."""
    with tempfile.TemporaryDirectory(dir=image.parent) as folder:
        for name, data in files.items():
            target = Path(folder) / name.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        _run(build_dir, image, Path(folder), "in")


def read_files(image: Path, build_dir: Path) -> dict[str, bytes]:
    """Every file of an image, by its path in it."""
    with tempfile.TemporaryDirectory(dir=image.parent) as folder:
        _run(build_dir, image, Path(folder), "out")
        root = Path(folder)
        return {
            f"/{path.relative_to(root).as_posix()}": path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }


def _run(build_dir: Path, image: Path, folder: Path, direction: str) -> None:
    """The real interpreter mounts the image and copies."""
    build_dir.mkdir(parents=True, exist_ok=True)
    arguments = [str(image.resolve()), str(folder.resolve()), direction]
    done = subprocess.run(
        [sys.executable, "-c", _LAUNCH, "micropython", "-m", "_image", *arguments],
        env={**os.environ, "MICROPYPATH": f"{build_shim(build_dir)}:.frozen"},
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT_S,
    )
    if done.returncode != 0 or "Traceback" in done.stderr + done.stdout:
        raise RuntimeError(f"writing {image.name}: {(done.stdout + done.stderr).strip()}")
