# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The node's settings in /node.json, and what becomes of a change that the node does not survive.

    settings    [[number, value], ...]: docs/protocol/payload.md, fPort 2; absent: as it was made
    before      the settings that held before the change that is on trial; absent: none is
    reverted    hash of the settings of the last change, if the node did not survive it

A change is on trial until a wake with it has ended well. At the start after STARTS_MAX that did
not, the settings before it are back, and every diagnosis says so until the next change. A new file
takes the place of the old one by renaming, which LittleFS does at once or not at all: a power cut
leaves old or new settings, never half of them.
"""

import json
import os

import esp32
import machine

from revier_node import store
from revier_node.console import say
from revier_payload import configuration

MYPY = False
if MYPY:
    from revier_node.app import Node


PATH = "/node.json"
PATH_NEW = "/node.new"
STARTS_MAX = 3


def start(node: "Node", config: dict) -> dict:
    """At each start but a deep sleep's, and at each of a trial: what /node.json is from now on."""
    if node.first_start:
        for key in ("settings", "before"):
            if key in config and _packed(config[key], config["kind"]) is None:
                say("error", "code", "settings", "reason", "refused")
                del config[key]
                _write(config)
    if "before" not in config:
        return config
    nvs = esp32.NVS("node")
    starts = store.get_u32(nvs, "trial")
    waited = node.state.flags & store.FLAG_COLD
    well = node.cause == machine.DEEPSLEEP_RESET and not node.store.last_error and not waited
    if starts and well:
        del config["before"]
        _write(config)
    elif starts >= STARTS_MAX:
        config["reverted"] = configuration.hash_of(configuration.pack(dict(config["settings"])))
        config["settings"] = config.pop("before")
        _write(config)
        say("error", "code", "settings", "reason", "trial")
        node.state.flags |= store.FLAG_DIAGNOSIS_DUE
    else:
        if not starts:  # what the gateway is to know of the readings that follow, and the hash
            node.state.flags |= store.FLAG_DIAGNOSIS_DUE
            if config["kind"] == "parking":
                from revier_node import empty_bay

                empty_bay.forget(node, config)
        nvs.set_i32("trial", starts + 1)
        nvs.commit()
    return config


def load() -> dict:
    with open(PATH) as file:
        config: dict = json.load(file)
    return config


def change(downlink: bytes) -> "dict | None":
    """A downlink on fPort 2, or the same by cable: all of it is in the file now, or nothing.

    The answer's values; None if the file system refuses: nothing is answered, and the sender will
    ask again.
    """
    config = load()
    held = config.get("settings", [])
    current = configuration.pack(dict(held))
    result, number, wanted = configuration.apply(current, downlink, config["kind"])
    if wanted != current:
        config.pop("reverted", None)
        config["before"] = config.get("before", held)
        config["settings"] = [
            list(entry) for entry in sorted(configuration.entries(wanted).items())
        ]
        nvs = esp32.NVS("node")
        nvs.set_i32("trial", 0)
        nvs.commit()
        if not _write(config):
            return None
    say("settings", "result", result, "hash", configuration.hash_of(wanted), "setting", number)
    return configuration.answer(downlink, result, number, wanted)


def _packed(settings: list, kind: str) -> "bytes | None":
    """None if they are not what a downlink could have brought."""
    try:
        packed = configuration.pack(dict(settings))
    except (TypeError, ValueError):
        return None
    result, _, wanted = configuration.apply(b"", bytes((configuration.DEFAULT,)) + packed, kind)
    return wanted if result == configuration.APPLIED else None


def _write(config: dict) -> bool:
    _forget_copy()
    try:
        with open(PATH_NEW, "w") as file:
            json.dump(config, file)
        os.rename(PATH_NEW, PATH)
    except OSError:
        say("error", "code", "settings", "reason", "file")
        return False
    return True


def _forget_copy() -> None:
    """A frozen application wakes with a copy (image/frozen/_boot.py), else makes it anew."""
    nvs = esp32.NVS("revier_frozen")
    try:
        nvs.erase_key("node")
    except OSError:
        return
    nvs.commit()
