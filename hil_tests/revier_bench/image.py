# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The node's flash image: firmware compiled by mpy-cross, written as LittleFS by MicroPython.

Layout: /boot.py /main.py /trial.py /boards/*.json
/a/revier_payload/*.mpy /a/revier_mac/*.mpy /a/revier_node/**.mpy. A node's own
/node.json and NVS come from provisioning.
"""

import hashlib
import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from revier_bench import firmware_mpy
from revier_bench.virtual_board.flash import new_image
from revier_bench.virtual_board.shim_build import build_shim

FIRMWARE_DIR = firmware_mpy.FIRMWARE_DIR
_TIMEOUT_S = 60
_LAUNCH = "import sys; from micropython_run import run_main; sys.exit(run_main(sys.argv[1:]))"


def build(build_dir: Path, firmware_dir: Path = FIRMWARE_DIR) -> Path:
    """The image of the firmware as it is now; made once per content, kept in build_dir.

    Read only: copy it for each board (virtual_board.clone_image). Raises RuntimeError with
    mpy-cross's words if a file does not compile, with board_check's if a description is wrong.
    """
    build_dir.mkdir(parents=True, exist_ok=True)
    check_boards(firmware_dir / "image" / "boards")
    made_of = sources(firmware_dir)
    digest = hashlib.sha256(firmware_mpy.recipe())
    for name, path in made_of.items():
        digest.update(name.encode() + b"\0" + path.read_bytes())
    image = build_dir / f"node-{digest.hexdigest()[:16]}.img"
    if image.exists():
        return image
    with tempfile.TemporaryDirectory(dir=build_dir) as folder:
        staging = Path(folder) / "files"
        for name, data in firmware_mpy.compiled(firmware_dir).items():
            _stage(staging, f"a/{name}", data)
        for name, data in root_files(firmware_dir).items():
            _stage(staging, name, data)
        making = Path(folder) / "image"
        new_image(making)
        _run(build_dir, making, staging, "in")
        making.replace(image)
    return image


def check_boards(folder: Path) -> None:
    """What the node's self-test would refuse, is not built. Raises RuntimeError."""
    board_check = importlib.import_module("revier_node.board_check")
    for path in sorted(folder.glob("*.json")):
        wrong = board_check.problems(json.loads(path.read_text("utf-8")))
        if wrong:
            raise RuntimeError(f"{path.name}: {'; '.join(wrong)}")


def sources(firmware_dir: Path) -> dict[str, Path]:
    """All that the image is made of."""
    compiled = firmware_mpy.sources(firmware_dir)
    return {**{f"a/{name}": path for name, path in compiled.items()}, **_files(firmware_dir)}


def root_files(firmware_dir: Path = FIRMWARE_DIR) -> dict[str, bytes]:
    """What lies beside the slots, by its path below /."""
    texts = {name: path.read_text() for name, path in _files(firmware_dir).items()}
    return {
        name: (firmware_mpy.uncommented(text) if name.endswith(".py") else text).encode()
        for name, text in texts.items()
    }


def _files(firmware_dir: Path) -> dict[str, Path]:
    """Path in the image -> file that is copied."""
    found = {name: firmware_dir / "image" / name for name in ("boot.py", "main.py", "trial.py")}
    for path in sorted((firmware_dir / "image" / "boards").glob("*.json")):
        found[f"boards/{path.name}"] = path
    return found


def _stage(staging: Path, name: str, data: bytes) -> None:
    target = staging / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)


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
