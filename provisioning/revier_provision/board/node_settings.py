# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A node's settings through its cable, and as the downlink that does the same over the air.

The node checks what it is given as it checks a downlink (`revier_node.cable`); what can be known
without it is refused before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from revier_inventory.message import recognised, template
from revier_payload.downlinks import BY_NAME, config_hash, configuration, number_of
from revier_payload.schema.remote import CONFIGURATION, RESULTS
from revier_provision.errors import BoardError, OrderError

APPLIED = RESULTS[0]
REFUSALS = (  # of revier_payload.downlinks
    (r"at most (?P<most>\d+) settings", template("at most {most} settings")),
    (
        r"(?P<first>\w+) must not exceed (?P<second>\w+)",
        template("{first} must not exceed {second}"),
    ),
    (
        r"(?P<name>\w+) must be (?P<low>\S+) to (?P<high>.+), not (?P<given>.+)",
        template("{name} must be {low} to {high}, not {given}"),
    ),
    (
        r"(?P<name>\w+) must be (?P<bounds>.+), not (?P<given>.+)",
        template("{name} must be {bounds}, not {given}"),
    ),
)
SEE = "See what this node has with: revier-provision settings show --port PORT"


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """`value`: a whole number in `unit`, or the name of a choice. `was_set`: else as made."""

    number: int
    name: str
    value: int | str
    unit: str
    was_set: bool


class NodeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`config_hash` is what the node tells of itself over the air. `on_trial`: new, and no wake
    with them has ended well yet. `reverted`: the hash of a change that the node did not survive.
    """

    kind: str
    config_hash: int
    on_trial: bool
    reverted: int | None
    settings: tuple[Setting, ...]


class SettingsDownlink(msgspec.Struct, frozen=True, kw_only=True):
    """To be enqueued for a device; `data_hex` is the payload, `request_hash` comes back."""

    f_port: int
    data_hex: str


class Cable(Protocol):
    def cable(self, call: str) -> list[tuple[str, dict[str, str]]]:
        """What a call of the node's `revier_node.cable` says: (event, keys and values) a line."""


def parse(words: Iterable[str]) -> dict[str, int | str]:
    """`["interval=15min", "report=change"]` by name. Raises OrderError on what no node takes."""
    wanted: dict[str, int | str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name in wanted:
            problem = "{word!r} is not NAME=VALUE" if not equals else "{name} is there twice"
            raise OrderError(
                problem, "Write for example interval=15min report=change", word=word, name=name
            )
        _known([name])
        wanted[name] = value
    _checked(wanted, default=False)
    return wanted


def read(board: Cable) -> NodeSettings:
    lines = board.cable("show()")
    whole = next((pairs for event, pairs in lines if event == "settings"), None)
    if whole is None:
        raise BoardError(
            "The board did not tell its settings", "Press the board's reset button and run again"
        )
    return NodeSettings(
        kind=whole["kind"],
        config_hash=int(whole["hash"]),
        on_trial=whole["trial"] == "1",
        reverted=None if whole["reverted"] == "none" else int(whole["reverted"]),
        settings=tuple(_setting(pairs) for event, pairs in lines if event == "setting"),
    )


def change(board: Cable, wanted: dict[str, int | str]) -> NodeSettings:
    """Set what `wanted` names, all or nothing, and read back. In force from the next start on."""
    before = read(board)
    _of_kind(before, wanted)
    values = {name: number_of(BY_NAME[name], value) for name, value in wanted.items()}
    arguments = ", ".join(f"{name}={value}" for name, value in values.items())
    return _changed(board, f"set({arguments})", held(before) | values)


def reset(board: Cable, names: Sequence[str]) -> NodeSettings:
    """The settings of these names, or all, as the node was made."""
    _known(names)
    before = read(board)
    _of_kind(before, names)
    kept = {n: v for n, v in held(before).items() if names and n not in names}
    return _changed(board, f"reset({', '.join(map(repr, names))})", kept)


def held(settings: NodeSettings) -> dict[str, int]:
    """What was set, as whole numbers."""
    return {
        one.name: number_of(BY_NAME[one.name], one.value)
        for one in settings.settings
        if one.was_set
    }


def downlink(wanted: dict[str, int | str], *, default: bool) -> SettingsDownlink:
    """`default`: every setting that is not named goes back to what the node was made with."""
    data = _checked(wanted, default=default)
    return SettingsDownlink(f_port=CONFIGURATION.f_port, data_hex=data.hex())


def _checked(wanted: dict[str, int | str], *, default: bool) -> bytes:
    try:
        return configuration(wanted, default)
    except ValueError as error:
        problem = recognised(str(error), REFUSALS)
        raise OrderError(problem, "Correct it: docs/protocol/payload.md, fPort 2") from None


def _known(names: Iterable[str]) -> None:
    for name in names:
        if name not in BY_NAME:
            raise OrderError(
                "There is no setting {name!r}",
                "Give one of {names}",
                name=name,
                names=", ".join(BY_NAME),
            )


def _of_kind(settings: NodeSettings, names: Iterable[str]) -> None:
    own = {one.name for one in settings.settings}
    for name in names:
        if name not in own:
            raise OrderError(
                "A node of kind {kind} has no setting {name!r}", SEE, kind=settings.kind, name=name
            )


def _changed(board: Cable, call: str, expected: dict[str, int]) -> NodeSettings:
    answers = [pairs for event, pairs in board.cable(call) if event == "settings"]
    if not answers:
        cure = "Run again; if it repeats: revier-provision flash --erase --image FILE, then node"
        raise BoardError("The board could not write its settings; nothing has changed", cure)
    result = RESULTS[int(answers[0]["result"]) - 1]
    if result != APPLIED:
        raise OrderError(
            "The node refuses ({result}, setting {setting})",
            SEE,
            result=result,
            setting=answers[0]["setting"],
        )
    after = read(board)
    if held(after) != expected or after.config_hash != config_hash({**expected}):
        cure = "Run again; if it repeats, the flash is worn or full: use another board"
        raise BoardError("What was read back from the board is not what was written", cure)
    return after


def _setting(pairs: dict[str, str]) -> Setting:
    value = pairs["value"]
    return Setting(
        number=int(pairs["number"]),
        name=pairs["name"],
        value=int(value) if value.isdigit() else value,
        unit=pairs["unit"],
        was_set=pairs["by"] == "set",
    )
