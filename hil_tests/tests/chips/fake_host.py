# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A chip on the table: time that the test moves, and an air with one sender in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from revier_bench.chips.sx1262 import Sx1262, Sx1262Wiring
from revier_bench.chips.sx1276 import Sx1276, Sx1276Wiring
from revier_bench.chips.timeline import Timeline, Timer
from revier_bench.world.air import Emission, Reception
from revier_bench.world.airtime import lora_airtime_us, preamble_us

DIO1 = 14
DIO0 = 26
# What a receiver does not hear, set against Bench.downlink()
MISMATCHES: list[dict[str, int]] = [
    {"iq_inverted": False},
    {"frequency_hz": 868_300_000},
    {"spreading_factor": 8},
    {"bandwidth_hz": 250_000},
    {"sync_word": 0x1424},
    {"explicit_header": False},
]


class FakeHost:
    name = "table"

    def __init__(self) -> None:
        self.now_us = 0
        self.busy_until_us = 0
        self.exposed = False
        self.levels: dict[int, bool] = {}
        self.misuse: list[str] = []
        self._timeline = Timeline()

    def at(self, t_us: int, run: Callable[[], object]) -> Timer:
        assert t_us >= self.now_us
        return self._timeline.add(t_us, run)

    post = at

    def drive(self, pin: int, level: bool) -> None:
        self.levels[pin] = level

    def expose(self, exposed: bool) -> None:
        self.exposed = exposed

    def note_misuse(self, text: str) -> None:
        self.misuse.append(text)

    def run_to(self, t_us: int) -> None:
        while self._timeline.next_us <= t_us:
            self.now_us = self._timeline.next_us
            self._timeline.pop().run()
        self.now_us = t_us

    def pass_us(self, us: int) -> None:
        self.run_to(self.now_us + us)


class FakeAir:
    """Everything arrives; `lost` receptions do not, `spoilt` ones with a wrong CRC."""

    def __init__(self) -> None:
        self.emitted: list[Emission] = []
        self.on_air: list[Emission] = []
        self.lost = self.spoilt = False

    def emit(self, emission: Emission) -> None:
        self.emitted.append(emission)

    def attach(self, *args: Any, **kw: Any) -> None: ...

    def ongoing(self, listener: object, now_us: int) -> list[Emission]:
        return [e for e in self.on_air if e.start_us <= now_us < e.end_us]

    def outcome(self, emission: Emission, listener: object) -> Reception | None:
        return None if self.lost else Reception(emission, -97.0, 6.25, not self.spoilt)


class Table:
    """A chip with a host and an air; `raw` is one SPI transaction."""

    chip: Sx1262 | Sx1276

    def __init__(self) -> None:
        self.host = FakeHost()
        self.air = FakeAir()

    def raw(self, *data: int) -> bytes:
        """Without asking whether the chip is ready."""
        self.chip.select(self.host.now_us)
        self.host.pass_us(25 + len(data))
        answer = self.chip.transfer(bytes(data), self.host.now_us)
        self.chip.deselect(self.host.now_us)
        return answer

    def downlink(self, start_us: int, payload: bytes = b"hello", **changes: Any) -> Emission:
        """A frame of a radio gateway at this time; the chip hears of it then."""
        emission = Emission(
            "gateway", start_us, lora_airtime_us(len(payload), 7, crc=False), preamble_us(7),
            868_100_000, 125_000, 7, 5, 14.0, True, 0x3444, False, True, payload,
        )  # fmt: skip
        emission = replace(emission, **changes)
        self.air.on_air.append(emission)
        self.host.at(start_us, lambda: self.chip.on_emission(emission))
        return emission


class Bench(Table):
    """An SX1262; `command` is one SPI transaction that waits for BUSY first."""

    def __init__(self, tcxo_mv: int = 0) -> None:
        super().__init__()
        wiring = Sx1262Wiring(DIO1, tcxo_mv=tcxo_mv, tcxo_start_us=3_000)
        self.chip: Sx1262 = Sx1262(self.host, wiring, self.air, Random("chip"))
        self.chip.power(True, 0)

    def wait(self) -> int:
        """Until BUSY is low; how long that took."""
        begun_us = self.host.now_us
        if self.host.busy_until_us > begun_us:
            self.host.run_to(self.host.busy_until_us)
        return self.host.now_us - begun_us

    def command(self, *data: int) -> bytes:
        self.wait()
        return self.raw(*data)

    def mode(self) -> int:
        return self.command(0xC0, 0)[1] >> 4 & 7

    def irq(self) -> int:
        return int.from_bytes(self.command(0x12, 0, 0, 0)[2:], "big")

    def configure(self, sf: int = 7, iq_inverted: bool = False, length: int = 23) -> None:
        """As a LoRaWAN node does it, from reset to ready."""
        self.command(0x80, 0)
        if self.chip.wiring.tcxo_mv:
            self.command(0x97, 2, 0, 1, 0x40)
            self.command(0x07, 0, 0)
            self.command(0x89, 0x7F)
        self.command(0x98, 0xD7, 0xDB)
        self.command(0x8A, 1)
        self.command(0x8F, 0, 0)
        self.command(0x0D, 0x07, 0x40, 0x34, 0x44)
        self.command(0x86, *(868_100_000 * (1 << 25) // 32_000_000).to_bytes(4, "big"))
        self.command(0x95, 4, 7, 0, 1)
        self.command(0x8E, 14, 4)
        self.command(0x8B, sf, 4, 1, 1 if sf > 10 else 0)
        self.command(0x8C, 0, 8, 0, length, 0 if iq_inverted else 1, 1 if iq_inverted else 0)
        self.command(0x0D, 0x07, 0x36, 0x09 if iq_inverted else 0x0D)
        self.command(0x08, 0x02, 0x77, 0x02, 0x77, 0, 0, 0, 0)

    # -- what both radios can do (test_radios.py) --

    def listen(self, symbols: int) -> int:
        """When the receiver is on. 0: without end."""
        self.command(0xA0, symbols)
        self.command(0x80, 1)
        self.wait()
        self.raw(0x82, *((0, 0, 0) if symbols else (0xFF, 0xFF, 0xFF)))
        return self.host.now_us + 62

    def send(self, payload: bytes) -> int:
        """When the first symbol leaves. After configure(length=...)."""
        self.command(0x0E, 0, *payload)
        self.command(0x80, 1)
        self.wait()
        self.raw(0x83, 0, 0, 0)
        return self.host.now_us + 105 + 200

    def stop(self) -> None:
        self.command(0x80, 0)

    def flags(self) -> set[str]:
        names = {0: "sent", 1: "received", 4: "header", 6: "crc", 9: "timeout"}
        irq = self.irq()
        return {name for bit, name in names.items() if irq >> bit & 1}

    def clear(self) -> None:
        self.command(0x02, 3, 0xFF)

    def frame(self) -> bytes:
        length, start = self.command(0x13, 0, 0, 0)[2:]
        return self.command(0x1E, start, 0, *bytes(length))[3:]

    def level(self) -> tuple[float, float]:
        """RSSI in dBm, SNR in dB."""
        rssi, snr = self.command(0x14, 0, 0, 0, 0)[2:4]
        return -rssi / 2, ((snr ^ 0x80) - 0x80) / 4

    def idle(self) -> bool:
        return self.mode() == 2


class Bench76(Table):
    """An SX1276; `write` and `read` one register or several."""

    def __init__(self, tcxo: bool = False) -> None:
        super().__init__()
        wiring = Sx1276Wiring(DIO0, DIO1, tcxo=tcxo)
        self.chip: Sx1276 = Sx1276(self.host, wiring, self.air, Random("chip"))
        self.chip.power(True, 0)
        self.host.run_to(10_000)

    def write(self, address: int, *values: int) -> None:
        self.raw(address | 0x80, *values)

    def read(self, address: int, n: int = 1) -> bytes:
        return self.raw(address, *bytes(n))[1:]

    def mode(self) -> int:
        return self.read(0x01)[0] & 7

    def lora(self) -> None:
        """From reset to LoRa standby, calibrated for 868 MHz."""
        self.write(0x01, 0x01)
        self.write(0x06, 0xD9, 0x06, 0x66)
        self.write(0x3B, 0x42)
        self.host.pass_us(10_000)
        self.write(0x01, 0x00)
        self.write(0x01, 0x80)
        self.write(0x01, 0x81)
        self.host.pass_us(250)

    def configure(self, sf: int = 7, iq_inverted: bool = False, length: int = 23) -> None:
        """As a LoRaWAN node does it, from reset to ready; inverted means to listen."""
        if self.read(0x01) != b"\x81":
            self.lora()
        self.write(0x06, *(868_100_000 * (1 << 19) // 32_000_000).to_bytes(3, "big"))
        self.write(0x09, 0xF0 | 14 - 2)
        self.write(0x0E, 0, 0)
        self.write(0x1D, 0x72, sf << 4 | (0 if iq_inverted else 4), 0x64)
        self.write(0x22, length if not iq_inverted else 1, length if iq_inverted else 255)
        self.write(0x26, 0x0C if sf > 10 else 0x04)
        self.write(0x2F, 0x40, 0x00, 0x43)
        self.write(0x33, 0x67 if iq_inverted else 0x27)
        self.write(0x39, 0x34)
        self.write(0x3B, 0x19 if iq_inverted else 0x1D)
        self.write(0x12, 0xFF)

    def listen(self, symbols: int) -> int:
        self.write(0x1F, symbols)
        self.write(0x01, 0x86 if symbols else 0x85)
        return self.host.now_us + 60 + 71

    def send(self, payload: bytes) -> int:
        self.write(0x0D, 0)
        self.write(0x00, *payload)
        self.write(0x01, 0x83)
        return self.host.now_us + 60 + 55

    def stop(self) -> None:
        self.write(0x01, 0x81)

    def flags(self) -> set[str]:
        names = {3: "sent", 4: "header", 5: "crc", 6: "received", 7: "timeout"}
        irq = self.read(0x12)[0]
        return {name for bit, name in names.items() if irq >> bit & 1}

    def clear(self) -> None:
        self.write(0x12, 0xFF)

    def frame(self) -> bytes:
        self.write(0x0D, *self.read(0x10))
        return self.read(0x00, self.read(0x13)[0])

    def level(self) -> tuple[float, float]:
        snr, rssi = self.read(0x19, 2)
        quarters = (snr ^ 0x80) - 0x80
        return rssi * 16 / 15 - 157 if quarters >= 0 else rssi - 157 + quarters / 4, quarters / 4

    def idle(self) -> bool:
        return self.mode() == 1
