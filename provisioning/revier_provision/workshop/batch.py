# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Many boards side by side, a thread each. A bad board never stops the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from revier_inventory.message import NOTHING, Message, _
from revier_provision.errors import OrderError, ProvisionError
from revier_provision.workshop.make_node import Bench, NodeMade, Wanted, make_node
from revier_provision.workshop.step_events import StepEvent, StepFailedError

BOARDS_MAX = 64


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How it ended at one port: `made`, or `step`, `problem` and `cure`."""

    port: str
    made: NodeMade | None = None
    step: str = ""
    problem: Message = NOTHING
    cure: Message = NOTHING


def make_all(
    bench: Bench,
    wanted: Sequence[Wanted],
    on_step: Callable[[str, StepEvent], None] = lambda _port, _event: None,
    on_end: Callable[[Outcome], None] = lambda _outcome: None,
) -> list[Outcome]:
    """Make a node of each; in the order of `wanted`. `on_step` and `on_end` are called from many
    threads. Raises OrderError only for what no board could be made with."""
    if not wanted:
        raise OrderError("There is no board", "Plug boards in, or give --port for each")
    if len(wanted) > BOARDS_MAX:
        raise OrderError(
            "{count} boards are too many at once",
            "Plug in up to {most}",
            count=len(wanted),
            most=BOARDS_MAX,
        )
    if len({each.port for each in wanted}) < len(wanted):
        raise OrderError("A port is named twice", "Give each port once")

    def one(each: Wanted) -> Outcome:
        outcome = _one(bench, each, lambda event: on_step(each.port, event))
        on_end(outcome)
        return outcome

    with ThreadPoolExecutor(len(wanted), "board") as boards:
        return list(boards.map(one, wanted))


def _one(bench: Bench, wanted: Wanted, on_step: Callable[[StepEvent], None]) -> Outcome:
    port = wanted.port
    try:
        return Outcome(port=port, made=make_node(bench, wanted, on_step))
    except StepFailedError as error:
        return Outcome(port=port, step=error.step.value, problem=error.problem, cure=error.cure)
    except ProvisionError as error:
        return Outcome(port=port, problem=error.problem, cure=error.cure)
    except Exception as error:  # noqa: BLE001 - a bug at one board is told there, and stops it only
        problem = _("The program failed at this board ({name})", name=type(error).__name__)
        cure = _("Report this, with the command's version")
        return Outcome(port=port, problem=problem, cure=cure)
