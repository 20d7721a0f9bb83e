# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The node's settings by cable: at the REPL of the service window (docs/protocol/console.md).

    from revier_node import cable
    cable.show()
    cable.set(interval=900, report="change")
    cable.reset("interval")
    cable.self_test()

Settings go the way of a downlink: the same checks, all or nothing, on trial from the next start.
"""

from revier_node import settings
from revier_node.console import say
from revier_payload import configuration
from revier_payload.settings import SETTINGS


def show() -> None:
    """Each setting of this node's kind, and the hash of those that were set."""
    config = settings.load()
    held = dict(config.get("settings", ()))
    for number, name, kind, unit, low, _, default, choices in SETTINGS:
        if kind not in ("", config["kind"]):
            continue
        value = held.get(number, default)
        if number == 1 and value is None:
            value = config.get("interval_s", "by_kind")
        if choices and value in range(low, low + len(choices)):
            value = choices[value - low]
        say("setting", "number", number, "name", name, "value", value, "unit", unit,
            "by", "set" if number in held else "made")  # fmt: skip
    say("settings", "kind", config["kind"], "hash", hash(),
        "trial", int("before" in config), "reverted", config.get("reverted", "none"))  # fmt: skip


def hash() -> int:
    """As answers and the diagnosis tell it."""
    return configuration.hash_of(_held())


def set(**values: "int | str") -> None:
    """The settings that are named; the others stay. A choice by its name or its number."""
    wanted = {}
    for name, given in values.items():
        number, choices, low = _known(name)
        value = low + choices.index(given) if given in choices else given
        if not isinstance(value, int) or not 0 <= value <= 0xFFFF:
            raise ValueError(name + ": not a whole number from 0 to 65535")
        wanted[number] = value
    settings.change(bytes((configuration.KEEP,)) + configuration.pack(wanted))


def reset(*names: str) -> None:
    """The settings that are named are as the node was made; all of them without a name."""
    held = configuration.entries(_held())
    for name in names:
        held.pop(_known(name)[0], None)
    kept = configuration.pack(held) if names else b""
    settings.change(bytes((configuration.DEFAULT,)) + kept)


def self_test() -> None:
    """Every chip of the board, as after a start that is not from deep sleep; the radio last."""
    from revier_node import app

    node = app.Node()
    results = []
    for part, result in node.kind.self_test(node.wake):
        results += [part, result]
    fault = "ok"
    try:
        radio = node.radio()
        radio.begin()
        radio.sleep()
    except Exception as error:  # noqa: BLE001 (whatever the driver says is the result)
        fault = " ".join([str(part) for part in error.args]) or type(error).__name__
    say("selftest", *(results + ["radio", fault]))


def _held() -> bytes:
    return configuration.pack(dict(settings.load().get("settings", ())))


def _known(name: str) -> tuple:
    for number, known, _, _, low, _, _, choices in SETTINGS:
        if known == name:
            return number, choices, low
    raise ValueError("no setting " + name)
