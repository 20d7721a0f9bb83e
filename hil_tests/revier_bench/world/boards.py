# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""From a node of the fleet to a virtual board in its place, in its surroundings."""

from __future__ import annotations

from pathlib import Path

from revier_bench.virtual_board import BoardSpec, Kernel, WiredBoard, build_board, clone_image
from revier_bench.world.air import Air
from revier_bench.world.fleet import FleetNode
from revier_bench.world.signals import (
    AirEnvironment,
    Environment,
    ParkingEnvironment,
    WasteEnvironment,
    Weather,
)


def board_spec(node: FleetNode, seed: str, flash_image: Path, work_dir: Path) -> BoardSpec:
    return BoardSpec(
        name=node.asset,
        mac=node.mac,
        flash_image=flash_image,
        work_dir=work_dir / "boards" / node.asset,
        board=node.board,
        kind=node.kind,
        seed=seed,
    )


def new_flash(node: FleetNode, firmware: Path, work_dir: Path) -> Path:
    """The node's own copy of the firmware image, without an identity."""
    flash_image = work_dir / "boards" / node.asset / "flash.img"
    flash_image.with_suffix(".nvs").unlink(missing_ok=True)
    return clone_image(firmware, flash_image)


def placed_board(
    kernel: Kernel, spec: BoardSpec, node: FleetNode, air: Air, environment: Environment
) -> WiredBoard:
    """In its place in the world."""
    board = build_board(kernel, spec, air, environment)
    loss = environment.ground_loss_db if isinstance(environment, ParkingEnvironment) else None
    air.attach(board.radio, node.position, loss)
    return board


def environment_of(node: FleetNode, seed: str, weather: Weather, start_unix_us: int) -> Environment:
    if node.kind == "air":
        return AirEnvironment(seed, node.asset, weather, start_unix_us)
    if node.kind == "parking":
        return ParkingEnvironment(seed, node.asset, weather, start_unix_us)
    assert node.empty_mm is not None
    assert node.full_mm is not None
    sizes = (node.empty_mm, node.full_mm)
    return WasteEnvironment(seed, node.asset, weather, start_unix_us, *sizes)
