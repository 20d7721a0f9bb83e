# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The measurement's own working, with waits that are nearly none; its figures are not held here."""

from __future__ import annotations

import pytest

from revier_bench.measure import provision_time
from revier_provision.workshop.step_events import NodeStep


def test_every_step_of_one_board_and_of_all_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FLASH_S", "UPLOAD_S", "JOIN_S", "WIRE_S"):
        monkeypatch.setattr(provision_time, name, 0.01)
    monkeypatch.setattr(provision_time, "BOARDS", 3)
    result = provision_time.measure()
    assert [row["step"] for row in result["rows"]] == [step.value for step in NodeStep]
    one_s = sum(row["one_s"] for row in result["rows"])
    assert result["value"] == pytest.approx(one_s - 0.03, abs=1.0)
    assert all(row["ten_max_s"] >= row["ten_median_s"] > 0 for row in result["rows"])
    assert result["n"]["ten_by_one"] > 0
