# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The guard against settings that a node does not survive, with the whole firmware."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from revier_bench import image
from revier_bench.virtual_board import Kernel
from revier_payload.downlinks import config_hash

from .conftest import SECOND_US, Node
from .small_network import SmallNetwork
from .test_air_node import heard

GOOD = [[1, 600], [49, 60]]
NEW = [[1, 900], [49, 80]]
NEW_BY_NAME: dict[str, int | str] = {"interval": 900, "fire_above": 80}
GOOD_BY_NAME: dict[str, int | str] = {"interval": 600, "fire_above": 60}
CONFIG = {"kind": "waste", "board": "heltec_v3", "settings": NEW, "before": GOOD}
REVERTED = 128  # of a diagnosis's status
MINUTE_US = 60 * SECOND_US
MakeNode = Callable[..., Node]


def make(real_node: MakeNode, kernel: Kernel, build_dir: Path, tmp_path: Path) -> tuple:
    """A waste node with settings that are on trial, switched on."""
    network = SmallNetwork(kernel, 1)
    node = real_node("waste", air=network)
    network.radio = node.board.radio
    flash = tmp_path / "node" / "flash.img"
    image.write_files(flash, {"/node.json": json.dumps(CONFIG).encode()}, build_dir)
    node.board.power_on()
    return node, network, lambda: json.loads(image.read_files(flash, build_dir)["/node.json"])


def test_a_node_that_browns_out_at_each_start_goes_back_and_tells(
    real_node: MakeNode, kernel: Kernel, build_dir: Path, tmp_path: Path
) -> None:
    node, network, node_json = make(real_node, kernel, build_dir, tmp_path)
    for start in range(1, 4):
        while sum("revier boot" in line for line in node.lines) < start:
            kernel.run_until(kernel.now_us + SECOND_US // 10)
        assert node_json()["settings"] == NEW, start
        node.board.power_off()
        kernel.run_until(kernel.now_us + 5 * SECOND_US)
        node.board.power_on()
    kernel.run_until(kernel.now_us + 15 * MINUTE_US)
    assert any("error code=settings reason=trial" in line for line in node.lines)
    assert node_json() == {
        "kind": "waste", "board": "heltec_v3", "settings": GOOD,
        "reverted": config_hash(NEW_BY_NAME),
    }  # fmt: skip
    diagnosis = heard(network, 1)[-1].values
    assert (diagnosis["status"] or 0) & REVERTED
    assert diagnosis["config_hash"] == config_hash(GOOD_BY_NAME)
    assert len(heard(network, 30)) >= 1, "it works on"


def test_settings_that_a_node_survives_stay(
    real_node: MakeNode, kernel: Kernel, build_dir: Path, tmp_path: Path
) -> None:
    node, network, node_json = make(real_node, kernel, build_dir, tmp_path)
    kernel.run_until(40 * MINUTE_US)
    assert "before" not in node_json()
    for _ in range(4):
        node.board.power_off()
        kernel.run_until(kernel.now_us + 5 * SECOND_US)
        node.board.power_on()
        kernel.run_until(kernel.now_us + 5 * SECOND_US)
    kernel.run_until(kernel.now_us + 15 * MINUTE_US)
    assert node_json() == {"kind": "waste", "board": "heltec_v3", "settings": NEW}
    diagnosis = heard(network, 1)[-1].values
    assert not (diagnosis["status"] or 0) & REVERTED
    assert diagnosis["config_hash"] == config_hash(NEW_BY_NAME)
