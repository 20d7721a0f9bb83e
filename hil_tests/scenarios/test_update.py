# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A technician brings a signed firmware onto a node by cable; the network server hears of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from revier_bench import updates
from revier_payload.codec import decode
from revier_provision import BoardError, open_board
from revier_provision.board.upload import upload
from revier_provision.cli import app
from revier_provision.ledger.files import LedgerFolder
from revier_provision.update import firmware_bundle
from revier_provision.update.flow import read_slots, update_node

if TYPE_CHECKING:
    from .conftest import Network, Updatable

pytestmark = [pytest.mark.pty, pytest.mark.state("updatable_node")]

NEW = (0, 2, 0)
FAULTY = {"revier_node/kinds/air.py": "def self_test(wake):\n    return [('sps30', 'missing')]"}
HARD_RESET = 2


def firmware(
    folder: Path, added: Mapping[str, str] | None = None, name: str = "firmware.zip"
) -> Path:
    """Signed by the key that the node trusts."""
    files = updates.application(NEW, added)
    whole = updates.signed(updates.manifest_of(files, NEW), updates.KEY)
    made = firmware_bundle.Firmware(
        version="0.2.0",
        slot_files=files,
        root_files={"/boot.py": b"", "/main.py": b""},
        manifest=whole[:96],
        signature=whole[96:],
    )
    path = folder / name
    path.write_bytes(firmware_bundle.packed(made))
    return path


def update(node: Updatable, path: Path, ledger: Path) -> dict[str, Any]:
    """What `revier-provision update --json` answers."""
    node.go.set()
    done = CliRunner().invoke(
        app,
        ["update", "--port", node.port, "--firmware", str(path), "--ledger", str(ledger),
         "--station", "bench", "--by", "Uwe", "--wait-s", "90", "--json"],
    )  # fmt: skip
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert done.exit_code == ("error" in answer), done.output
    return answer


def entered(ledger: Path) -> list[tuple[str, str]]:
    return [(r.event, r.note) for r in LedgerFolder(ledger, "bench", "Uwe").records()]


def test_a_good_update_commits_and_the_network_hears_the_new_version(
    updatable_node: Updatable, network: Network, tmp_path: Path
) -> None:
    answer = update(updatable_node, firmware(tmp_path), tmp_path / "ledger")
    assert answer["outcome"] == "committed", answer
    event = network.wait_for("up", fPort=1, confirmed=True)
    told = decode(1, base64.b64decode(event["data"])).values
    assert (told["fw_major"], told["fw_minor"], told["fw_patch"]) == NEW
    words = "version 0.2.0 has proved itself and stays"
    assert entered(tmp_path / "ledger") == [("updated", words)]


def test_an_update_that_fails_its_self_test_is_taken_back_and_the_network_hears_that_too(
    updatable_node: Updatable, network: Network, tmp_path: Path
) -> None:
    answer = update(updatable_node, firmware(tmp_path, FAULTY), tmp_path / "ledger")
    (error,) = answer["error"]
    assert error["problem"].startswith("Version 0.2.0 was taken back: the self-test found sps30")
    event = network.wait_for("up", fPort=1)
    told = decode(1, base64.b64decode(event["data"])).values
    assert (told["error"], told["fw_minor"]) == (10, 1)
    assert entered(tmp_path / "ledger")[0][0] == "failed"


def test_a_foreign_key_is_refused_by_the_board(updatable_node: Updatable, tmp_path: Path) -> None:
    path = firmware(tmp_path)
    bundle = firmware_bundle.load(path)
    turned = bytes((bundle.signature[0] ^ 1,)) + bundle.signature[1:]
    path.write_bytes(firmware_bundle.packed(bundle.with_signature(bundle.manifest, turned)))
    (error,) = update(updatable_node, path, tmp_path / "ledger")["error"]
    assert error["problem"] == "The board does not trust the key that signed this firmware"
    assert "firmware trust" in error["cure"]


def update_until_the_cable_goes(node: Updatable, bundle: firmware_bundle.Firmware) -> None:
    with open_board(node.port) as board:

        def put(slot: str, files: Mapping[str, bytes]) -> None:
            half = dict(sorted(files.items())[: len(files) // 2])
            upload(board.repl, in_slot(slot, half), f"/{slot}")
            raise BoardError("The port went away", "Plug it in")

        update_node(board, bundle, put)


def in_slot(slot: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {f"/{slot}/{path}": data for path, data in files.items()}


def test_what_the_cable_broke_off_goes_on_where_it_was(
    updatable_node: Updatable, tmp_path: Path
) -> None:
    bundle = firmware_bundle.load(firmware(tmp_path))
    updatable_node.go.set()
    with pytest.raises(BoardError, match="went away"):
        update_until_the_cable_goes(updatable_node, bundle)
    updatable_node.do(lambda board: board.restart(HARD_RESET))
    with open_board(updatable_node.port) as board:
        slots = read_slots(board)
        assert (slots.running, slots.trial, slots.versions) == ("a", "", {})
        done = upload(board.repl, in_slot("b", bundle.slot_files), "/b")
        assert len(done.same) == len(bundle.slot_files) // 2, "what was there was not sent again"
        board.write_small_file("/b.manifest", bundle.manifest + bundle.signature)
        assert board.update("verify('b')")[0][1]["result"] == "verified"
