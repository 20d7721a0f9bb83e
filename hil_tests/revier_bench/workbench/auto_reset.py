# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The two transistors between a USB adapter and the chip: what DTR and RTS do to EN and GPIO0.

Espressif's auto-reset circuit: EN is low while RTS alone is set, GPIO0 while DTR alone is. When EN
rises the chip looks at GPIO0. A capacitor holds EN for some milliseconds, so that a host that sets
the lines one after the other (both are set for a moment) still gets the boot loader: here EN rises
only when the lines have left that state.
"""

from enum import Enum


class Start(Enum):
    """What EN's rise leads to."""

    RUN = "run"
    DOWNLOAD = "download"


class AutoReset:
    """set() with the lines' new state, True is set (low); what begins, if anything."""

    def __init__(self) -> None:
        self.held = False
        self.dtr = self.rts = False

    def set(self, dtr: bool | None = None, rts: bool | None = None) -> Start | None:
        self.dtr = self.dtr if dtr is None else dtr
        self.rts = self.rts if rts is None else rts
        if self.rts and not self.dtr:
            self.held = True
            return None
        if not self.held or self.rts:
            return None
        self.held = False
        return Start.DOWNLOAD if self.dtr else Start.RUN
