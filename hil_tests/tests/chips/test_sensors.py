# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Sensor models: what they answer, what they refuse, their faults by name."""

from __future__ import annotations

import struct
from random import Random

import pytest

from revier_bench.chips import A02yyuw, Bme280, Lis2mdl, Sps30
from revier_bench.chips.a02yyuw import frame
from revier_bench.chips.bme280 import Compensation
from revier_bench.chips.environments import Still
from revier_bench.chips.sensirion_words import crc8

from .fake_host import FakeHost

INT = 7


def sps30(environment: Still | None = None) -> tuple[FakeHost, Sps30]:
    host = FakeHost()
    chip = Sps30(host, environment or Still(), Random("sps30"))
    chip.power(True, 0)
    host.run_to(50_000)
    return host, chip


def write(host: FakeHost, chip: Sps30, command: int, *arguments: int) -> bool:
    data = command.to_bytes(2, "big")
    for argument in arguments:
        word = argument.to_bytes(2, "big")
        data += word + bytes((crc8(word),))
    return chip.write(data, host.now_us)


def floats(raw: bytes) -> tuple[float, ...]:
    words = b""
    for i in range(0, len(raw), 3):
        assert crc8(raw[i : i + 2]) == raw[i + 2]
        words += raw[i : i + 2]
    return struct.unpack(">10f", words)


def test_sensirion_crc() -> None:
    assert crc8(b"\xbe\xef") == 0x92


def test_sps30_measures() -> None:
    host, chip = sps30()
    assert write(host, chip, 0x0010, 0x0300)
    host.pass_us(20_000)
    assert write(host, chip, 0x0202)
    assert chip.read(3, host.now_us) == bytes((0, 0, crc8(b"\0\0")))
    host.pass_us(30_000_000)
    assert write(host, chip, 0x0202)
    assert (chip.read(3, host.now_us) or b"")[1] == 1
    assert write(host, chip, 0x0300)
    values = floats(chip.read(60, host.now_us) or b"")
    assert values[1] == pytest.approx(12.0, rel=0.2)
    assert values[0] <= values[1] <= values[2] <= values[3]
    assert write(host, chip, 0x0202)
    assert (chip.read(3, host.now_us) or b"")[1] == 0, "no new value within a second"


def test_sps30_refuses_what_comes_too_early() -> None:
    host, chip = sps30()
    assert write(host, chip, 0x0010, 0x0300)
    host.pass_us(19_000)
    assert not write(host, chip, 0x0202)
    host.pass_us(1_000)
    assert write(host, chip, 0x0202)


def test_sps30_wakes_at_the_second_call_only() -> None:
    host, chip = sps30()
    assert write(host, chip, 0x1001)
    host.pass_us(5_000)
    assert not write(host, chip, 0x0202)
    assert not write(host, chip, 0x1103)
    host.pass_us(200_000)
    assert not write(host, chip, 0x1103), "the interface was open for 100 ms only"
    host.pass_us(1_000)
    assert write(host, chip, 0x1103)
    host.pass_us(5_000)
    assert write(host, chip, 0x0010, 0x0300)


def test_sps30_refuses_a_wrong_crc_and_the_wrong_state() -> None:
    host, chip = sps30()
    assert not chip.write(bytes((0x00, 0x10, 0x03, 0x00, 0x00)), host.now_us)
    assert not write(host, chip, 0x0300)
    assert write(host, chip, 0x0010, 0x0300)
    host.pass_us(20_000)
    assert not write(host, chip, 0x1001), "no sleep while measuring"
    assert chip.read(3, host.now_us) is None, "no command to answer"
    assert len(host.misuse) == 3


@pytest.mark.parametrize(
    ("fault", "bits"), [("fan", 1 << 4 | 1 << 21), ("laser", 1 << 5), ("none", 0)]
)
def test_sps30_status_register(fault: str, bits: int) -> None:
    host, chip = sps30()
    chip.faults.add(fault)
    assert write(host, chip, 0x0010, 0x0300)
    host.pass_us(6_000_000)
    assert write(host, chip, 0xD206)
    raw = chip.read(6, host.now_us) or b""
    assert int.from_bytes(raw[0:2] + raw[3:5], "big") == bits


def test_sps30_faults() -> None:
    host, chip = sps30()
    chip.faults.add("crc")
    assert write(host, chip, 0xD100)
    raw = chip.read(3, host.now_us) or b""
    assert crc8(raw[:2]) != raw[2]
    chip.faults.add("silent")
    assert not write(host, chip, 0xD100)
    chip.power(False, host.now_us)
    chip.faults.clear()
    assert not write(host, chip, 0xD100)


# -- BME280 --


def test_bme280_compensation_is_boschs() -> None:
    """Registers 4a52c08096c07a76 of the recorded chip; figures of Bosch's own double build."""
    compensation = Compensation()
    fine = compensation.t_fine(0x8096C)
    assert fine / 5120 == pytest.approx(23.72208906441847)
    assert compensation.pressure_pa(fine, 0x4A52C) == pytest.approx(100942.96237668922)
    assert compensation.humidity_pct(fine, 0x7A76) == pytest.approx(65.30611619913581)


@pytest.mark.parametrize(
    "values", [(-15.0, 95_000.0, 30.0), (23.7, 100_900.0, 65.0), (45.0, 9e4, 90.0)]
)
def test_bme280_inverse_compensation(values: tuple[float, float, float]) -> None:
    compensation = Compensation()
    raw = compensation.raw(*values)
    p, t = int.from_bytes(raw[0:3], "big") >> 4, int.from_bytes(raw[3:6], "big") >> 4
    fine = compensation.t_fine(t)
    assert fine / 5120 == pytest.approx(values[0], abs=0.01)
    assert compensation.pressure_pa(fine, p) == pytest.approx(values[1], abs=2.0)
    humidity = compensation.humidity_pct(fine, int.from_bytes(raw[6:8], "big"))
    assert humidity == pytest.approx(values[2], abs=0.05)


def bme280() -> tuple[FakeHost, Bme280]:
    host = FakeHost()
    chip = Bme280(host, Still(), Random("bme280"))
    chip.power(True, 0)
    host.run_to(3_000)
    return host, chip


def registers(host: FakeHost, chip: Bme280 | Lis2mdl, first: int, n: int) -> bytes:
    assert chip.write(bytes((first,)), host.now_us)
    return chip.read(n, host.now_us) or b""


def test_bme280_forced_measurement_takes_its_time() -> None:
    host, chip = bme280()
    assert registers(host, chip, 0xD0, 1) == b"\x60"
    assert registers(host, chip, 0xF7, 8) == bytes.fromhex("8000008000008000")
    chip.write(bytes((0xF2, 1)), host.now_us)
    chip.write(bytes((0xF4, 0x25)), host.now_us)
    host.pass_us(9_000)
    assert registers(host, chip, 0xF3, 1) == b"\x08"
    host.pass_us(400)
    assert registers(host, chip, 0xF3, 1) == b"\x00"
    raw = registers(host, chip, 0xF7, 8)
    temperature = Compensation().t_fine(int.from_bytes(raw[3:6], "big") >> 4) / 5120
    assert temperature == pytest.approx(21.5, abs=0.1)
    assert registers(host, chip, 0xF4, 1) == b"\x24", "back to sleep mode"


def test_bme280_humidity_setting_waits_for_ctrl_meas() -> None:
    host, chip = bme280()
    chip.write(bytes((0xF4, 0x25)), host.now_us)
    chip.write(bytes((0xF2, 1)), host.now_us)
    host.pass_us(20_000)
    assert registers(host, chip, 0xFD, 2) == b"\x80\x00", "humidity was not switched on in time"


def test_bme280_faults() -> None:
    host, chip = bme280()
    chip.faults.add("stuck")
    chip.write(bytes((0xF4, 0x25)), host.now_us)
    host.pass_us(1_000_000)
    assert registers(host, chip, 0xF3, 1) == b"\x08"
    chip.faults.add("silent")
    assert not chip.write(b"\xd0", host.now_us)


# -- LIS2MDL --


def lis2mdl(environment: Still) -> tuple[FakeHost, Lis2mdl]:
    host = FakeHost()
    chip = Lis2mdl(host, environment, Random("lis2mdl"), INT)
    chip.power(True, 0)
    chip.write(bytes((0x60, 0x90, 0x08, 0x50)), 0)
    host.run_to(200_000)
    return host, chip


def test_lis2mdl_samples_against_its_offset() -> None:
    host, chip = lis2mdl(Still(field=(15.0, -30.0, 45.0)))
    assert registers(host, chip, 0x4F, 1) == b"\x40"
    assert registers(host, chip, 0x67, 1)[0] & 0x08
    assert struct.unpack("<3h", registers(host, chip, 0x68, 6)) == (100, -200, 300)
    assert not registers(host, chip, 0x67, 1)[0] & 0x08
    chip.write(b"\x45" + struct.pack("<3h", 100, -200, 299), host.now_us)
    host.pass_us(100_000)
    assert struct.unpack("<3h", registers(host, chip, 0x68, 6)) == (0, 0, 1)


def test_lis2mdl_interrupt_comes_with_the_change_and_goes_with_its_source() -> None:
    car = (15.0, -30.0, 60.0)
    host, chip = lis2mdl(Still(field=(15.0, -30.0, 45.0), changes_us=((5_000_000, car),)))
    chip.write(b"\x45" + struct.pack("<3h", 100, -200, 300), host.now_us)
    chip.write(b"\x65" + struct.pack("<H", 40), host.now_us)
    chip.write(bytes((0x63, 0xE7)), host.now_us)
    host.run_to(4_999_999)
    assert not host.levels[INT]
    host.run_to(5_300_000)
    assert host.levels[INT]
    assert registers(host, chip, 0x64, 1)[0] == 0x21  # Z above, event
    assert not host.levels[INT]
    host.pass_us(200_000)
    assert host.levels[INT], "still beyond the threshold: the next sample raises it again"
    chip.write(b"\x45" + struct.pack("<3h", 100, -200, 400), host.now_us)
    registers(host, chip, 0x64, 1)
    host.pass_us(10_000_000)
    assert not host.levels[INT]


# -- A02YYUW --


def test_a02yyuw_frames() -> None:
    assert frame(1953) == bytes.fromhex("FF07A1A7")
    host = FakeHost()
    chip = A02yyuw(host, Still(distance=1953), Random("a02"))
    chip.power(True, 0)
    assert chip.receive(249_000) == b""
    data = chip.receive(2_000_000)
    assert {data[i : i + 4] for i in range(0, len(data) - 3, 4)} == {frame(1953)}
    assert 6 <= len(data) // 4 <= 18


def test_a02yyuw_bytes_come_one_by_one() -> None:
    chip = A02yyuw(FakeHost(), Still(), Random("a02"))
    chip.power(True, 0)
    assert chip.next_us(0) == 250_000 + 1_042
    assert len(chip.receive(250_000 + 1_042)) == 1
    assert len(chip.receive(250_000 + 4_168)) == 3


def test_a02yyuw_without_echo_and_faults() -> None:
    chip = A02yyuw(FakeHost(), Still(distance=None), Random("a02"))
    chip.power(True, 0)
    assert chip.receive(300_000) == frame(0)
    chip.faults.add("checksum")
    head, high, low, check = chip.receive(600_000)[:4]
    assert (head + high + low) & 0xFF != check
    chip.faults.add("silent")
    chip.receive(1_000_000)
    assert chip.receive(3_000_000) == b""
