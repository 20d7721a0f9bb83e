# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The firmware's windows open on time in a small run; a firmware that does it worse is found."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from revier_bench import image
from revier_bench.measure import rx_window, rx_window_peers
from revier_bench.measure.rx_window_answers import delayed_windows
from revier_bench.measure.rx_window_watch import Opening, Setting, data_windows, join_windows

AWAKE = Setting("awake", 0)
LIGHT = Setting("light", 1_000)
LIGHT_THRICE = Setting("light thrice", 1_000, factor=3)


def run(error_us: int) -> list[Opening]:
    """As few openings as are enough, each as wrong and as long as it may be."""
    longest = {7: 16_000, 12: 197_000}
    return [
        Opening(number, error_us, longest.get(sf, 50_000), sf, join)
        for join in (False, True)
        for number, sf in [(1, sf) for sf in rx_window.SPREADING_FACTORS] + [(2, 12)]
        for _ in range(rx_window.WINDOWS_EACH_MIN)
    ]


DELAYED = {LIGHT: ([Opening(1, 5_500, 18_432, 7)] * 50, [Opening(1, -3_000, 16_000, 7)] * 50)}
GOOD = {AWAKE: run(1_000), LIGHT: run(-3_000), LIGHT_THRICE: run(9_000)}


def holds(**changed: list[Opening]) -> bool:
    settings = {one.name: one for one in GOOD}
    runs = GOOD | {settings[name]: openings for name, openings in changed.items()}
    return bool(rx_window.judge(runs, DELAYED)["holds"])


def test_the_budget_is_kept_to_the_microsecond():
    assert holds()


@pytest.mark.parametrize("join", [False, True])
@pytest.mark.parametrize(
    ("name", "sf", "field", "value"),
    [
        ("awake", 7, "error_us", -1_001),
        ("awake", 7, "on_us", 16_001),
        ("light", 12, "error_us", 3_001),
        ("light", 12, "on_us", 197_001),
    ],
)
def test_each_part_of_the_budget_can_be_missed(name, sf, field, value, join):
    runs = {one.name: openings for one, openings in GOOD.items()}
    bad = [
        replace(one, **{field: value}) if (one.spreading_factor, one.join) == (sf, join) else one
        for one in runs[name]
    ]
    assert not holds(**{name: bad})


@pytest.mark.parametrize("join", [False, True])
@pytest.mark.parametrize(("number", "sf"), [(1, 7), (1, 9), (1, 12), (2, 12)])
def test_too_few_windows_of_a_kind_prove_nothing(join, number, sf):
    openings = run(0)
    openings.remove(
        next(
            one
            for one in openings
            if (one.number, one.spreading_factor, one.join) == (number, sf, join)
        )
    )
    assert not holds(awake=openings)


@pytest.mark.parametrize(
    "learnt",
    [
        [Opening(1, 3_001, 16_000, 7)] * 50,
        [Opening(1, 0, 16_001, 7)] * 50,
        [Opening(1, 0, 16_000, 7)] * 49,
    ],
)
def test_what_a_downlink_teaches_is_judged_too(learnt):
    assert not rx_window.judge(GOOD, {LIGHT: (DELAYED[LIGHT][0], learnt)})["holds"]


def test_a_small_run_of_the_firmware():
    openings = data_windows(LIGHT_THRICE, 3)
    assert {one.number for one in openings} == {1, 2}
    assert {one.spreading_factor for one in openings} == {7, 8, 9, 10, 11, 12}
    errors = [one.error_us for one in openings]
    assert max(abs(us) for us in errors) <= rx_window.BUDGET_LIGHT_US
    # a light sleep of 1 s whose clock is 1,000 ppm slow ends 1 ms late
    assert sum(errors) / len(errors) > 500


def test_a_join_waits_awake_for_most_of_its_time():
    """5 or 6 s of light sleep would be late by 5 or 6 ms."""
    openings = join_windows(LIGHT, 10, nodes=2)
    assert all(one.join for one in openings)
    assert {one.number for one in openings} == {1, 2}
    assert rx_window.p99_us(openings) <= rx_window.BUDGET_LIGHT_US
    assert max(one.on_us for one in openings if one.spreading_factor == 7) <= 16_000


@pytest.mark.parametrize("ppm", [1_000, -1_000])
def test_a_downlink_tells_how_much_light_sleep_errs(ppm):
    before, after = delayed_windows(Setting("light", ppm), nodes=2, uplinks=9)
    assert all(4_500 < one.error_us * ppm // 1_000 < 5_700 for one in before)
    assert rx_window.p99_us(after) <= 1_000
    assert max(one.on_us for one in after) <= 16_000 < min(one.on_us for one in before)


# -- firmware that is worse --

LOCK = "        micropython.heap_lock()  #"
UNLOCK = "            micropython.heap_unlock()"
SEND = "        self._cs(0)\n        self._spi"
END = (
    "        if polled_us:\n"
    "            self._tx_end_us = time.ticks_add(time.ticks_us(), -polled_us)"
)


@pytest.fixture
def mutant(tmp_path: Path) -> Callable[..., list[Opening]]:
    """mutant({module: [(old, new), ...]}): the windows of the firmware with that changed."""

    def openings(changes: dict[str, list[tuple[str, str]]]) -> list[Opening]:
        firmware = tmp_path / "firmware"
        shutil.copytree(image.FIRMWARE_DIR, firmware)
        for name, pairs in changes.items():
            module = firmware / "revier_node" / name
            text = module.read_text()
            for old, new in pairs:
                assert old in text
                text = text.replace(old, new)
            module.write_text(text)
        return data_windows(AWAKE, 3, firmware)

    return openings


NO_LOCK = [(LOCK, "        pass  #"), (UNLOCK, "            pass")]


def test_commands_that_take_heap_without_the_lock_are_struck_by_collections(mutant):
    taking = {"radio.py": NO_LOCK, "radio_bus.py": [(SEND, "        bytearray(64)\n" + SEND)]}
    assert rx_window.p99_us(mutant(taking)) > 2 * rx_window.BUDGET_AWAKE_US


def test_the_lock_finds_commands_that_take_heap(mutant):
    """MemoryError at the first of them: no window ever opens."""
    assert mutant({"radio_bus.py": [(SEND, "        bytearray(64)\n" + SEND)]}) == []


def test_an_end_of_transmission_taken_from_an_interrupt_is_late(mutant):
    handler = (
        "NAP_MIN_US = const(8_000)",
        "_seen_us = -1\n\n\ndef _seen(_pin):\n    global _seen_us\n"
        "    _seen_us = time.ticks_us()\n\n\nNAP_MIN_US = const(8_000)",
    )
    register = (LOCK, "        globals()['_seen_us'] = -1\n"
                "        machine.Pin(14, machine.Pin.IN).irq(_seen, 1)\n" + LOCK)  # fmt: skip
    late = (END, "        while _seen_us < 0:\n            time.sleep_us(100)\n"
            "        self._tx_end_us = _seen_us")  # fmt: skip
    errors = [one.error_us for one in mutant({"radio.py": [handler, register, late]})]
    assert max(errors) > 2 * rx_window.BUDGET_AWAKE_US


def test_the_peers_models_are_worse_than_the_budget():
    callback = [abs(us) for us in rx_window_peers.callback_errors_us(1, 30)]
    assert min(callback) > rx_window.BUDGET_AWAKE_US
    assert max(callback) < 100_000
    assert -4_000 < min(rx_window_peers.loramac_node_errors_us()) < -rx_window.BUDGET_AWAKE_US
