# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A board of the fleet in its place, with firmware and without identity, and a site for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from revier_bench import image
from revier_bench.world.boards import new_flash
from revier_bench.world.fleet import DEMO_FLEET, DISTRICT_AGS, FleetNode
from revier_bench.world.simulation import Settings, Simulation
from revier_bench.world.workshop import ReadyNode
from revier_provision import ChirpStack, register_radio_gateway
from revier_provision.identity import dev_eui_from_mac
from revier_provision.inventory_files import write as write_inventory
from revier_provision.vault import vault

SITE = """\
[books]
inventory = "inventory"
vault = "vault"
identity_file = "identity"
station = "bench-1"

[chirpstack]
server = "{grpc}"
token_file = "token"

[board]
name = "{board}"

[label]
formats = ["svg", "png", "pdf", "zpl"]

[proof]
limit_s = 120
"""


class UnboxedWorld(Simulation):
    """One node that nobody has provisioned; radio gateways are registered and on the air."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.node: FleetNode = settings.fleet.nodes[0]
        self.dev_eui = dev_eui_from_mac(self.node.mac, local_ok=True)

    def provision(self) -> None:
        settings = self.settings
        write_inventory(settings.inventory_dir, settings.fleet.inventory())
        with ChirpStack(settings.grpc, settings.api_token) as server:
            for gateway in settings.fleet.radio_gateways:
                register_radio_gateway(
                    gateway.to_record(), DISTRICT_AGS, server, settings.inventory_dir
                )
        flash = new_flash(self.node, image.build(self.build_dir), settings.work_dir)
        self.ready = [ReadyNode(self.node, self.dev_eui, bytes(16), flash)]
        self.open()

    @property
    def flash(self) -> Path:
        return self.ready[0].flash_image


def one_node(settings: Settings) -> Settings:
    return replace(settings, fleet=replace(DEMO_FLEET, nodes=DEMO_FLEET.nodes[:1]))


def write_site(folder: Path, grpc: str, token: str, board: str) -> Path:
    """Site file, vault and token in `folder`, where the inventory is already."""
    token_file = folder / "token"
    token_file.touch(0o600)
    token_file.write_text(token)
    vault.create(folder / "vault", folder / "identity", None)
    path = folder / "revier-site.toml"
    path.write_text(SITE.format(grpc=grpc, board=board))
    return path
