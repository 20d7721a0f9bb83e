# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A technician brings a signed firmware onto a node by cable; the network server hears of it."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from revier_bench import updates
from revier_payload.codec import decode
from revier_provision import OrderError, open_board
from revier_provision.board import ReplBoard
from revier_provision.update_flow import UpdateResult, update_node

if TYPE_CHECKING:
    from .conftest import Network, Updatable

pytestmark = [pytest.mark.pty, pytest.mark.state("updatable_node")]

NEW = (0, 2, 0)
FAULTY = "def self_test(wake):\n    return [('sps30', 'missing')]"
CHUNK = 1024
WAIT_S = 60.0


@dataclass
class Bundle:
    slot_files: Mapping[str, bytes]
    manifest: bytes
    signature: bytes


def bundle(version: tuple[int, int, int] = NEW, added: dict[str, str] | None = None) -> Bundle:
    files = updates.application(version, added)
    manifest = updates.manifest_of(files, version)
    whole = updates.signed(manifest, updates.KEY)
    return Bundle(files, whole[:96], whole[96:])


def put(board: ReplBoard, slot: str, files: Mapping[str, bytes]) -> None:
    for path, data in files.items():
        folders = path.split("/")[:-1]
        lines = ["import os", "from binascii import a2b_base64 as b"]
        for depth in range(len(folders) + 1):
            folder = "/".join(["", slot, *folders[:depth]])
            lines += ["try:", f"    os.mkdir({folder!r})", "except OSError:", "    pass"]
        lines.append(f"f = open('/{slot}/{path}', 'wb')")
        for at in range(0, len(data), CHUNK):
            text = base64.b64encode(data[at : at + CHUNK]).decode()
            lines.append(f"f.write(b({text!r}))")
        board._repl.run("\n".join([*lines, "f.close()"]))


@contextmanager
def opened(node: Updatable) -> Iterator[ReplBoard]:
    """Switched on, and knocked at at once."""
    node.go.set()
    with open_board(node.port) as board:
        yield board


def update(node: Updatable, made: Bundle) -> UpdateResult:
    with opened(node) as board:
        return update_node(board, made, lambda slot, files: put(board, slot, files), wait_s=WAIT_S)


def test_a_good_update_commits_and_the_network_hears_the_new_version(
    updatable_node: Updatable, network: Network
) -> None:
    result = update(updatable_node, bundle())
    assert result.outcome == "committed", result
    event = network.wait_for("up", fPort=1, confirmed=True)
    told = decode(1, base64.b64decode(event["data"])).values
    assert (told["fw_major"], told["fw_minor"], told["fw_patch"]) == NEW


def test_an_update_that_breaks_is_taken_back_and_the_network_hears_that_too(
    updatable_node: Updatable, network: Network
) -> None:
    result = update(updatable_node, bundle(added={"revier_node/kinds/air.py": FAULTY}))
    assert (result.outcome, result.reason) == ("rolled_back", "selftest_sps30")
    event = network.wait_for("up", fPort=1)
    told = decode(1, base64.b64decode(event["data"])).values
    assert (told["error"], told["fw_minor"]) == (10, 1)


def test_a_flipped_byte_and_a_foreign_key_are_refused(updatable_node: Updatable) -> None:
    made = bundle()
    other = bytearray(made.signature)
    other[5] ^= 1
    made.signature = bytes(other)
    with opened(updatable_node) as board:
        with pytest.raises(OrderError, match="does not trust the key"):
            update_node(board, made, lambda slot, files: put(board, slot, files))
        assert board.update("show()")[0][1]["slot"] in ("none", "a")
