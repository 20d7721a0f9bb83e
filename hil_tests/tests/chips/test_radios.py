# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What holds for both radio models: sending, windows, preambles, what is heard and what is not."""

from __future__ import annotations

from random import Random

import pytest

from revier_bench.world.airtime import lora_airtime_us

from .fake_host import MISMATCHES, Bench, Bench76

SYMBOL_US = 1_024
MAKERS = {"sx1262": Bench, "sx1276": Bench76}


@pytest.fixture(params=MAKERS)
def bench(request: pytest.FixtureRequest) -> Bench | Bench76:
    made: Bench | Bench76 = MAKERS[request.param]()
    return made


@pytest.mark.parametrize(("sf", "length"), [(7, 23), (10, 11), (12, 51)])
def test_a_transmission_lasts_its_time_on_air(bench: Bench | Bench76, sf: int, length: int) -> None:
    bench.configure(sf=sf, length=length)
    start_us = bench.send(bytes(range(length)))
    airtime_us = lora_airtime_us(length, sf)
    bench.host.run_to(start_us + airtime_us - 100)
    assert bench.flags() == set()
    assert not bench.idle()
    bench.host.run_to(start_us + airtime_us)
    assert bench.flags() == {"sent"}
    assert bench.idle()
    (emission,) = bench.air.emitted
    assert emission.start_us in (start_us, start_us + 1)
    assert emission.airtime_us == airtime_us
    assert emission.payload == bytes(range(length))
    assert (emission.sync_word, emission.power_dbm, emission.iq_inverted) == (0x3444, 14.0, False)
    assert abs(emission.frequency_hz - 868_100_000) <= 61
    assert bench.host.misuse == []


def test_a_downlink_is_received(bench: Bench | Bench76) -> None:
    bench.configure(iq_inverted=True, length=255)
    on_us = bench.listen(20)
    assert bench.host.exposed
    emission = bench.downlink(on_us + 3_000)
    bench.host.run_to(emission.start_us + 7 * SYMBOL_US)
    assert bench.flags() == set()
    bench.host.run_to(emission.start_us + emission.preamble_us + 9 * SYMBOL_US)
    assert bench.flags() == {"header"}
    bench.host.run_to(emission.end_us)
    assert bench.flags() == {"header", "received"}
    assert bench.idle()
    assert not bench.host.exposed
    assert bench.frame() == b"hello"
    rssi_dbm, snr_db = bench.level()
    assert abs(rssi_dbm + 97) < 0.6
    assert snr_db == 6.25
    bench.clear()
    assert bench.flags() == set()
    assert bench.host.misuse == []


@pytest.mark.parametrize("length", [1, 64, 255])
def test_frames_of_any_length_arrive(bench: Bench | Bench76, length: int) -> None:
    bench.configure(iq_inverted=True, length=255)
    payload = bytes(i * 7 & 0xFF for i in range(length))
    on_us = bench.listen(20)
    emission = bench.downlink(on_us, payload, airtime_us=lora_airtime_us(length, 7, crc=False))
    bench.host.run_to(emission.end_us)
    assert bench.frame() == payload


@pytest.mark.parametrize("changes", MISMATCHES)
def test_what_does_not_match_is_not_heard(bench: Bench | Bench76, changes: dict[str, int]) -> None:
    bench.configure(iq_inverted=True, length=255)
    on_us = bench.listen(50)
    bench.downlink(on_us + 1_000, **changes)
    bench.host.pass_us(150_000)
    assert bench.flags() == {"timeout"}
    assert bench.idle()


def test_a_frame_below_sensitivity_is_not_heard(bench: Bench | Bench76) -> None:
    bench.air.lost = True
    bench.configure(iq_inverted=True, length=255)
    bench.downlink(bench.listen(50) + 1_000)
    bench.host.pass_us(150_000)
    assert bench.flags() == {"timeout"}


def test_a_frame_lost_after_its_preamble_is_no_frame(bench: Bench | Bench76) -> None:
    bench.configure(iq_inverted=True, length=255)
    emission = bench.downlink(bench.listen(50) + 1_000)
    bench.host.run_to(emission.start_us + 6 * SYMBOL_US)
    bench.air.lost = True
    bench.host.pass_us(150_000)
    assert not bench.flags() & {"received", "header", "timeout"}


def test_a_wrong_crc_is_reported_where_the_frame_has_one(bench: Bench | Bench76) -> None:
    bench.air.spoilt = True
    bench.configure(iq_inverted=True, length=255)
    emission = bench.downlink(bench.listen(20), crc_on=True)
    bench.host.run_to(emission.end_us)
    assert bench.flags() == {"header", "received", "crc"}
    assert bench.frame() != b"hello"


def test_a_header_that_promises_too_much_is_refused(bench: Bench | Bench76) -> None:
    bench.configure(iq_inverted=True, length=3)
    bench.downlink(bench.listen(20))
    bench.host.pass_us(150_000)
    assert not bench.flags() & {"received", "header"}


@pytest.mark.parametrize("symbols", [6, 24])
def test_the_symbol_timeout_ends_an_empty_window(bench: Bench | Bench76, symbols: int) -> None:
    bench.configure(iq_inverted=True, length=255)
    end_us = bench.listen(symbols) + symbols * SYMBOL_US
    bench.host.run_to(end_us - 100)
    assert bench.flags() == set()
    bench.host.run_to(end_us)
    assert bench.flags() == {"timeout"}
    assert bench.idle()
    assert not bench.host.exposed


@pytest.mark.parametrize(
    ("late_symbols", "heard"), [(-30, True), (0, True), (2, True), (4, False), (9, False)]
)
def test_a_preamble_is_found_while_five_symbols_of_it_are_left(
    bench: Bench | Bench76, late_symbols: int, heard: bool
) -> None:
    bench.configure(iq_inverted=True, length=255)
    emission = bench.downlink(bench.host.now_us + 40 * SYMBOL_US)
    bench.host.run_to(emission.start_us + late_symbols * SYMBOL_US - 300)
    bench.listen(40)
    bench.host.run_to(emission.end_us + 200_000)
    assert bench.flags() == ({"header", "received"} if heard else {"timeout"})


def test_while_it_sends_it_hears_nothing(bench: Bench | Bench76) -> None:
    bench.configure(length=23)
    start_us = bench.send(bytes(23))
    bench.downlink(start_us + 1_000, iq_inverted=False)
    bench.host.pass_us(200_000)
    assert bench.flags() == {"sent"}


def test_standby_ends_a_reception(bench: Bench | Bench76) -> None:
    bench.configure(iq_inverted=True, length=255)
    emission = bench.downlink(bench.listen(0) + 1_000)
    bench.host.run_to(emission.start_us + 20 * SYMBOL_US)
    bench.stop()
    bench.host.pass_us(200_000)
    assert "received" not in bench.flags()
    assert not bench.host.exposed


def test_continuous_reception_goes_on(bench: Bench | Bench76) -> None:
    bench.configure(iq_inverted=True, length=255)
    bench.listen(0)
    for text in (b"one", b"three", b"two"):
        emission = bench.downlink(bench.host.now_us + 5_000, text)
        bench.host.run_to(emission.end_us)
        assert "received" in bench.flags()
        assert bench.frame() == text
        bench.clear()
    assert not bench.idle()
    assert bench.host.misuse == []


def test_no_bytes_upset_it(bench: Bench | Bench76) -> None:
    """Whatever a driver sends is obeyed or noted; after a reset the chip is as new."""
    chance = Random("no bytes upset it")
    chip, host = bench.chip, bench.host
    for _ in range(2_000):
        chip.select(host.now_us)
        host.pass_us(chance.choice((1, 400, 5_000)))
        for _ in range(chance.randrange(3)):
            data = chance.randbytes(chance.randrange(12))
            assert len(chip.transfer(data, host.now_us)) == len(data)
        chip.deselect(host.now_us)
        host.pass_us(chance.choice((1, 400, 30_000)))
    assert any("unknown" in text or "does not exist" in text for text in host.misuse)
    chip.reset_pin(False, host.now_us)
    host.pass_us(200)
    chip.reset_pin(True, host.now_us)
    host.pass_us(10_000)
    host.misuse.clear()
    bench.configure(iq_inverted=True, length=255)
    emission = bench.downlink(bench.listen(20))
    host.run_to(emission.end_us)
    assert bench.frame() == b"hello"
    assert host.misuse == []
