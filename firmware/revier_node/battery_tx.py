# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The battery's voltage while the radio sends: what tells of a cell that is about to fail.

Taken in the middle of a join request and of a diagnosis, when the CPU waits anyway, on boards whose
battery hangs on an ADC pin. The newest is in the notes (notes.py) under "tx_mv": a diagnosis is
encoded before it is sent, so it tells that of the transmission before.
"""

from revier_node import board as parts
from revier_node import notes

MYPY = False
if MYPY:
    from revier_node.radio import Link


class Sampler:
    """Made before the transmission; called within it, where no heap may be taken."""

    def __init__(self, wiring: dict) -> None:
        self._enable, self._adc = parts.divider(wiring)
        self._percent = wiring["divider_percent"]
        self._uv = 0

    def __call__(self) -> None:
        uv = self._adc.read_uv()
        if not self._uv or uv < self._uv:
            self._uv = uv

    def millivolts(self) -> "int | None":
        """The lowest sample, None without a plausible one; switches the divider off."""
        if self._enable:
            self._enable.init(self._enable.IN)
        return parts.plausible(self._uv // 1000 * self._percent // 100)


def begin(board: dict, link: "Link") -> None:
    """From now on every transmission of this wake is sampled."""
    wiring = board.get("battery", {})
    if "adc" in wiring and link.in_tx is None:
        link.in_tx = Sampler(wiring)


def end(link: "Link") -> None:
    """Keep what was seen."""
    if link.in_tx is None:
        return
    millivolts = link.in_tx.millivolts()
    link.in_tx = None
    if millivolts is not None:
        notes.save("tx_mv", millivolts)


def last_mv() -> "int | None":
    millivolts: "int | None" = notes.load().get("tx_mv")
    return millivolts
