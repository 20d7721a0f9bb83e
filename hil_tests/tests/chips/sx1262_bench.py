# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the tests of other drivers' habits ask of an SX1262, against DS = its datasheet rev. 2.1."""

from __future__ import annotations

from .fake_host import Bench

# DS table 13-29
TX_DONE, RX_DONE, PREAMBLE, HEADER, CRC_ERROR = 0x01, 0x02, 0x04, 0x10, 0x40
CAD_DONE, CAD_DETECTED, TIMEOUT = 0x80, 0x100, 0x200


def register(bench: Bench, address: int, n: int = 1) -> bytes:
    return bench.command(0x1D, address >> 8, address & 0xFF, 0, *bytes(n))[4:]


def all_irqs(bench: Bench) -> None:
    bench.command(0x08, 0x43, 0xFF, 0x43, 0xFF, 0, 0, 0, 0)


def listening(**kw: int | bool) -> Bench:
    bench = Bench()
    bench.configure(iq_inverted=True, length=255, **kw)  # type: ignore[arg-type]
    all_irqs(bench)
    return bench
