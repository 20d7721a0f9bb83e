# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The order of steps of an update, and each answer of the board; the board is a scripted one.

What a real one does: hil_tests/tests/virtual_board/test_updates.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from revier_provision.board.repl_board import console_lines
from revier_provision.errors import BoardError, OrderError
from revier_provision.update import manifest
from revier_provision.update.flow import (
    UpdateResult,
    needs_attention,
    read_slots,
    update_node,
)
from revier_provision.update.manifest import Manifest
from revier_provision.update.words import REFUSALS, refusal

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
FILES = {"revier_node/app.mpy": b"application"}
TREE, SIZE = manifest.tree(FILES)
MANIFEST = Manifest(version=(0, 2, 0), size=SIZE, tree_sha256=TREE)


@dataclass
class Bundle:
    slot_files: Mapping[str, bytes] = field(default_factory=lambda: dict(FILES))
    manifest: bytes = MANIFEST.pack()
    signature: bytes = KEY.sign(MANIFEST.pack())


class Board:
    """Notes what is asked of it, says what it was told to say."""

    def __init__(
        self, slot: str = "a", running: str = "a", answer: str = "", console: tuple[str, ...] = ()
    ) -> None:
        self.did: list[str] = []
        self.slot, self.running = slot, running
        self.answer = answer or "revier update result=activated slot=b"
        self.said = console
        self.sha256 = "00" * 32

    def firmware_sha256(self) -> str:
        return self.sha256

    def update(self, call: str) -> list[tuple[str, dict[str, str]]]:
        if call == "show()":
            return console_lines(
                f"revier update running={self.running} slot={self.slot} keys=1\n"
                "revier update manifest=b version=0.1.9\n"
            )
        self.did.append(call)
        return console_lines(self.answer)

    def write_small_file(self, path: str, data: bytes) -> None:
        self.did.append(f"{path} {len(data)}")

    def restart(self) -> None:
        self.did.append("restart")

    def console(self, limit_s: float) -> Iterator[str]:
        for line in self.said:
            if line == "gone":
                raise BoardError("The port went away", "Plug it in")
            yield line

    def put(self, slot: str, files: Mapping[str, bytes]) -> None:
        self.did.append(f"put {slot} {len(files)}")


def updated(board: Board, bundle: Bundle | None = None) -> UpdateResult:
    return update_node(board, bundle or Bundle(), board.put)


def test_the_slot_that_does_not_run_is_written_checked_and_tried() -> None:
    said = ("noise", "revier boot slot=b", "revier update result=committed slot=b")
    board = Board(console=said)
    result = updated(board)
    assert result.outcome == "committed"
    assert needs_attention(result) is None
    assert board.did == [
        "/b.manifest 0", "put b 1", "/b.manifest 160", "activate('b')", "restart",
    ]  # fmt: skip


def test_from_b_the_update_goes_to_a_and_a_trial_ends_before() -> None:
    board = Board(slot="a?b2_77", running="b")
    assert read_slots(board).trial == "a"
    updated(board)
    assert board.did[:3] == ["drop()", "/a.manifest 0", "put a 1"]


def test_what_runs_already_is_left_alone() -> None:
    board = Board()
    board.sha256 = TREE.hex()
    assert updated(board).outcome == "present"
    assert board.did == []


def test_an_unsigned_bundle_touches_nothing() -> None:
    board = Board()
    with pytest.raises(OrderError, match=r"not signed.*firmware sign"):
        updated(board, Bundle(manifest=b"", signature=b""))
    assert board.did == []


@pytest.mark.parametrize("reason", [*REFUSALS, "unheard_of"])
def test_each_refusal_says_what_helps(reason: str) -> None:
    board = Board(answer=f"revier update result=refused slot=b reason={reason}")
    with pytest.raises((OrderError, BoardError)) as error:
        updated(board)
    assert error.value.problem == refusal(reason).problem
    assert error.value.cure
    assert "restart" not in board.did


def test_a_board_without_a_slot_is_not_written_to() -> None:
    board = Board(running="none")
    with pytest.raises(OrderError, match="from no slot"):
        updated(board)
    assert board.did == []


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("selftest_scd41", "the self-test found scd41 missing"),
        ("error_6", "the last with MemoryError"),
        ("error_77", "the last with error 77"),
        ("restarts", "it hung"),
        ("silent", "did not join"),
    ],
)
def test_a_rollback_is_told_in_words(reason: str, words: str) -> None:
    said = f"revier update result=rolled_back slot=b reason={reason}"
    result = updated(Board(console=(said,)))
    assert (result.outcome, result.reason) == ("rolled_back", reason)
    assert words in result.words
    error = needs_attention(result)
    assert error is not None
    assert error.problem.startswith("Version 0.2.0 was taken back")


@pytest.mark.parametrize("said", [(), ("revier update result=trial slot=b starts=2", "gone")])
def test_a_trial_that_goes_on_is_told_as_such(said: tuple[str, ...]) -> None:
    result = updated(Board(console=said))
    assert result.outcome == "on_trial"
    assert "without --firmware" in result.words


def test_what_the_last_update_came_to_is_read() -> None:
    slots = read_slots(Board(slot="a!b_selftest_scd41"))
    assert (slots.running, slots.trial, slots.taken_back) == ("a", "", "selftest_scd41")
    assert slots.versions == {"b": "0.1.9"}
