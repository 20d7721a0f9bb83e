# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Figures as commands: each measurement prints its table, then one JSON object as its last line.

A measurement is a module of this package with `measure() -> dict`. The object's keys:
`name`, `value`, `unit`, `budget` (in words: ">= 40000"), `holds`, `n` (raw counts), `seconds`,
`peer` (figures of others in the same run) and `command`; `rows` is the table that was printed.
"""

from revier_bench.measure.registry import MEASUREMENTS, run

__all__ = ["MEASUREMENTS", "run"]
