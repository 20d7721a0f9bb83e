# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What other drivers do with an SX1276 and ours does not, against DS = its datasheet rev. 7."""

from __future__ import annotations

import pytest

from .fake_host import Bench76

# -- RadioLib refuses a frame whose header it cannot read --


@pytest.mark.parametrize(("rate", "crc_on"), [(5, False), (8, True)])
def test_the_last_header_can_be_read(rate: int, crc_on: bool) -> None:
    """DS table 41: RegModemStat 7..5 RxCodingRate, RegHopChannel 6 CrcOnPayload."""
    bench = Bench76()
    bench.configure(iq_inverted=True, length=255)
    emission = bench.downlink(bench.listen(20), coding_rate=rate, crc_on=crc_on)
    bench.host.run_to(emission.end_us)
    assert bench.read(0x18)[0] >> 5 == rate - 4
    assert bool(bench.read(0x1C)[0] & 0x40) is crc_on


# -- arduino-LoRa and RadioHead enter LoRa with one write, then set the FIFO's bases in sleep --


def test_lora_is_entered_together_with_sleep() -> None:
    bench = Bench76()
    bench.write(0x01, 0x80)
    assert bench.read(0x01) == b"\x80"
    bench.write(0x0E, 0, 0)
    bench.write(0x01, 0x81)
    assert bench.read(0x0E, 2) == b"\x00\x00"
    assert bench.host.misuse == []


def test_a_register_may_be_written_again_on_air_as_it_is() -> None:
    """arduino-LoRa's parsePacket() writes the header mode at each poll."""
    bench = Bench76()
    bench.configure(iq_inverted=True)
    bench.listen(50)
    bench.write(0x1D, 0x72)
    assert bench.host.misuse == []
    bench.write(0x1D, 0x73)
    assert "while it sends or receives" in bench.host.misuse[0]


# -- RSSI below 779 MHz --


@pytest.mark.parametrize(("frequency_hz", "offset"), [(868_100_000, 157), (434_000_000, 164)])
def test_signal_strength_counts_from_the_port_in_use(frequency_hz: int, offset: int) -> None:
    """DS 5.5.5: -157 dBm at the high frequency port, -164 at the low; positive SNR: 16/15."""
    bench = Bench76()
    bench.configure(iq_inverted=True, length=255)
    bench.write(0x06, *(frequency_hz * (1 << 19) // 32_000_000).to_bytes(3, "big"))
    emission = bench.downlink(bench.listen(20), frequency_hz=frequency_hz)
    bench.host.run_to(emission.end_us)
    assert bench.frame() == b"hello"
    assert abs(bench.read(0x1A)[0] * 16 / 15 - offset + 97) < 1


# -- LoRaMac-node begins in FSK; RadioLib has beginFSK --


def fsk() -> Bench76:
    bench = Bench76()
    bench.write(0x01, 0x00)
    bench.write(0x01, 0x01)
    bench.host.pass_us(1_000)
    return bench


def test_fsk_goes_through_its_modes_but_reaches_nobody() -> None:
    bench = fsk()
    bench.write(0x01, 0x03)
    assert "FSK reaches nobody" in bench.host.misuse[0]
    assert bench.mode() == 3
    assert bench.read(0x3E)[0] & 0x80, "DS table 41: ModeReady"
    bench.host.pass_us(1_000_000)
    assert bench.air.emitted == []


def test_the_fsk_fifo_is_first_in_first_out_and_holds_64() -> None:
    """DS 2.1.9."""
    bench = fsk()
    assert bench.read(0x3F)[0] & 0x40
    bench.write(0x00, *range(64))
    assert not bench.read(0x3F)[0] & 0x40
    assert bench.read(0x00, 3) == bytes((0, 1, 2))
    assert bench.host.misuse == []
    bench.write(0x00, 1, 2, 3, 4)
    assert "overruns" in bench.host.misuse[0]


def test_fsk_reception_shows_the_noise() -> None:
    """DS table 41: RegRssiValue = -2 * RSSI; LoRaMac-node's IsChannelFree asks for it."""
    bench = fsk()
    bench.write(0x01, 0x05)
    bench.host.pass_us(1_000)
    assert -122 < -bench.read(0x11)[0] / 2 < -112


def test_hopping_is_not_modelled() -> None:
    bench = Bench76()
    bench.configure()
    bench.write(0x24, 9)
    bench.send(bytes(23))
    assert "hopping" in bench.host.misuse[0]
