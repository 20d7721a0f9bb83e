# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What other drivers do with an SX1262 and ours does not, against DS = its datasheet rev. 2.1.

Each test names whose habit it is. The drivers themselves were run on the model beside the project.
"""

from __future__ import annotations

import pytest

from .fake_host import Bench
from .sx1262_bench import TIMEOUT, TX_DONE, all_irqs, listening, register

# -- RadioLib: looks for a version, wakes with NOP, reads the status byte --


def test_it_says_what_it_is() -> None:
    assert register(Bench(), 0x0320, 16) == b"SX1261 V2D 2D02\0"


def test_a_nop_does_no_harm_awake_asleep_or_busy() -> None:
    bench = Bench()
    bench.raw(0x00)  # BUSY after power-on
    bench.command(0x00)
    bench.command(0x84, 0x04)
    bench.host.pass_us(1_000)
    bench.raw(0x00)
    assert bench.mode() == 2
    assert bench.host.misuse == []


def test_the_status_byte_is_that_of_silicon() -> None:
    """DS table 13-76 and the field note in sx1262_tables.py: 0xA2 is standby, command taken."""
    bench = Bench()
    bench.command(0x80, 0)
    assert bench.command(0xC0, 0) == b"\xa2\xa2"
    bench.command(0x80, 1)
    assert bench.command(0xC0, 0)[1] == 0xB2
    bench.command(0x42)
    assert bench.command(0xC0, 0)[1] == 0xB8, "processing error"
    assert bench.command(0xC0, 0)[1] == 0xB2


@pytest.mark.parametrize(("event", "status"), [("sent", 0xAC), ("timeout", 0xA6)])
def test_the_status_byte_tells_once_how_it_ended(event: str, status: int) -> None:
    bench = listening()
    bench.command(*((0x83, 0, 0, 0) if event == "sent" else (0x82, 0, 1, 0)))
    bench.host.pass_us(500_000)
    assert bench.command(0xC0, 0)[1] == status
    assert bench.command(0xC0, 0)[1] == 0xA2


def test_it_receives_random_numbers() -> None:
    """DS 12.1: RandomNumberGen, valid while it receives."""
    bench = listening()
    assert register(bench, 0x0819, 4) == bytes(4)
    bench.command(0x82, 0xFF, 0xFF, 0xFF)
    seen = {register(bench, 0x0819, 4) for _ in range(20)}
    assert len(seen) == 20


def test_the_last_header_can_be_read() -> None:
    bench = listening()
    bench.command(0x82, 0, 0, 0)
    emission = bench.downlink(bench.host.now_us + 1_000, coding_rate=7, crc_on=True)
    bench.host.run_to(emission.end_us)
    assert register(bench, 0x0749)[0] >> 4 & 7 == 3
    assert register(bench, 0x076B)[0] & 0x10


# -- power: RadioLib's optimised settings, OCP --


def test_setting_the_amplifier_sets_the_current_limit() -> None:
    """DS table 12-1 and 13.1.14: 140 mA after reset and after each SetPaConfig."""
    bench = Bench()
    assert register(bench, 0x08E7) == b"\x38"
    bench.command(0x0D, 0x08, 0xE7, 0x18)
    assert register(bench, 0x08E7) == b"\x18"
    bench.command(0x95, 4, 7, 0, 1)
    assert register(bench, 0x08E7) == b"\x38"


@pytest.mark.parametrize(
    ("pa", "dbm", "taken"),
    [
        ((4, 7, 0, 1), 22.0, True),
        ((3, 5, 0, 1), 20.0, True),
        ((2, 2, 0, 1), 14.0, True),
        ((1, 6, 0, 1), None, True),
        ((2, 1, 0, 1), None, True),
        ((5, 7, 0, 1), None, False),
        ((4, 8, 0, 1), None, False),
        ((4, 7, 1, 1), None, False),
    ],
)
def test_amplifier_settings(pa: tuple[int, ...], dbm: float | None, taken: bool) -> None:
    """DS table 13-21 lists optima; 13.1.14 forbids duty cycles above 4 and hpMax above 7."""
    bench = Bench()
    bench.configure()
    bench.command(0x95, *pa)
    bench.command(0x8E, 22, 4)
    assert (bench.host.misuse == []) is taken
    bench.command(0x83, 0, 0, 0)
    bench.host.pass_us(200_000)
    if taken:
        power_dbm = bench.air.emitted[0].power_dbm
        assert power_dbm == dbm if dbm is not None else 8 < power_dbm < 22


# -- GFSK and the like --


def configure_gfsk(bench: Bench) -> None:
    """RadioLib's beginFSK, 4.8 kb/s; 16 bits of preamble, 16 of sync word, CRC of two bytes."""
    bench.command(0x98, 0xD7, 0xDB)
    bench.command(0x86, *(868_300_000 * (1 << 25) // 32_000_000).to_bytes(4, "big"))
    bench.command(0x8A, 0)
    bench.command(0x8B, 0x03, 0x41, 0x55, 0, 0x1A, 0, 0x14, 0x7B)
    bench.command(0x8C, 0, 16, 0x04, 16, 0, 1, 3, 0x06, 0)
    bench.command(0x95, 4, 7, 0, 1)
    bench.command(0x8E, 10, 4)
    all_irqs(bench)


def test_gfsk_is_taken_and_lasts_but_reaches_nobody() -> None:
    """DS tables 13-45, 13-58: nine and ten bytes. 16 + 16 + 8 + 24 + 16 bits at 4.8 kb/s."""
    bench = Bench()
    configure_gfsk(bench)
    assert bench.host.misuse == []
    assert bench.command(0x11, 0, 0)[2] == 0
    bench.command(0x83, 0, 0, 0)
    assert "nothing on the air but LoRa" in bench.host.misuse[0]
    bench.host.pass_us(16_500)
    assert bench.irq() == 0
    bench.host.pass_us(1_000)
    assert bench.irq() == TX_DONE
    assert bench.air.emitted == []


def test_gfsk_hears_no_lora() -> None:
    bench = Bench()
    configure_gfsk(bench)
    bench.command(0x82, 0, 0x19, 0)
    bench.downlink(bench.host.now_us + 1_000)
    bench.host.pass_us(200_000)
    assert bench.irq() == TIMEOUT


def test_another_packet_type_wants_its_parameters_anew() -> None:
    """DS 14.2."""
    bench = Bench()
    bench.configure()
    bench.command(0x8A, 0)
    bench.command(0x8A, 1)
    bench.command(0x83, 0, 0, 0)
    assert "before its parameters" in bench.host.misuse[-1]
    assert bench.mode() == 2


# -- Semtech's sx126x_driver: the retention list --


@pytest.mark.parametrize(
    ("listed", "kept"), [((), ()), ((0x08AC,), (0x08AC,)), ((0x08AC, 0x0889, 0x0736),) * 2]
)
def test_warm_sleep_keeps_what_is_on_the_list(listed: tuple[int, ...], kept: tuple[int]) -> None:
    """DS 9.6; the driver's sx126x_init_retention_list() has the registers of its workarounds."""
    bench = Bench()
    addresses = [byte for address in listed for byte in address.to_bytes(2, "big")]
    bench.command(0x0D, 0x02, 0x9F, len(listed), *addresses)
    changed = {0x08AC: 0x96, 0x0889: 0x05, 0x0736: 0x09}
    for address, value in changed.items():
        bench.command(0x0D, address >> 8, address & 0xFF, value)
    bench.command(0x84, 0x04)
    bench.host.pass_us(1_000)
    bench.raw(0x00)
    for address, value in changed.items():
        assert (register(bench, address)[0] == value) is (address in kept)


# -- LoRaRF-Python goes around the data buffer --


def test_the_data_buffer_is_a_ring() -> None:
    """DS 13.2.3, 13.2.4, and 13.4.8 for where a frame begins."""
    bench = Bench()
    bench.configure(length=5)
    bench.command(0x8F, 253, 0)
    bench.command(0x0E, 253, *b"hello")
    assert bench.command(0x1E, 253, 0, *bytes(5))[3:] == b"hello"
    bench.command(0x83, 0, 0, 0)
    bench.host.pass_us(100_000)
    assert bench.air.emitted[0].payload == b"hello"
    assert bench.host.misuse == []


# -- micropySX126X: NRESET is driven high before it is pulsed --


def test_nreset_that_was_high_already_resets_nothing() -> None:
    bench = Bench()
    bench.configure()
    bench.chip.reset_pin(True, bench.host.now_us)
    assert register(bench, 0x0740, 2) == b"\x34\x44"


def test_a_command_may_follow_in_the_selection_that_woke_it() -> None:
    """DS 8.3: it waits for BUSY with NSS low, awake and asleep; so did RadioLib before NOP."""
    bench = Bench()
    bench.command(0x84, 0x04)
    bench.host.pass_us(1_000)
    bench.chip.select(bench.host.now_us)
    bench.wait()
    bench.host.pass_us(10)
    assert bench.chip.transfer(bytes((0xC0, 0)), bench.host.now_us)[1] >> 4 & 7 == 2
    bench.chip.deselect(bench.host.now_us)
    assert bench.host.misuse == []


# -- micropython-lib --


def test_micropython_lib_style_start() -> None:
    """The commands that micropython-lib's lora/sx126x sends from its constructor to a reception.

    Its reads go through GetIrqStatus, writes of the buffer come in two transfers under one chip
    select, its IRQ mask is 0x0243; its polarity cure is inverted, which the model notes.
    """
    bench = Bench(tcxo_mv=1_800)
    bench.chip.reset_pin(False, 4_000)
    bench.host.run_to(5_000)
    bench.chip.reset_pin(True, 5_000)
    status = bench.command(0x12, 0, 0, 0)
    assert status[1] >> 4 & 7 == 2
    assert status[1] >> 1 & 7 <= 1
    bench.command(0x07, 0, 0)
    bench.command(0x97, 2, 0, 1, 0x40)
    bench.command(0x89, 0x7F)
    bench.command(0x9D, 1)
    bench.command(0x8A, 1)
    bench.command(0x98, 0xD7, 0xDB)
    bench.command(0x08, 0x02, 0x43, 0x02, 0x03, 0, 0, 0, 0)
    bench.command(0x8F, 0, 0)
    assert bench.command(0x17, 0, 0, 0)[2:] == b"\x00\x00"
    bench.command(0x0D, 0x07, 0x40, 0x34)
    bench.command(0x0D, 0x07, 0x41, 0x44)
    bench.command(0x86, 0x36, 0x41, 0x99, 0x9A)
    bench.command(0x8B, 7, 4, 1, 0)
    bench.command(0x95, 4, 7, 0, 1)
    bench.command(0x8E, 14, 2)
    bench.command(0x8C, 0, 8, 0, 5, 1, 0)
    bench.wait()
    bench.chip.select(bench.host.now_us)
    bench.host.pass_us(30)
    bench.chip.transfer(bytes((0x0E, 0)), bench.host.now_us)
    bench.host.pass_us(30)
    bench.chip.transfer(b"hello", bench.host.now_us)
    bench.chip.deselect(bench.host.now_us)
    bench.command(0x83, 0, 0, 0)
    bench.host.pass_us(100_000)
    assert bench.irq() == TX_DONE
    assert bench.air.emitted[0].payload == b"hello"
    assert bench.host.misuse == []
    bench.command(0x02, 0xFF, 0xFF)
    bench.command(0x8C, 0, 8, 0, 255, 1, 1)
    bench.command(0x82, 0, 2, 0x80)
    bench.host.pass_us(20_000)
    assert bench.irq() == TIMEOUT
    assert len(bench.host.misuse) == 1
    assert "15.4" in bench.host.misuse[0]
