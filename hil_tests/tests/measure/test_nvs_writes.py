# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
from revier_bench.measure import nvs_writes
from revier_bench.measure.registry import run


def test_one_write_for_64_uplinks() -> None:
    result = run("nvs-writes")
    assert result["holds"], result
    assert result["n"]["file_writes"] == result["n"]["commits"]


def test_a_lease_of_64_would_cost_twice_as_much() -> None:
    assert not nvs_writes.measure(2_000, 64)["holds"]
