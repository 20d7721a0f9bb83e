# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Setting 34: somebody stands beside the bay, says that it is empty, and waits for it to be learnt.

Imported by a parking node whose settings are on trial, and after it has answered a configuration.
"""

from revier_node.clock import now_ms

MYPY = False
if MYPY:
    from revier_node.app import Node


LOOK_AFTER_MS = 10_000
_SETTING = 34


def asked(config: dict) -> bool:
    """The settings on trial say that the bay is empty."""
    before = dict(config.get("before", ())).get(_SETTING)
    wanted = dict(config.get("settings", ())).get(_SETTING)
    return "before" in config and wanted not in (None, before)


def forget(node: "Node", config: dict) -> None:
    """What the node knows of its bay is of another place."""
    if asked(config):
        node.state.kind = b""
        node.store.keep_kind(b"")


def look_soon(node: "Node") -> None:
    from revier_node import settings

    if asked(settings.load()):
        node.sleep_until_ms = now_ms() + LOOK_AFTER_MS
