# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The SX1262 model against its datasheet (DS rev. 2.1), as drivers see it."""

from __future__ import annotations

import pytest

from revier_bench.world.airtime import lora_airtime_us

from .fake_host import DIO1, Bench

TX_DONE, RX_DONE, PREAMBLE, HEADER, HEADER_ERROR, CRC_ERROR, TIMEOUT = (
    0x01,
    0x02,
    0x04,
    0x10,
    0x20,
    0x40,
    0x200,
)
SYMBOL_US = 1_024


def rx(bench: Bench, ticks: int = 0) -> None:
    bench.command(0x82, *ticks.to_bytes(3, "big"))


# -- BUSY, reset, oscillator --


def test_after_power_on_it_is_busy_then_in_standby() -> None:
    bench = Bench()
    assert bench.wait() == 3_500
    assert bench.mode() == 2
    assert bench.command(0x1D, 0x07, 0x40, 0, 0, 0)[4:] == b"\x14\x24"
    assert bench.host.misuse == []


def test_a_command_while_busy_is_lost_and_noted() -> None:
    bench = Bench()
    bench.raw(0x80, 1)
    assert "while BUSY" in bench.host.misuse[0]
    assert bench.mode() == 2


def test_a_tcxo_that_is_not_set_up_does_not_start() -> None:
    bench = Bench(tcxo_mv=1_800)
    assert bench.command(0x17, 0, 0, 0)[2:] == b"\x00\x20"
    bench.command(0x80, 1)
    assert bench.mode() == 2
    assert "TCXO" in bench.host.misuse[-1]
    assert bench.raw(0xC0, 0)[1] >> 1 & 7 in (1, 5)


@pytest.mark.parametrize(
    ("voltage", "ticks", "starts"), [(2, 320, True), (2, 64, False), (7, 320, False)]
)
def test_a_tcxo_needs_its_voltage_and_its_time(voltage: int, ticks: int, starts: bool) -> None:
    bench = Bench(tcxo_mv=1_800)
    bench.command(0x97, voltage, *ticks.to_bytes(3, "big"))
    bench.command(0x07, 0, 0)
    bench.command(0x80, 1)
    assert (bench.mode() == 3) is starts
    assert (bench.host.misuse == []) is starts


def test_oscillator_start_keeps_busy_for_the_tcxo_time() -> None:
    bench = Bench(tcxo_mv=1_800)
    bench.command(0x97, 2, 0, 1, 0x40)  # 320 steps of 15.625 us
    bench.command(0x80, 1)
    assert bench.wait() == 31 + 5_000


def test_sending_without_calibration_after_the_tcxo_is_noted() -> None:
    bench = Bench(tcxo_mv=1_800)
    bench.command(0x97, 2, 0, 1, 0x40)
    bench.command(0x8A, 1)
    for command in (
        (0x86, 0x36, 0x41, 0x99, 0x9A),
        (0x95, 4, 7, 0, 1),
        (0x8E, 14, 4),
        (0x8B, 7, 4, 1, 0),
        (0x8C, 0, 8, 0, 4, 1, 0),
    ):
        bench.command(*command)
    bench.command(0x83, 0, 0, 0)
    assert any("without calibration" in line for line in bench.host.misuse)
    assert bench.chip.modem.impaired()
    assert bench.chip.mode == 6


def test_reset_line_needs_100_us() -> None:
    bench = Bench()
    bench.wait()
    bench.chip.reset_pin(False, 10_000)
    bench.chip.reset_pin(True, 10_050)
    assert "NRESET" in bench.host.misuse[0]


# -- sleep --


def sleep(bench: Bench, config: int, settle_us: int = 600) -> None:
    bench.command(0x84, config)
    bench.host.pass_us(settle_us)


def test_warm_sleep_keeps_registers_and_takes_340_us_to_end() -> None:
    bench = Bench()
    bench.configure()
    bench.command(0x0E, 0, 1, 2, 3)
    sleep(bench, 0x04)
    bench.raw(0xC0, 0)
    woken_us = bench.host.now_us
    assert bench.host.busy_until_us - woken_us <= 340
    assert bench.command(0x1D, 0x07, 0x40, 0, 0, 0)[4:] == b"\x34\x44"
    assert bench.command(0x1E, 0, 0, 0, 0, 0)[3:] == bytes(3), "the data buffer is lost"
    assert bench.host.misuse == []


def test_cold_sleep_loses_everything() -> None:
    bench = Bench(tcxo_mv=1_800)
    bench.configure()
    sleep(bench, 0x00)
    bench.raw(0xC0, 0)
    assert bench.wait() > 3_000
    assert bench.command(0x1D, 0x07, 0x40, 0, 0, 0)[4:] == b"\x14\x24"
    assert bench.command(0x17, 0, 0, 0)[2:] == b"\x00\x20"


def test_rx_gain_survives_warm_sleep_only_from_the_retention_list() -> None:
    bench = Bench()
    for retained, kept in ((False, 0x94), (True, 0x96)):
        bench.command(0x0D, 0x08, 0xAC, 0x96)
        if retained:
            bench.command(0x0D, 0x02, 0x9F, 0x01, 0x08, 0xAC)
        sleep(bench, 0x04)
        bench.raw(0xC0, 0)
        assert bench.command(0x1D, 0x08, 0xAC, 0, 0)[4] == kept


@pytest.mark.parametrize(
    ("settle_us", "command", "noted"),
    [
        (600, (0xC0, 0), []),
        (100, (0xC0, 0), ["500 us"]),
        (600, (0x80, 0), ["sleeping chip"]),
    ],
)
def test_misuse_around_sleep(settle_us: int, command: tuple[int, ...], noted: list[str]) -> None:
    bench = Bench()
    sleep(bench, 0x04, settle_us)
    bench.raw(*command)
    assert len(bench.host.misuse) == len(noted)
    assert all(word in bench.host.misuse[0] for word in noted)


# -- refusals --


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ((0x8B, 7, 4, 1, 0), "before SetPacketType"),
        ((0x80,), "cut short"),
        ((0x80, 0, 7), "after the end"),
        ((0x42, 0), "unknown"),
        ((0x95, 5, 7, 0, 1), "PA configuration"),
        ((0x8A, 4), "packet type 4"),
    ],
)
def test_misuse_is_noted(command: tuple[int, ...], words: str) -> None:
    bench = Bench()
    bench.command(*command)
    assert len(bench.host.misuse) == 1
    assert words in bench.host.misuse[0]


def test_parameters_must_not_change_while_it_receives() -> None:
    bench = Bench()
    bench.configure(iq_inverted=True)
    rx(bench, 0xFFFFFF)
    bench.command(0x8B, 9, 4, 1, 0)
    assert "outside of standby" in bench.host.misuse[-1]
    assert bench.chip.modem.set.spreading_factor == 7


def test_polarity_without_its_cure_is_noted() -> None:
    bench = Bench()
    bench.configure(iq_inverted=True)
    bench.command(0x0D, 0x07, 0x36, 0x0D)
    rx(bench)
    assert "15.4" in bench.host.misuse[-1]


# -- transmit --


@pytest.mark.parametrize(("sf", "length"), [(7, 23), (10, 11), (12, 51)])
def test_transmission_lasts_its_time_on_air(sf: int, length: int) -> None:
    bench = Bench()
    bench.configure(sf=sf, length=length)
    bench.command(0x0E, 0, *range(length))
    bench.command(0x80, 1)
    bench.wait()
    bench.raw(0x83, 0, 0, 0)
    begun_us = bench.host.now_us
    assert bench.chip.mode == 6
    airtime_us = lora_airtime_us(length, sf)
    bench.host.run_to(begun_us + 105 + 200 + airtime_us - 1)
    assert not bench.host.levels[DIO1]
    bench.host.pass_us(1)
    assert bench.host.levels[DIO1]
    assert bench.irq() == TX_DONE
    assert bench.mode() == 2
    (emission,) = bench.air.emitted
    assert emission.start_us == begun_us + 305
    assert emission.airtime_us == airtime_us
    assert emission.payload == bytes(range(length))
    assert (emission.sync_word, emission.power_dbm, emission.iq_inverted) == (0x3444, 14.0, False)
    assert abs(emission.frequency_hz - 868_100_000) <= 1
    assert bench.host.misuse == []


def test_fallback_mode_follows_a_transmission() -> None:
    bench = Bench()
    bench.configure()
    bench.command(0x93, 0x30)
    bench.command(0x83, 0, 0, 0)
    bench.host.pass_us(200_000)
    assert bench.mode() == 3


def test_a_transmission_longer_than_its_timeout_is_cut() -> None:
    bench = Bench()
    bench.configure()
    bench.command(0x83, 0, 0x0C, 0x80)  # 50 ms
    bench.host.pass_us(100_000)
    assert bench.irq() == TIMEOUT


def test_interrupts_outside_the_mask_are_not_noted() -> None:
    bench = Bench()
    bench.configure()
    bench.command(0x08, 0, 0, 0, 0, 0, 0, 0, 0)
    bench.command(0x83, 0, 0, 0)
    bench.host.pass_us(100_000)
    assert bench.irq() == 0
