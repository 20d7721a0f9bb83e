# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Reception with the SX1262 model: windows, preambles, what is heard and what is not."""

from __future__ import annotations

import pytest

from revier_bench.chips.sx1262_tables import CRC_ERROR_IRQ as CRC_ERROR
from revier_bench.chips.sx1262_tables import HEADER_ERROR_IRQ as HEADER_ERROR
from revier_bench.chips.sx1262_tables import HEADER_VALID_IRQ as HEADER
from revier_bench.chips.sx1262_tables import PREAMBLE_IRQ as PREAMBLE
from revier_bench.chips.sx1262_tables import RX_DONE_IRQ as RX_DONE
from revier_bench.chips.sx1262_tables import TIMEOUT_IRQ as TIMEOUT
from revier_bench.chips.sx1262_tables import TX_DONE_IRQ as TX_DONE

from .fake_host import DIO1, MISMATCHES, Bench

SYMBOL_US = 1_024


def rx(bench: Bench, ticks: int = 0) -> None:
    bench.command(0x82, *ticks.to_bytes(3, "big"))


def test_a_downlink_is_received() -> None:
    bench = Bench()
    bench.configure(iq_inverted=True, length=255)
    rx(bench)
    assert bench.host.exposed
    emission = bench.downlink(bench.host.now_us + 3_000)
    bench.host.run_to(emission.start_us + 6 * SYMBOL_US)
    assert bench.irq() == PREAMBLE
    bench.host.run_to(emission.start_us + emission.preamble_us + 9 * SYMBOL_US)
    assert bench.irq() == PREAMBLE | HEADER
    bench.host.run_to(emission.end_us)
    assert bench.irq() == PREAMBLE | HEADER | RX_DONE
    assert bench.mode() == 2
    assert not bench.host.exposed
    length, start = bench.command(0x13, 0, 0, 0)[2:]
    assert bench.command(0x1E, start, 0, *bytes(length))[3:] == b"hello"
    assert bench.command(0x14, 0, 0, 0, 0)[2:4] == bytes((194, 25))  # -97 dBm, 6.25 dB
    bench.command(0x02, 0x03, 0xFF)
    assert not bench.host.levels[DIO1]
    assert bench.host.misuse == []


@pytest.mark.parametrize("changes", MISMATCHES)
def test_what_does_not_match_is_not_heard(changes: dict[str, int]) -> None:
    bench = Bench()
    bench.configure(iq_inverted=True, length=255)
    rx(bench, 6_400)  # 100 ms
    bench.downlink(bench.host.now_us + 1_000, **changes)
    bench.host.pass_us(150_000)
    assert bench.irq() == TIMEOUT


def test_a_frame_below_sensitivity_is_not_heard() -> None:
    bench = Bench()
    bench.air.lost = True
    bench.configure(iq_inverted=True, length=255)
    rx(bench, 6_400)
    bench.downlink(bench.host.now_us + 1_000)
    bench.host.pass_us(150_000)
    assert bench.irq() == TIMEOUT


def test_a_frame_lost_after_its_preamble_gives_a_header_error() -> None:
    bench = Bench()
    bench.configure(iq_inverted=True, length=255)
    rx(bench, 6_400)
    emission = bench.downlink(bench.host.now_us + 1_000)
    bench.host.run_to(emission.start_us + 6 * SYMBOL_US)
    bench.air.lost = True
    bench.host.pass_us(150_000)
    assert bench.irq() == PREAMBLE | HEADER_ERROR


def test_a_wrong_crc_is_reported_where_the_frame_has_one() -> None:
    bench = Bench()
    bench.air.spoilt = True
    bench.configure(iq_inverted=True, length=255)
    rx(bench)
    emission = bench.downlink(bench.host.now_us + 1_000, crc_on=True)
    bench.host.run_to(emission.end_us)
    assert bench.irq() == PREAMBLE | HEADER | RX_DONE | CRC_ERROR
    assert bench.command(0x1E, 0, 0, *bytes(5))[3:] != b"hello"


def test_a_header_that_promises_too_much_is_refused() -> None:
    bench = Bench()
    bench.configure(iq_inverted=True, length=3)
    rx(bench, 6_400)
    bench.downlink(bench.host.now_us + 1_000)
    bench.host.pass_us(150_000)
    assert bench.irq() & HEADER_ERROR


def test_symbol_timeout_ends_an_empty_window() -> None:
    bench = Bench()
    bench.configure(iq_inverted=True, length=255)
    bench.command(0xA0, 6)
    bench.command(0x80, 1)
    bench.wait()
    bench.raw(0x82, 0, 0x10, 0)
    begun_us = bench.host.now_us
    bench.host.run_to(begun_us + 62 + 6 * SYMBOL_US - 1)
    assert not bench.host.levels[DIO1]
    bench.host.pass_us(1)
    assert bench.host.levels[DIO1]
    assert bench.irq() == TIMEOUT


def test_symbol_timeout_register_has_mantissa_and_exponent() -> None:
    bench = Bench()
    bench.configure(iq_inverted=True, length=255)
    bench.command(0xA0, 128)
    bench.command(0x0D, 0x07, 0x06, 16 << 3 | 1)  # 16 * 2^3 symbols
    rx(bench)
    bench.host.pass_us(127 * SYMBOL_US)
    assert not bench.host.levels[DIO1]
    bench.host.pass_us(2 * SYMBOL_US)
    assert bench.host.levels[DIO1]


@pytest.mark.parametrize(
    ("late_symbols", "heard"), [(-30, True), (0, True), (2, True), (4, False), (9, False)]
)
def test_a_preamble_is_found_while_five_symbols_of_it_are_left(
    late_symbols: int, heard: bool
) -> None:
    bench = Bench()
    bench.configure(iq_inverted=True, length=255)
    bench.command(0x80, 1)
    bench.wait()
    emission = bench.downlink(bench.host.now_us + 40 * SYMBOL_US)
    bench.host.run_to(emission.start_us + late_symbols * SYMBOL_US)
    bench.raw(0x82, 0, 0x19, 0)
    bench.host.run_to(emission.end_us + 200_000)
    assert bench.irq() == (PREAMBLE | HEADER | RX_DONE if heard else TIMEOUT)


@pytest.mark.parametrize(("stop_on_preamble", "heard"), [(0, False), (1, True)])
def test_the_timer_stops_at_the_header_or_at_the_preamble(
    stop_on_preamble: int, heard: bool
) -> None:
    bench = Bench()
    bench.configure(iq_inverted=True, length=255)
    bench.command(0x9F, stop_on_preamble)
    rx(bench, 640)  # 10 ms: within the preamble
    bench.downlink(bench.host.now_us + 1_000)
    bench.host.pass_us(150_000)
    assert bool(bench.irq() & RX_DONE) is heard


def test_while_it_sends_it_hears_nothing() -> None:
    bench = Bench()
    bench.configure(length=23)
    bench.command(0x83, 0, 0, 0)
    bench.downlink(bench.host.now_us + 1_000, iq_inverted=False)
    bench.host.pass_us(200_000)
    assert bench.irq() == TX_DONE


def test_standby_ends_a_reception() -> None:
    bench = Bench()
    bench.configure(iq_inverted=True, length=255)
    rx(bench, 0xFFFFFF)
    emission = bench.downlink(bench.host.now_us + 1_000)
    bench.host.run_to(emission.start_us + 20 * SYMBOL_US)
    bench.command(0x80, 0)
    bench.host.pass_us(200_000)
    assert not bench.irq() & RX_DONE
    assert not bench.host.exposed


def test_continuous_reception_goes_on() -> None:
    bench = Bench()
    bench.configure(iq_inverted=True, length=255)
    rx(bench, 0xFFFFFF)
    for text in (b"one", b"three"):
        emission = bench.downlink(bench.host.now_us + 5_000, text)
        bench.host.run_to(emission.end_us)
        assert bench.irq() & RX_DONE
        length, start = bench.command(0x13, 0, 0, 0)[2:]
        assert bench.command(0x1E, start, 0, *bytes(length))[3:] == text
        bench.command(0x02, 0x03, 0xFF)
    assert bench.mode() == 5
