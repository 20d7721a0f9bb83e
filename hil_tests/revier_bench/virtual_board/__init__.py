# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Nodes that are real MicroPython processes with modelled chips, under one virtual time."""

from revier_bench.virtual_board.board import VirtualBoard
from revier_bench.virtual_board.flash import Nvs, clone_image, new_image
from revier_bench.virtual_board.kernel import Kernel, NodeError
from revier_bench.virtual_board.spec import BoardSpec
from revier_bench.virtual_board.wiring import WiredBoard, build_board

__all__ = [
    "BoardSpec",
    "Kernel",
    "NodeError",
    "Nvs",
    "VirtualBoard",
    "WiredBoard",
    "build_board",
    "clone_image",
    "new_image",
]
