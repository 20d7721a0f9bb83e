# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Modes of the SX1262 that only other drivers use, against DS = its datasheet rev. 2.1."""

from __future__ import annotations

import pytest

from revier_bench.world.airtime import lora_airtime_us

from .fake_host import DIO1, Bench
from .sx1262_bench import (
    CAD_DETECTED,
    CAD_DONE,
    CRC_ERROR,
    HEADER,
    PREAMBLE,
    RX_DONE,
    TIMEOUT,
    listening,
    register,
)

SYMBOL_US = 1_024


# -- activity detection --


@pytest.mark.parametrize(("code", "symbols"), [(0, 1), (1, 2), (2, 4), (3, 8), (4, 16)])
def test_activity_detection_lasts_as_many_symbols_as_it_was_told(code: int, symbols: int) -> None:
    """DS table 13-72."""
    bench = listening()
    bench.command(0x88, code, 22, 10, 0, 0, 0, 0)
    bench.command(0x80, 1)
    bench.wait()
    bench.raw(0xC5)
    end_us = bench.host.now_us + 62 + symbols * SYMBOL_US
    bench.host.run_to(end_us - 1)
    assert not bench.host.levels[DIO1]
    bench.host.run_to(end_us)
    assert bench.irq() == CAD_DONE
    assert bench.mode() == 2


def test_activity_detection_may_go_on_to_receive() -> None:
    """DS table 13-73, CAD_RX; without activity it is standby."""
    bench = listening()
    bench.command(0x88, 2, 22, 10, 1, 0, 0x32, 0)
    bench.command(0xC5)
    bench.host.pass_us(10_000)
    assert (bench.irq(), bench.mode()) == (CAD_DONE, 2)
    emission = bench.downlink(bench.host.now_us + 2_000, preamble_us=20 * SYMBOL_US)
    bench.host.run_to(emission.start_us + SYMBOL_US)
    bench.command(0xC5)
    bench.host.pass_us(6 * SYMBOL_US)
    assert (bench.irq(), bench.mode()) == (CAD_DONE | CAD_DETECTED, 5)
    bench.host.run_to(emission.end_us + 1)
    assert bench.irq() & RX_DONE
    assert bench.frame() == b"hello"


# -- SetRxDutyCycle --


def steps(us: int) -> bytes:
    return (us * 64 // 1000).to_bytes(3, "big")


def test_duty_cycle_reception_sleeps_in_between_and_nss_wakes_it() -> None:
    """DS 13.1.7: BUSY is high in sleep; a falling NSS ends it, registers kept."""
    bench = listening()
    bench.command(0x94, *steps(20_000), *steps(50_000))
    begun_us = bench.host.now_us
    bench.wait()
    modes = []
    for after_us in (10_000, 40_000, 80_000, 110_000):
        bench.host.run_to(begun_us + after_us)
        modes.append((bench.chip.mode, bench.host.busy_until_us > bench.host.now_us))
    assert modes == [(5, False), (0, True), (5, False), (0, True)]
    bench.raw(0x00)
    assert bench.mode() == 2
    assert register(bench, 0x0740, 2) == b"\x34\x44"
    bench.host.pass_us(200_000)
    assert bench.mode() == 2
    assert bench.host.misuse == []


def test_duty_cycle_reception_stays_for_a_preamble() -> None:
    """DS 13.1.7: from a preamble on it listens for 2 * rxPeriod + sleepPeriod."""
    bench = listening()
    bench.command(0x94, *steps(20_000), *steps(30_000))
    long_us = 80 * SYMBOL_US
    emission = bench.downlink(
        bench.host.now_us + 30_000, preamble_us=long_us,
        airtime_us=lora_airtime_us(5, 7, crc=False) + long_us - 12_544,
    )  # fmt: skip
    bench.host.run_to(emission.end_us + 1)
    assert bench.irq() == PREAMBLE | HEADER | RX_DONE
    assert bench.frame() == b"hello"
    assert bench.mode() == 2
    assert bench.host.misuse == []


# -- statistics, fallback, implicit headers, carriers --


def test_statistics_count_and_are_reset() -> None:
    """DS 13.5.5, 13.5.6."""
    bench = listening()
    bench.air.spoilt = True
    for _ in range(2):
        bench.command(0x82, 0, 0, 0)
        emission = bench.downlink(bench.host.now_us + 1_000, crc_on=True)
        bench.host.run_to(emission.end_us)
        bench.air.spoilt = False
    assert bench.command(0x10, 0, *bytes(6))[2:] == bytes((0, 2, 0, 1, 0, 0))
    bench.command(0x00, *bytes(6))
    assert bench.command(0x10, 0, *bytes(6))[2:] == bytes(6)
    assert bench.host.misuse == []


@pytest.mark.parametrize("command", [(0x82, 0, 1, 0), (0x83, 0, 1, 0)])
def test_after_a_timeout_it_is_in_standby_whatever_the_fallback(command: tuple[int, ...]) -> None:
    """DS 13.1.4, 13.1.5 against 13.1.15, which is for packets that went through."""
    bench = listening()
    bench.command(0x93, 0x40)
    bench.command(*command)
    bench.host.pass_us(50_000)
    assert bench.irq() == TIMEOUT
    assert bench.mode() == 2


def implicit(crc: int = 0, length: int = 5) -> Bench:
    bench = listening()
    bench.command(0x8C, 0, 8, 1, length, crc, 1)
    return bench


@pytest.mark.parametrize(("length", "arrives"), [(5, True), (4, False), (9, False)])
def test_without_a_header_both_must_know_the_length(length: int, arrives: bool) -> None:
    """DS 6.1.3."""
    bench = implicit(crc=1, length=length)
    bench.command(0x82, 0, 0, 0)
    emission = bench.downlink(bench.host.now_us + 1_000, explicit_header=False, crc_on=True)
    bench.host.run_to(emission.end_us)
    assert bench.irq() == PREAMBLE | RX_DONE | (0 if arrives else CRC_ERROR)
    assert (bench.frame() == b"hello") is arrives
    assert len(bench.frame()) == length


@pytest.mark.parametrize("cured", [False, True])
def test_without_a_header_the_clock_runs_on(cured: bool) -> None:
    """DS 15.3: a timeout comes after RX_DONE unless the clock is stopped (0x0902, 0x0944)."""
    bench = implicit()
    bench.command(0x82, *steps(200_000))
    emission = bench.downlink(bench.host.now_us + 1_000, explicit_header=False)
    bench.host.run_to(emission.end_us)
    assert bench.irq() == PREAMBLE | RX_DONE
    if cured:
        bench.command(0x0D, 0x09, 0x02, 0x00)
        bench.command(0x0D, 0x09, 0x44, 0x02)
    bench.command(0x02, 0x43, 0xFF)
    bench.host.pass_us(200_000)
    assert bench.irq() == (0 if cured else TIMEOUT)


@pytest.mark.parametrize("opcode", [0xD1, 0xD2])
def test_a_carrier_lasts_until_standby(opcode: int) -> None:
    """DS 13.1.9, 13.1.10."""
    bench = listening()
    bench.command(opcode)
    bench.host.pass_us(3_000_000)
    assert bench.mode() == 6
    assert "reaches nobody" in bench.host.misuse[0]
    bench.command(0x80, 0)
    assert bench.mode() == 2


def test_power_needs_no_packet_type_and_frequency_may_be_set_in_fs() -> None:
    """DS 13.4.4 and 13.4.1: LoRaMac-node's SX126xInit does the one, frequency hoppers the other."""
    bench = Bench()
    bench.command(0x8E, 0, 4)
    bench.command(0xC1)
    bench.command(0x86, 0x36, 0x41, 0x99, 0x9A)
    assert bench.host.misuse == []
    assert abs(bench.chip.frequency_hz - 868_100_000) <= 1
