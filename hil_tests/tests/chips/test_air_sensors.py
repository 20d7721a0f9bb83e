# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Models of the air sensors: published bytes, waiting times, refusals, misuse, faults by name."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from random import Random
from typing import Any

import pytest

from revier_bench.chips import Pms5003, Scd41, Sds011, Sen55, Sps30, Sps30Uart, pms5003, sds011
from revier_bench.chips.environments import Still
from revier_bench.chips.sensirion_words import WordChip, crc8, with_crc
from revier_bench.chips.sps30_uart import stuff, unstuff
from revier_bench.chips.timeline import NEVER_US
from revier_bench.chips.uart_talker import UartTalker

from .fake_host import FakeHost

SECOND_US = 1_000_000
VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "firmware/tests/sensors/vectors/air.json").read_text("utf-8")
)


class I2cTable:
    def __init__(self, make: Any, environment: Still | None = None) -> None:
        self.host = FakeHost()
        self.chip: WordChip = make(self.host, environment or Still(), Random("chip"))
        self.chip.power(True, 0)
        self.host.run_to(60_000)

    def write(self, code: int, *words: int) -> bool:
        data = struct.pack(">H", code) + with_crc(struct.pack(f">{len(words)}H", *words))
        return self.chip.write(data, self.host.now_us)

    def ask(self, code: int, n_words: int, wait_us: int = 20_000) -> bytes | None:
        assert self.write(code)
        self.host.pass_us(wait_us)
        raw = self.chip.read(3 * n_words, self.host.now_us)
        return None if raw is None else b"".join(raw[i : i + 2] for i in range(0, len(raw), 3))


class UartTable:
    def __init__(self, chip: UartTalker, host: FakeHost) -> None:
        self.chip, self.host = chip, host
        chip.power(True, 0)

    def ask(self, question: bytes, wait_us: int = 100_000) -> bytes:
        self.chip.receive(self.host.now_us)
        self.chip.write(question, self.host.now_us)
        self.host.pass_us(wait_us)
        return self.chip.receive(self.host.now_us)


def uart(make: Any, environment: Still | None = None) -> UartTable:
    host = FakeHost()
    return UartTable(make(host, environment or Still(), Random("chip")), host)


# -- words --


def test_crc_is_sensirions() -> None:
    for pair in VECTORS["sensirion_crc8"]["vectors"]:
        assert crc8(bytes.fromhex(pair["data"])) == int(pair["crc"], 16)
    for vector in VECTORS["sen5x"]["vectors"]:
        words = struct.pack(">8H", *vector["ticks"])
        assert with_crc(words).hex() == vector["read_0x03C4"]


@pytest.mark.parametrize(
    ("make", "start", "wait_us"),
    [(Sps30, (0x0010, 0x0300), 20_000), (Sen55, (0x0021,), 50_000), (Scd41, (0x219D,), 5_000_000)],
)
def test_the_next_command_waits_for_the_last(make: Any, start: Any, wait_us: int) -> None:
    table = I2cTable(make)
    ready = 0xE4B8 if make is Scd41 else 0x0202
    assert table.write(*start)
    table.host.pass_us(wait_us - 1)
    assert not table.write(ready)
    assert "1 us too early" in table.host.misuse[0]
    table.host.pass_us(1)
    assert table.write(ready)
    assert len(table.host.misuse) == 1


@pytest.mark.parametrize(
    ("make", "code", "wait_us"), [(Sen55, 0xD206, 20_000), (Scd41, 0x3682, 1_000)]
)
def test_an_early_read_is_refused(make: Any, code: int, wait_us: int) -> None:
    table = I2cTable(make)
    assert table.ask(code, 1, wait_us - 1) is None
    assert "a read 1 us too early" in table.host.misuse[0]
    table.host.pass_us(1)
    assert table.ask(code, 1, wait_us) is not None


@pytest.mark.parametrize("make", [Sps30, Sen55, Scd41])
def test_before_power_up_is_over(make: Any) -> None:
    host = FakeHost()
    chip = make(host, Still(), Random("chip"))
    assert not chip.write(b"\xd1\x00", 0), "no supply"
    chip.power(True, 0)
    assert not chip.write(b"\xd1\x00", 29_999)
    assert len(host.misuse) == 1


@pytest.mark.parametrize("make", [Sps30, Sen55, Scd41])
def test_misuse_is_noted(make: Any) -> None:
    table = I2cTable(make)
    assert not table.chip.write(b"\x80\x04\x00\x01\x00", table.host.now_us), "wrong CRC"
    assert not table.chip.write(b"\x80\x04\x00", table.host.now_us), "torn argument"
    assert not table.write(0xABCD)
    assert table.chip.read(3, table.host.now_us) is None, "nothing asked"
    assert len(table.host.misuse) == 4


@pytest.mark.parametrize("make", [Sps30, Sen55, Scd41])
def test_faults_of_a_transfer(make: Any) -> None:
    table = I2cTable(make)
    code, n_words = (0x3682, 3) if make is Scd41 else (0xD206, 2)
    table.chip.faults.add("nack")
    assert not table.write(code)
    assert table.write(code), "once"
    table.host.pass_us(20_000)
    table.chip.faults.add("torn")
    raw = table.chip.read(3 * n_words, table.host.now_us) or b""
    assert raw[-1] == 0xFF
    table.chip.faults.add("silent")
    assert table.chip.read(3, table.host.now_us) is None
    assert not table.write(code)


# -- SEN55 --


def test_sen55_values_before_and_after_they_are_measured() -> None:
    table = I2cTable(Sen55)
    assert not table.write(0x0202), "not measuring"
    assert table.write(0x0021)
    table.host.pass_us(50_000)
    unknown = table.ask(0x03C4, 8)
    assert unknown == bytes.fromhex("ffff" * 4 + "7fff" * 4)
    table.host.pass_us(9 * SECOND_US)
    assert table.ask(0x0202, 1) == b"\0\1"
    assert struct.unpack(">8H", table.ask(0x03C4, 8) or b"")[7] == 0x7FFF, "no NOx yet"
    assert table.ask(0x0202, 1) == b"\0\0", "read: nothing new within the second"
    table.host.pass_us(2 * SECOND_US)
    *masses, humidity, temperature, voc, nox = struct.unpack(">4H4h", table.ask(0x03C4, 8) or b"")
    assert masses == pytest.approx([80, 120, 140, 150], rel=0.25)
    assert (humidity, temperature) == pytest.approx((5_500, 4_300), abs=20)
    assert (voc, nox) == (1_050, 20)


def test_sen55_without_particles() -> None:
    table = I2cTable(Sen55)
    assert table.write(0x0037)
    table.host.pass_us(2 * SECOND_US)
    assert (table.ask(0x03C4, 8) or b"")[:8] == b"\xff" * 8


def test_sen55_error_bits_stick_until_cleared() -> None:
    table = I2cTable(Sen55)
    table.chip.faults |= {"fan", "laser"}
    table.write(0x0021)
    table.host.pass_us(3 * SECOND_US)
    assert table.ask(0xD206, 2) == (1 << 4 | 1 << 5).to_bytes(4, "big"), "speed: not in 5 s"
    table.chip.faults.clear()
    table.write(0x0104)
    table.host.pass_us(200_000)
    assert table.ask(0xD210, 2) == (1 << 4 | 1 << 5).to_bytes(4, "big")
    assert table.ask(0xD206, 2) == bytes(4)


def test_sps30_laser_bit_goes_by_itself_and_the_fans_does_not() -> None:
    table = I2cTable(Sps30)
    table.chip.faults |= {"fan", "laser"}
    table.write(0x0010, 0x0300)
    table.host.pass_us(3 * SECOND_US)
    assert table.ask(0xD206, 2) == (1 << 4 | 1 << 5).to_bytes(4, "big")
    table.chip.faults.clear()
    assert table.ask(0xD206, 2) == (1 << 4).to_bytes(4, "big")


@pytest.mark.parametrize("make", [Sps30, Sen55])
def test_no_new_value_while_cleaning(make: Any) -> None:
    table = I2cTable(make)
    assert not table.write(0x5607), "only while measuring"
    table.write(0x0010, 0x0300) if make is Sps30 else table.write(0x0021)
    table.host.pass_us(2 * SECOND_US)
    table.write(0x5607)
    table.host.pass_us(9 * SECOND_US)
    assert table.ask(0x0202, 1) == b"\0\0"
    if make is Sen55:
        assert int.from_bytes(table.ask(0xD206, 2) or b"", "big") & 1 << 19
    table.host.pass_us(2 * SECOND_US)
    assert table.ask(0x0202, 1) == b"\0\1"


# -- SCD41 --


def test_scd41_recorded_getters() -> None:
    table = I2cTable(Scd41)
    for entry in VECTORS["scd41"]["registers"]:
        code = int(entry["w"][:4], 16)
        if "r" not in entry or code in (0xE000, 0x202F):  # theirs: no pressure set, an SCD40
            continue
        raw = bytes.fromhex(entry["r"])
        assert table.ask(code, len(raw) // 3) == b"".join(
            raw[i : i + 2] for i in range(0, len(raw), 3)
        ), entry


def test_scd41_while_measuring_only_four_commands() -> None:
    table = I2cTable(Scd41)
    assert table.write(0x21B1)
    for code in (0x3682, 0x2318, 0x219D, 0x36E0, 0x21B1, 0x3615):
        assert not table.write(code), hex(code)
    assert table.write(0xE4B8)
    table.host.pass_us(1_000)
    assert table.write(0xE000, 1_000)
    table.host.pass_us(1_000)
    assert table.write(0xEC05)
    table.host.pass_us(1_000)
    assert table.chip.read(9, table.host.now_us) is None, "no data: the read is refused"
    assert table.write(0x3F86)
    table.host.pass_us(500_000)
    assert table.write(0x3682)


def test_scd41_wake_up_is_never_acknowledged() -> None:
    table = I2cTable(Scd41)
    assert not table.write(0x36F6)
    assert table.write(0x36E0)
    table.host.pass_us(1_000)
    assert not table.write(0x3682), "asleep"
    assert not table.write(0x36F6)
    table.host.pass_us(29_000)
    assert not table.write(0x3682), "too early"
    table.host.pass_us(1_000)
    assert table.write(0x3682)


def test_scd41_first_reading_after_waking_is_wrong() -> None:
    table = I2cTable(Scd41)
    readings = []
    for _ in range(3):
        assert table.write(0x219D)
        table.host.pass_us(5_000_000)
        assert table.ask(0xE4B8, 1) == b"\x80\x06"
        readings.append(int.from_bytes((table.ask(0xEC05, 3) or b"")[:2], "big"))
        assert table.ask(0xE4B8, 1) == b"\x80\x00"
    assert abs(readings[0] - 620) > 300
    assert readings[1:] == pytest.approx([620, 620], abs=50)


def test_scd41_settings_survive_only_if_persisted() -> None:
    table = I2cTable(Scd41)
    for keep in (False, True):
        assert table.write(0x2427, 340)
        table.host.pass_us(1_000)
        if keep:
            assert table.write(0x3615)
            table.host.pass_us(800_000)
        table.chip.power(False, table.host.now_us)
        table.chip.power(True, table.host.now_us)
        table.host.pass_us(60_000)
        assert table.ask(0x2322, 1) == (340 if keep else 0).to_bytes(2, "big")


# -- UART --


def test_sps30_frames_are_those_recorded() -> None:
    for vector in VECTORS["sps30"]["vectors"]:
        frame = bytes.fromhex(vector["shdlc_frame"])
        content = bytes((0, 3, 0, 40)) + struct.pack(">10f", *vector["decoded_exact"].values())
        assert stuff(content) == frame
    start = bytes.fromhex(VECTORS["sps30"]["commands"]["start_float"])
    assert unstuff(start[1:-1]) == b"\x00\x00\x02\x01\x03"
    assert unstuff(b"\x00\x7d\x00") is None


def test_sps30_states_on_the_uart() -> None:
    table = uart(Sps30Uart)
    table.host.run_to(200_000)
    commands = {k: v for k, v in VECTORS["sps30"]["commands"].items() if k != "note"}
    start, stop, read = (bytes.fromhex(commands[k]) for k in ("start_float", "stop", "read"))
    not_now, no_data = (bytes.fromhex(e["frame"]) for e in VECTORS["sps30"]["error_frames"])
    assert table.ask(read)[3] == 0x43
    assert table.ask(start) == bytes.fromhex("7e00000000ff7e")
    assert table.ask(start) == not_now, "it measures already"
    assert table.ask(read) == no_data
    table.host.pass_us(SECOND_US)
    assert len(table.ask(read)) >= 47
    assert table.ask(stop) == bytes.fromhex("7e00010000fe7e")
    assert table.host.misuse == []


def test_sps30_sleeping_on_the_uart() -> None:
    table = uart(Sps30Uart)
    table.host.run_to(200_000)
    wake = bytes.fromhex("7e007d3100ee7e")
    assert table.ask(bytes.fromhex("7e001000ef7e"))
    assert table.ask(wake, 200_000) == b"", "opens the interface only"
    assert table.ask(b"\xff", 150_000) == b""
    assert table.ask(wake, 50_000) == b"", "after 100 ms it is closed again: opens it"
    assert table.ask(wake)[2] == 0x7D, "and this one wakes"


def test_sps30_asked_before_its_answer() -> None:
    table = uart(Sps30Uart)
    table.host.run_to(200_000)
    version = bytes.fromhex("7e00d1002e7e")
    table.ask(version, 5_000)
    table.ask(version)
    assert "too early" in table.host.misuse[0]


def pms_words(vector: dict[str, Any]) -> tuple[int, ...]:
    parts = (vector["cf1"], vector["atm"], vector["counts_per_0_1L"])
    return tuple(value for part in parts for value in part.values())


def test_pms5003_frames_are_those_recorded() -> None:
    for vector in VECTORS["pms5003"]["vectors"]:
        assert pms5003.frame(pms_words(vector)).hex() == vector["frame"]
    negative = VECTORS["pms5003"]["negative"][0]["frame"]
    assert pms5003.frame((0,) * 12, version=0).hex() == negative


def test_pms5003_reports_until_it_is_passive_or_asleep() -> None:
    table = uart(Pms5003)
    commands = {k: bytes.fromhex(v) for k, v in VECTORS["pms5003"]["commands"].items()}
    table.host.run_to(10 * SECOND_US)
    assert len(table.chip.receive(table.host.now_us)) >= 4 * 32
    table.ask(commands["passive_mode"], 500_000)
    assert table.ask(b"", 10 * SECOND_US) == b""
    assert table.chip.next_us(table.host.now_us) == NEVER_US
    assert len(table.ask(commands["read_passive"])) == 32
    assert table.ask(commands["sleep"]).hex() == "424d0004e4000177"
    assert table.ask(commands["read_passive"]) == b""
    assert table.host.misuse == ["pms5003: read while asleep"]
    assert table.ask(commands["wake"], 2 * SECOND_US), "in active mode again"
    table.ask(commands["passive_mode"][:-1] + b"\0")
    assert "checksum" in table.host.misuse[1]


def test_pms5003_first_frames() -> None:
    table = uart(Pms5003)
    table.chip.write(bytes.fromhex(VECTORS["pms5003"]["commands"]["passive_mode"]), 0)
    read = bytes.fromhex(VECTORS["pms5003"]["commands"]["read_passive"])
    assert table.ask(read)[-32:].hex() == VECTORS["pms5003"]["negative"][0]["frame"]
    table.host.run_to(3 * SECOND_US)
    words = struct.unpack(">12H", table.ask(read)[4:28])
    assert words[5] > 0
    assert words[6] == 0, "a mass and no particle"
    table.host.run_to(60 * SECOND_US)
    words = struct.unpack(">12H", table.ask(read)[4:28])
    assert words[4] == pytest.approx(12, abs=2)
    assert words[6] > 1_000


def test_sds011_frames_are_those_recorded() -> None:
    for vector in VECTORS["sds011"]["vectors"]:
        tenths = struct.pack("<2H", round(vector["pm2_5"] * 10), round(vector["pm10"] * 10))
        assert sds011.frame(sds011.REPORT, tenths).hex() == vector["frame"]


def test_sds011_commands() -> None:
    table = uart(Sds011)
    commands = {k: v for k, v in VECTORS["sds011"]["commands"].items() if k != "note"}
    ask = {name: bytes.fromhex(text) for name, text in commands.items()}
    table.host.run_to(5 * SECOND_US + 500_000)
    assert len(table.chip.receive(table.host.now_us)) == 5 * 10, "a report each second"
    assert table.ask(ask["query_data"])[:2] == b"\xaa\xc0"
    assert table.ask(ask["set_query_mode"])[:5] == b"\xaa\xc5\x02\x01\x01"
    assert table.ask(b"", 5 * SECOND_US) == b""
    assert table.ask(ask["sleep"])[:5] == b"\xaa\xc5\x06\x01\x00"
    assert table.ask(ask["query_data"]) == b""
    assert table.host.misuse == ["sds011: query while asleep"]
    table.chip.faults.add("deaf")
    assert table.ask(ask["wake"]) == b""
    assert table.ask(ask["wake"])[:5] == b"\xaa\xc5\x06\x01\x01"
    table.ask(ask["query_data"][:-2] + b"\x00\xab")
    assert "checksum" in table.host.misuse[1]


@pytest.mark.parametrize("make", [Pms5003, Sds011])
def test_bytes_come_one_by_one(make: Any) -> None:
    table = uart(make)
    first_us = table.chip.next_us(0)
    table.chip.receive(first_us - 1)
    began_us = table.chip.next_us(first_us)
    assert len(table.chip.receive(began_us)) == 1
    assert len(table.chip.receive(began_us + 2 * 1_042)) == 2
    table.chip.power(False, began_us + 3_000)
    assert table.chip.receive(began_us + 10 * SECOND_US) == b""
    assert table.chip.next_us(began_us) == NEVER_US
