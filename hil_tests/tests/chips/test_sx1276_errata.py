# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the SX1276 model notes as misuse, and what the errata (ER) cost. DS = datasheet rev. 7."""

from __future__ import annotations

import pytest

from .fake_host import Bench76


@pytest.mark.parametrize(
    ("writes", "words"),
    [
        ([(0x31, 0xC3)], "ER 2.3"),
        ([(0x2F, 0x20)], "ER 2.3"),
        ([(0x36, 0x02)], "ER 2.1"),
        ([(0x1D, 0x92), (0x31, 0xC3)], "ER 2.1"),
        ([(0x3B, 0x1D)], "RegInvertIQ2"),
        ([(0x26, 0x0C)], "LowDataRateOptimize"),
        ([(0x37, 0x0C)], "detection registers"),
        ([(0x1F, 3)], "below 4"),
        ([(0x1D, 0xF2)], "no LoRa configuration"),
    ],
)
def test_a_reception_without_its_cures_is_noted(writes: list[tuple[int, int]], words: str) -> None:
    bench = Bench76()
    bench.configure(iq_inverted=True)
    for address, value in writes:
        bench.write(address, value)
    bench.write(0x01, 0x86)
    assert len(bench.host.misuse) == 1
    assert words in bench.host.misuse[0]


def test_500_khz_with_its_cure_is_fine() -> None:
    bench = Bench76()
    bench.configure(iq_inverted=True)
    for address, value in ((0x1D, 0x92), (0x31, 0xC3), (0x36, 0x02), (0x3A, 0x64)):
        bench.write(address, value)
    bench.write(0x01, 0x86)
    assert bench.host.misuse == []


def test_without_calibration_for_the_band_a_reception_is_noted() -> None:
    bench = Bench76()
    bench.write(0x01, 0x00)
    bench.write(0x01, 0x80)
    bench.write(0x01, 0x81)
    bench.configure(iq_inverted=True)
    bench.listen(6)
    assert "image calibration" in bench.host.misuse[0]


@pytest.mark.parametrize(
    ("address", "value", "fewest", "most"),
    [
        (0x3B, 0x1D, 30, 55),  # DS table 41, RegInvertIQ2
        (0x31, 0xC3, 60, 60),  # ER 2.3 lets in what is not there, it keeps out nothing
        (0x36, 0x02, 60, 60),  # ER 2.1 costs sensitivity
    ],
)
def test_which_missing_cures_cost_long_frames(
    address: int, value: int, fewest: int, most: int
) -> None:
    arrived = 0
    bench = Bench76()
    for _ in range(60):
        bench.configure(iq_inverted=True, length=255)
        bench.write(address, value)
        payload = bytes(range(40))
        emission = bench.downlink(bench.listen(20), payload)
        bench.host.run_to(emission.end_us)
        arrived += bench.frame() == payload
        bench.clear()
        bench.write(0x36, 0x03)
    assert fewest <= arrived <= most


def test_configuration_must_not_change_on_air() -> None:
    bench = Bench76()
    bench.configure(iq_inverted=True)
    bench.listen(50)
    bench.write(0x1E, 0x90)
    assert "while it sends or receives" in bench.host.misuse[0]
