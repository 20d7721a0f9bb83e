# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The frozen image holds what is shipped, neither more nor less."""

from pathlib import Path
from typing import Any

import pytest

from revier_bench import image

MANIFEST = image.FIRMWARE_DIR / "image" / "manifest.py"
PORT = {"flashbdev.py", "inisetup.py"}  # modules of MicroPython's own that _boot.py needs


def frozen(text: str) -> dict[str, Path]:
    """Name in the image -> file, as makemanifest.py would take them; relative to the manifest."""
    found: dict[str, Path] = {}

    def add(base: Path, name: str, opt: int) -> None:
        assert opt == 0, name  # assertions are kept, as in the flash
        assert name not in found, name
        found[name] = (MANIFEST.parent / base / name).resolve()

    def module(name: str, base_path: str = ".", opt: int = 0) -> None:
        add(Path(base_path), name, opt)

    def package(name: str, files: tuple[str, ...], base_path: str = ".", opt: int = 0) -> None:
        for file in files:
            add(Path(base_path), f"{name}/{file}", opt)

    def freeze(path: str, script: tuple[str, ...]) -> None:
        assert path == "$(PORT_DIR)/modules"
        assert set(script) == PORT

    names: dict[str, Any] = {"module": module, "package": package, "freeze": freeze}
    exec(compile(text, str(MANIFEST), "exec"), names)
    return found


def shipped() -> dict[str, Path]:
    """Every code of a node's flash, under its name in the frozen image."""
    return {
        str(Path(name.removeprefix("a/")).with_suffix(".py")): path.resolve()
        for name, path in image.sources(image.FIRMWARE_DIR).items()
        if path.suffix == ".py"
    }


def test_what_is_frozen_is_what_is_shipped():
    found = frozen(MANIFEST.read_text())
    boot = found.pop("_boot.py")
    assert boot == image.FIRMWARE_DIR / "image" / "frozen" / "_boot.py"
    assert found == shipped()
    assert all(path.is_file() for path in found.values())
    assert len(found) > 40


@pytest.mark.parametrize("name", ["radio.py", "device.py", "kinds/parking.py", "main.py"])
def test_a_module_that_is_left_out_is_missed(name):
    text = MANIFEST.read_text()
    line = 'module("main.py")\n' if name == "main.py" else f'        "{name}",\n'
    assert text.count(line) == 1
    found = frozen(text.replace(line, ""))
    assert set(shipped()) - set(found) == {
        next(one for one in shipped() if one.endswith("/" + name) or one == name)
    }


def test_a_new_module_is_missed(monkeypatch):
    more = {**image.sources(image.FIRMWARE_DIR), "a/revier_node/new.mpy": Path("new.py")}
    monkeypatch.setattr(image, "sources", lambda _: more)
    assert set(shipped()) - set(frozen(MANIFEST.read_text())) == {"revier_node/new.py"}
