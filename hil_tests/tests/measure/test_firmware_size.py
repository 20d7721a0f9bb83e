# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Every budget of a wake can be broken; what a wake imports is known by its modules."""

from __future__ import annotations

import pytest

from revier_bench.measure import chip_heap, firmware_size
from revier_bench.measure.firmware_size import BUDGET_FREE, BUDGET_WAKE, HEAP_BYTES, Row
from revier_bench.measure.wake_modules import Woken

ROOMS = {"revier_mac": 16_000}
FITS = HEAP_BYTES - BUDGET_FREE


def row(imports: int, heap: int, why: str = "sends") -> Row:
    return Row("parking, heltec_v3", why, 0.9, 25, imports, heap)


def holds(*rows: Row) -> bool:
    return bool(firmware_size.summary(ROOMS, rows, 32)["holds"])


def test_at_the_budget_it_holds_and_one_byte_beyond_it_does_not() -> None:
    good = row(BUDGET_WAKE, FITS)
    assert holds(good)
    assert not holds(good, row(BUDGET_WAKE + 1, 1))
    assert not holds(good, row(1, FITS + 1))


def test_a_seldom_wake_is_judged_by_its_heap_only() -> None:
    good = row(BUDGET_WAKE, FITS)
    assert holds(good, row(BUDGET_WAKE + 1, FITS, "the network has spoken"))
    assert not holds(good, row(1, FITS + 1, "the network has spoken"))


def test_the_largest_wake_and_the_least_heap_are_named() -> None:
    found = firmware_size.summary(ROOMS, [row(30_000, 60_000), row(31_000, 50_000, "x")], 64)
    assert found["value"] == 31_000
    assert found["n"]["least_free_bytes"] == HEAP_BYTES - 60_000
    assert found["n"]["heap_of_32_bit_words"].startswith("not run")


def test_wakes_are_told_apart_by_what_they_import() -> None:
    sends = frozenset({"revier_node.app", "revier_mac.device"})
    hears = sends | {"revier_node.news", "revier_node.reading_log"}
    writes = sends | {"revier_node.reading_log"}
    shipped = {"revier_node/app.mpy": 3, "revier_mac/device.mpy": 4, "revier_node/news.mpy": 5}
    wakes = [Woken(sends, 10)] * 8 + [Woken(hears, 12), Woken(writes, 11)]
    heaps = firmware_size.Heaps([])
    rows = {r.why: r for r in firmware_size.rows_of("a", wakes, shipped, heaps)}
    assert set(rows) == {
        "sends", "the network has spoken", "sends, and readings go to the flash"
    }  # fmt: skip
    assert rows["sends"].imports == 7
    assert rows["sends"].share == 0.8
    assert rows["the network has spoken"].imports == 12
    assert not rows["the network has spoken"].judged


def test_modules_come_after_what_they_import() -> None:
    order = firmware_size.leaves_first(["revier_node.kinds.parking", "revier_node.radio"])
    assert order.index("revier_payload.pack") < order.index("revier_payload.parking")
    assert order.index("revier_mac.session") < order.index("revier_mac.device")
    assert order[-1] == "revier_node.radio"


@pytest.mark.skipif(chip_heap.wasm() is None, reason="npm's MicroPython is not installed")
def test_a_module_is_smaller_in_words_of_32_bits() -> None:
    mjs = chip_heap.wasm()
    assert mjs is not None
    saved = firmware_size.narrow_saves(["revier_mac.frames"], mjs)
    assert 500 < saved["revier_mac.frames"] < 10_000
