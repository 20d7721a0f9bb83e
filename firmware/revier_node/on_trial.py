# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A start with more in /slot than a slot: an update on trial, or one that was taken back.

docs/protocol/update.md. Apart from seldom.py, which every start imports: most need none of it.
"""

import sys

from revier_node import store
from revier_node.console import say

MYPY = False
if MYPY:
    from revier_node.app import Node

ERROR_UPDATE = 10  # failure.CODES


def tested(node: "Node", results: list, slot: str) -> None:
    """results: part, what the self-test says of it, ... A part that is not well ends a trial."""
    trial = sys.modules.get("trial")
    if trial is None:
        _say_taken_back(node, slot)
        return
    for at in range(1, len(results), 2):
        if results[at] != "ok":
            trial.back("selftest_" + results[at - 1])
    node.commit = trial.commit


def _say_taken_back(node: "Node", slot: str) -> None:
    """As long as no other update comes."""
    if slot[1:2] == "!":
        say("update", "result", "rolled_back", "slot", slot[2], "reason", slot[4:].strip())
        node.store.last_error = ERROR_UPDATE
        node.state.flags |= store.FLAG_DIAGNOSIS_DUE
