# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The SX1276 model against its datasheet (DS rev. 7) and errata (ER), as drivers see it."""

from __future__ import annotations

import pytest

from .fake_host import DIO0, DIO1, Bench76

SYMBOL_US = 1_024


def in_lora() -> Bench76:
    bench = Bench76()
    bench.configure()
    return bench


# -- start, modes --


def test_after_power_on_it_is_in_fsk_standby() -> None:
    bench = Bench76()
    assert bench.read(0x42) == b"\x12"
    assert bench.read(0x01) == b"\x09"
    assert bench.read(0x06, 3) == b"\x6c\x80\x00"
    assert bench.host.misuse == []


def test_spi_before_it_has_started_is_lost_and_noted() -> None:
    bench = Bench76()
    bench.chip.reset_pin(False, 20_000)
    bench.chip.reset_pin(True, 20_200)
    bench.host.run_to(24_000)
    assert bench.read(0x42) == b"\x00"
    assert "before it has started" in bench.host.misuse[0]
    bench.host.run_to(25_200)
    assert bench.read(0x42) == b"\x12"


def test_reset_line_needs_100_us_and_forgets_everything() -> None:
    bench = in_lora()
    now_us = bench.host.now_us
    bench.chip.reset_pin(False, now_us)
    bench.chip.reset_pin(True, now_us + 50)
    bench.host.pass_us(6_000)
    assert "NRESET" in bench.host.misuse[0]
    assert bench.read(0x01) == b"\x09"


def test_lora_is_entered_from_sleep_only() -> None:
    bench = Bench76()
    bench.write(0x01, 0x81)
    assert bench.read(0x01) == b"\x01"
    assert "in sleep only" in bench.host.misuse[0]
    bench.write(0x01, 0x00)
    bench.write(0x01, 0x80)
    assert bench.read(0x01) == b"\x80"
    bench.write(0x01, 0x81)
    bench.write(0x01, 0x01)
    assert bench.read(0x01) == b"\x81"


def test_both_modes_have_their_own_registers() -> None:
    bench = in_lora()
    assert bench.read(0x39) == b"\x34"
    bench.write(0x01, 0xC1)  # AccessSharedReg
    assert bench.read(0x3B) == b"\x02"
    bench.write(0x01, 0x81)
    assert bench.read(0x3B) == b"\x1d"


def test_image_calibration_takes_its_time_in_fsk_standby() -> None:
    bench = Bench76()
    bench.write(0x01, 0x01)
    bench.write(0x06, 0xD9, 0x06, 0x66)
    bench.write(0x3B, 0x42)
    assert bench.read(0x3B)[0] & 0x20
    bench.host.pass_us(10_000)
    assert not bench.read(0x3B)[0] & 0x20
    assert abs(bench.chip.fsk.calibrated_hz - 868_100_000) < 100
    bench.write(0x01, 0x00)
    bench.write(0x3B, 0x42)
    assert "calibration outside" in bench.host.misuse[0]


def test_a_tcxo_needs_its_input() -> None:
    bench = Bench76(tcxo=True)
    bench.configure()
    bench.send(bytes(23))
    assert "TCXO" in bench.host.misuse[0]
    assert bench.idle()
    bench.write(0x4B, 0x19)
    bench.send(bytes(23))
    assert bench.mode() == 3


def test_from_sleep_the_oscillator_starts_first() -> None:
    bench = in_lora()
    bench.write(0x01, 0x80)
    bench.write(0x01, 0x83)
    begun_us = bench.host.now_us
    bench.host.pass_us(200_000)
    assert bench.air.emitted[0].start_us == begun_us + 250 + 60 + 55


def test_a_locked_synthesiser_saves_its_time() -> None:
    bench = in_lora()
    bench.write(0x01, 0x82)
    bench.host.pass_us(100)
    bench.write(0x01, 0x83)
    begun_us = bench.host.now_us
    bench.host.pass_us(200_000)
    assert bench.air.emitted[0].start_us == begun_us + 55


# -- registers, FIFO, interrupts --


def test_the_fifo_pointer_goes_along_and_wraps() -> None:
    bench = in_lora()
    bench.write(0x0D, 0xFE)
    bench.write(0x00, 1, 2, 3)
    assert bench.read(0x0D) == b"\x01"
    bench.write(0x0D, 0xFE)
    assert bench.read(0x00, 3) == b"\x01\x02\x03"


def test_the_fifo_is_lost_and_out_of_reach_in_sleep() -> None:
    bench = in_lora()
    bench.write(0x0D, 0)
    bench.write(0x00, 7)
    bench.write(0x01, 0x80)
    bench.write(0x00, 7)
    assert "FIFO" in bench.host.misuse[0]
    bench.write(0x01, 0x81)
    bench.write(0x0D, 0)
    assert bench.read(0x00) == b"\x00"
    assert bench.read(0x39) == b"\x34", "registers stay"


def test_flags_are_cleared_by_ones_and_kept_away_by_the_mask() -> None:
    bench = in_lora()
    bench.send(bytes(23))
    bench.host.pass_us(100_000)
    bench.write(0x12, 0x40)
    assert bench.read(0x12) == b"\x08"
    bench.write(0x12, 0x08)
    assert bench.read(0x12) == b"\x00"
    bench.write(0x11, 0x08)
    bench.send(bytes(23))
    bench.host.pass_us(100_000)
    assert bench.read(0x12) == b"\x00"
    assert bench.idle()


def test_dio_pins_follow_their_mapping() -> None:
    bench = in_lora()
    bench.write(0x40, 0x40)
    bench.send(bytes(23))
    assert not bench.host.levels[DIO0]
    bench.host.pass_us(100_000)
    assert bench.host.levels[DIO0]
    bench.clear()
    assert not bench.host.levels[DIO0]
    bench.configure(iq_inverted=True)
    bench.listen(6)
    bench.host.pass_us(20_000)
    assert bench.host.levels[DIO1]
    assert not bench.host.levels[DIO0]


def test_what_the_chip_writes_the_bus_cannot() -> None:
    bench = in_lora()
    bench.write(0x42, 0x55)
    bench.write(0x13, 0x55)
    assert bench.read(0x42) == b"\x12"
    assert bench.read(0x13) == b"\x00"


@pytest.mark.parametrize("symbols", [4, 300, 1_023])
def test_the_symbol_timeout_has_ten_bits(symbols: int) -> None:
    bench = Bench76()
    bench.configure(iq_inverted=True)
    bench.write(0x1E, 0x70 | symbols >> 8)
    on_us = bench.listen(symbols & 0xFF)
    bench.host.run_to(on_us + symbols * SYMBOL_US - 200)
    assert bench.flags() == set()
    bench.host.run_to(on_us + symbols * SYMBOL_US)
    assert bench.flags() == {"timeout"}


def test_activity_is_detected_and_reported() -> None:
    bench = Bench76()
    bench.configure(iq_inverted=True)
    for heard in (False, True):
        if heard:
            bench.downlink(bench.host.now_us + 10)
        bench.write(0x01, 0x87)
        bench.host.pass_us(5_000)
        assert bench.read(0x12)[0] == (0x05 if heard else 0x04)
        assert bench.idle()
        bench.clear()


# -- power --


@pytest.mark.parametrize(
    ("config", "dac", "ocp", "dbm"),
    [
        (0xFC, 0x84, 0x2B, 14.0),
        (0xFF, 0x84, 0x2B, 17.0),
        (0xF0, 0x84, 0x2B, 2.0),
        (0xFF, 0x87, 0x31, 20.0),
    ],
)
def test_power_follows_its_three_registers(config: int, dac: int, ocp: int, dbm: float) -> None:
    bench = in_lora()
    bench.write(0x09, config)
    bench.write(0x4D, dac)
    bench.write(0x0B, ocp)
    bench.send(bytes(23))
    bench.host.pass_us(100_000)
    assert bench.air.emitted[0].power_dbm == dbm
    assert bench.host.misuse == []


@pytest.mark.parametrize(
    ("writes", "words", "dbm"),
    [
        ([(0x09, 0x7F)], "PA_BOOST", -40.0),
        ([(0x09, 0xFF), (0x4D, 0x87)], "current limit", 17.0),
    ],
)
def test_a_wrong_amplifier_is_noted(writes: list[tuple[int, int]], words: str, dbm: float) -> None:
    bench = in_lora()
    for address, value in writes:
        bench.write(address, value)
    bench.send(bytes(23))
    bench.host.pass_us(100_000)
    assert words in bench.host.misuse[0]
    assert bench.air.emitted[0].power_dbm == dbm
