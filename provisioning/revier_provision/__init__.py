# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""From a bare board to a live, recorded node.

    record = provision_node(order, board, network_server, inventory_dir, secrets.token_bytes)

writes identity and keys to the board, registers the node in ChirpStack and records it in the
inventory; run again after a failure it does only what is still missing. `ReplBoard` reaches a board
through its serial port or pseudo-terminal, `ChirpStack` a network server through gRPC; anything
that fulfils `BoardLink` and `NetworkServer` takes their place.
"""

from revier_provision.board.repl_board import ReplBoard, open_board
from revier_provision.errors import BoardError, NetworkServerError, OrderError, ProvisionError
from revier_provision.flow import provision_node, register_radio_gateway
from revier_provision.links import (
    Application,
    BoardLink,
    BoardState,
    Device,
    NetworkServer,
    NodeOrder,
    NodeRecord,
)
from revier_provision.lns.chirpstack import ChirpStack

__all__ = [
    "Application",
    "BoardError",
    "BoardLink",
    "BoardState",
    "ChirpStack",
    "Device",
    "NetworkServer",
    "NetworkServerError",
    "NodeOrder",
    "NodeRecord",
    "OrderError",
    "ProvisionError",
    "ReplBoard",
    "open_board",
    "provision_node",
    "register_radio_gateway",
]
