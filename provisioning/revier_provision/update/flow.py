# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A signed firmware onto a node by cable: into the slot that does not run, on trial, and what came
of it. Safe to run again after whatever broke off: the slot that runs is never touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal, Protocol

import msgspec

from revier_inventory.message import NOTHING, Message, _, verbatim
from revier_provision.board.repl_board import console_lines
from revier_provision.errors import BoardError, OrderError
from revier_provision.update import manifest as manifests
from revier_provision.update.manifest import Manifest, version_text
from revier_provision.update.words import refusal, why_taken_back

OTHER = {"a": "b", "b": "a"}
WAIT_S = 900.0  # a crash shows after three starts, 7 minutes
Outcome = Literal["committed", "present", "rolled_back", "on_trial"]


class Firmware(Protocol):
    """A bundle: the slot's files by path below the slot; manifest and signature, empty if none."""

    @property
    def slot_files(self) -> Mapping[str, bytes]: ...

    @property
    def manifest(self) -> bytes: ...

    @property
    def signature(self) -> bytes: ...


class UpdateBoard(Protocol):
    """board.ReplBoard."""

    def firmware_sha256(self) -> str: ...

    def update(self, call: str) -> list[tuple[str, dict[str, str]]]: ...

    def write_small_file(self, path: str, data: bytes) -> None: ...

    def restart(self) -> None: ...

    def console(self, limit_s: float) -> Iterator[str]: ...


class Slots(msgspec.Struct, frozen=True, kw_only=True):
    """`running` is empty if no slot runs; `trial`: the slot on trial; `taken_back`: why the last
    update was; `versions` of the slots that have a manifest.
    """

    running: str
    keys: int
    trial: str = ""
    taken_back: str = ""
    versions: dict[str, str] = {}


class UpdateResult(msgspec.Struct, frozen=True, kw_only=True):
    """`reason` of a rollback in the board's word, `words` for people."""

    outcome: Outcome
    version: str
    slot: str
    reason: str = ""
    words: Message = NOTHING


PutSlot = Callable[[str, Mapping[str, bytes]], None]
Progress = Callable[[Message], None]


def read_slots(board: UpdateBoard) -> Slots:
    lines = [pairs for event, pairs in board.update("show()") if event == "update"]
    if not lines or "running" not in lines[0]:
        raise BoardError(
            "The board did not tell its slots", "Press the board's reset button and run again"
        )
    first = lines[0]
    text = first["slot"]
    return Slots(
        running="" if first["running"] == "none" else first["running"],
        keys=int(first["keys"]),
        trial=text[0] if text[1:2] == "?" else "",
        taken_back=text.partition("_")[2] if text[1:2] == "!" else "",
        versions={pairs["manifest"]: pairs["version"] for pairs in lines if "manifest" in pairs},
    )


def update_node(
    board: UpdateBoard,
    firmware: Firmware,
    put_slot: PutSlot,
    progress: Progress = lambda _step: None,
    wait_s: float = WAIT_S,
) -> UpdateResult:
    """Raises OrderError before anything is written if the bundle is not signed or not whole.

    put_slot(slot, files): afterwards the slot has these files and no others.
    """
    manifest = manifests.check(firmware.manifest, firmware.signature, firmware.slot_files)
    version = version_text(manifest.version)
    slots = read_slots(board)
    if not slots.running:
        raise refusal("no_slot")
    if board.firmware_sha256() == manifest.tree_sha256.hex():
        return _present(slots.running, version)
    slot = OTHER[slots.running]
    if slots.trial:
        progress(_("end the trial that was under way"))
        board.update("drop()")
    progress(_("put version {version} into slot {slot}", version=version, slot=slot))
    board.write_small_file(f"/{slot}.manifest", b"")
    put_slot(slot, firmware.slot_files)
    board.write_small_file(f"/{slot}.manifest", firmware.manifest + firmware.signature)
    progress(_("let the board check the signature and every file"))
    _activate(board, slot)
    progress(_("restart, and wait for self-test, join and an acknowledged uplink"))
    board.restart()
    return _watched(board.console(wait_s), slot, manifest, progress)


def _present(slot: str, version: str) -> UpdateResult:
    words = _("version {version} runs already; nothing had to be done", version=version)
    return UpdateResult(outcome="present", version=version, slot=slot, words=words)


def _activate(board: UpdateBoard, slot: str) -> None:
    said = [pairs for event, pairs in board.update(f"activate('{slot}')") if event == "update"]
    for pairs in said:
        if pairs.get("result") == "refused":
            raise refusal(pairs["reason"])
    if not any(pairs.get("result") == "activated" for pairs in said):
        raise BoardError(
            "The board did not take the update", "Press the board's reset button and run again"
        )


def _watched(
    lines: Iterable[str], slot: str, manifest: Manifest, progress: Progress
) -> UpdateResult:
    version = version_text(manifest.version)

    def result(outcome: Outcome, words: Message, reason: str = "") -> UpdateResult:
        return UpdateResult(outcome=outcome, version=version, slot=slot, reason=reason, words=words)

    try:
        for line in lines:
            for event, pairs in console_lines(line):
                outcome = pairs.get("result", "") if event == "update" else ""
                if outcome == "committed":
                    return result(
                        "committed",
                        _("version {version} has proved itself and stays", version=version),
                    )
                if outcome == "rolled_back":
                    why = why_taken_back(pairs.get("reason", ""))
                    words = _("version {version} was taken back: {why}", version=version, why=why)
                    return result("rolled_back", words, pairs.get("reason", ""))
                if event in ("selftest", "join", "joined", "uplink", "error"):
                    progress(verbatim(line.removeprefix("revier ")))
    except BoardError:  # a port of the chip itself is away while the node sleeps
        pass
    words = _(
        "version {version} is on trial; it stays, or is taken back within 6 hours. To see "
        "which: revier-provision update, without --firmware",
        version=version,
    )
    return result("on_trial", words)


def needs_attention(result: UpdateResult) -> OrderError | None:
    """The error with which a command ends that had to bring the update in."""
    if result.outcome != "rolled_back":
        return None
    cure = "Correct the fault named, or use another firmware; the version before works on"
    problem = "Version {version} was taken back: {why}"
    why = why_taken_back(result.reason)
    return OrderError(problem, cure, version=result.version, why=why)
