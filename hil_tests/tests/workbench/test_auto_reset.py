# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""DTR and RTS against EN and GPIO0, in the orders in which hosts set them."""

from __future__ import annotations

import pytest

from revier_bench.workbench.auto_reset import AutoReset, Start


def play(*steps: tuple[str, bool]) -> list[Start]:
    circuit = AutoReset()
    begun = [circuit.set(**{line: level}) for line, level in steps]  # type: ignore[arg-type]
    return [start for start in begun if start is not None]


OPEN = [("dtr", True), ("rts", True)]


def test_opening_a_port_resets_nothing() -> None:
    assert play(*OPEN) == []
    assert play(("rts", True), ("dtr", True), ("rts", False), ("dtr", False)) == [Start.DOWNLOAD]


def test_the_classic_sequence_leads_to_the_boot_loader_whatever_line_comes_first() -> None:
    low = [*OPEN, ("dtr", False), ("rts", True)]
    assert play(*low, ("dtr", True), ("rts", False), ("dtr", False)) == [Start.DOWNLOAD]
    # Windows: DTR is set again after each RTS
    assert play(*low, ("dtr", False), ("dtr", True), ("rts", False), ("dtr", True)) == [
        Start.DOWNLOAD
    ]


def test_a_pulse_of_rts_alone_runs_the_board() -> None:
    assert play(("dtr", False), ("rts", True), ("rts", False)) == [Start.RUN]
    assert play(*OPEN, ("dtr", False), ("rts", False)) == [Start.RUN]


def test_a_closed_port_lets_a_held_board_go() -> None:
    circuit = AutoReset()
    circuit.set(dtr=False, rts=True)
    assert circuit.held
    assert circuit.set(dtr=False, rts=False) is Start.RUN
    assert circuit.set(dtr=False, rts=False) is None


@pytest.mark.parametrize("dtr", [False, True])
def test_nothing_happens_before_en_was_low(dtr: bool) -> None:
    assert play(("dtr", dtr), ("dtr", not dtr), ("dtr", dtr)) == []
