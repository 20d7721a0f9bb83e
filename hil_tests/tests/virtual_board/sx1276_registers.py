# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The SX1276's register writes for a class A exchange, written from the datasheet alone.

DS = SX1276/77/78/79 datasheet rev. 7 (table 41: registers), ER = its errata note. Knows nothing of
the driver nor of the chip model. `complaints(trace, frames)` says what is missing, wrong, or out
of order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .spi_recorder import Frame, Transfer

# DS table 41, after reset, LoRa page; the values that a frame depends on
AFTER_RESET = {
    0x06: 0x6C, 0x07: 0x80, 0x08: 0x00, 0x09: 0x4F, 0x0B: 0x2B, 0x0C: 0x20, 0x0D: 0x00,
    0x0E: 0x80, 0x0F: 0x00, 0x11: 0x00, 0x12: 0x00, 0x1D: 0x72, 0x1E: 0x70, 0x1F: 0x64,
    0x20: 0x00, 0x21: 0x08, 0x22: 0x01, 0x23: 0xFF, 0x24: 0x00, 0x26: 0x00, 0x2F: 0x20,
    0x30: 0x00, 0x31: 0xC3, 0x33: 0x27, 0x36: 0x03, 0x37: 0x0A, 0x39: 0x12, 0x3A: 0x65,
    0x3B: 0x1D, 0x4D: 0x84,
}  # fmt: skip
SHARED = {0x06, 0x07, 0x08, 0x09, 0x0B, 0x0C, 0x4B, 0x4D}  # the same in FSK and LoRa
WHOLE = {
    0x0F: (0x00, "the whole FIFO for RX"),
    0x11: (0x00, "no interrupt is kept away"),
    0x1D: (0x72, "125 kHz, 4/5, explicit header"),
    0x20: (0x00, "preamble"),
    0x21: (0x08, "preamble of 8 symbols"),
    0x24: (0x00, "no hopping"),
    0x31: (0x43, "ER 2.3: bit 7 cleared below 500 kHz; SF7 to SF12"),
    0x2F: (0x40, "ER 2.3: 125 kHz"),
    0x30: (0x00, "ER 2.3"),
    0x36: (0x03, "ER 2.1: 0x02 is for 500 kHz only"),
    0x37: (0x0A, "detection threshold for SF7 to SF12"),
    0x39: (0x34, "sync word of public networks"),
}
TX, RX_SINGLE = 3, 6


@dataclass
class Chip:
    mode: int = 1
    lora: bool = False
    registers: dict[int, int] = field(default_factory=lambda: dict(AFTER_RESET))
    fifo: bytes = b""
    calibrated_hz: float = 0.0
    calibrates: bool = False

    @property
    def frequency_hz(self) -> float:
        r = self.registers
        return (r[0x06] << 16 | r[0x07] << 8 | r[0x08]) * 32e6 / (1 << 19)


def complaints(trace: Sequence[Transfer], frames: Sequence[Frame]) -> list[str]:
    return list(_walk(trace, list(frames)))


def _walk(trace: Sequence[Transfer], frames: list[Frame]) -> Iterator[str]:
    chip: Chip | None = None
    for transfer in trace:
        if not transfer.sent:
            chip = Chip()
            continue
        if chip is None:
            yield "SPI before the reset (DS 7.2.2)"
            return
        address, data = transfer.sent[0], transfer.sent[1:]
        if not address & 0x80:
            _read(chip, address, transfer.answer[1:])
        elif address == 0x80:
            yield from _fifo(chip, data)
        else:
            for i, value in enumerate(data):
                yield from _write(chip, (address & 0x7F) + i, value, frames)
    if frames:
        yield f"{len(frames)} frames or windows never came"


def _read(chip: Chip, address: int, answer: bytes) -> None:
    if address == 0x12 and answer[0] & 0xC8 and chip.lora:
        chip.mode = 1  # TxDone, RxDone, RxTimeout: back in standby by itself
    if address == 0x3B and not chip.lora and not answer[0] & 0x20:
        chip.calibrates = False


def _fifo(chip: Chip, data: bytes) -> Iterator[str]:
    if not chip.lora or chip.mode != 1:
        yield "the FIFO is filled outside of standby (DS 4.1.2.3)"
    if chip.registers[0x0D] != chip.registers[0x0E]:
        yield "the FIFO's pointer is not at the TX base"
    chip.fifo = data


def _write(chip: Chip, address: int, value: int, frames: list[Frame]) -> Iterator[str]:
    if chip.mode in (TX, RX_SINGLE) and address != 0x01:
        yield f"register 0x{address:02X} is written while the chip sends or receives"
    if chip.calibrates:
        yield "something is written before the image calibration has ended (DS 2.1.3.8)"
        chip.calibrates = False
    if address == 0x01:
        yield from _set_mode(chip, value, frames)
    elif address == 0x3B and not chip.lora:
        if chip.mode != 1 or not value & 0x40:
            yield "image calibration: bit 6, in FSK standby (DS 2.1.3.8)"
        chip.calibrated_hz, chip.calibrates = chip.frequency_hz, True
    elif not chip.lora and address not in SHARED:
        yield f"register 0x{address:02X} is written in FSK mode"
    elif address == 0x12:
        chip.registers[0x12] = value
    elif address in AFTER_RESET:
        chip.registers[address] = value
    elif address != 0x4B:
        yield f"register 0x{address:02X} is not on the list"


def _set_mode(chip: Chip, value: int, frames: list[Frame]) -> Iterator[str]:
    lora, mode = bool(value & 0x80), value & 7
    if lora != chip.lora:
        if chip.mode != 0:
            yield "LoRa is switched outside of sleep (DS table 41, RegOpMode)"
        chip.lora = lora
    if value & 0x78:
        yield "RegOpMode: neither shared page, modulation, nor low frequency (DS table 41)"
    chip.mode = mode
    if mode not in (TX, RX_SINGLE):
        return
    if not frames:
        yield "a frame or a window that nobody asked for"
        return
    yield from _check_frame(chip, frames.pop(0))
    chip.registers[0x12] = 0


def _check_frame(chip: Chip, frame: Frame) -> Iterator[str]:
    r, sends = chip.registers, frame.kind == "tx"
    if chip.mode != (TX if sends else RX_SINGLE):
        yield f"RegOpMode where a {frame.kind} was asked for"
        return
    for address, (value, why) in WHOLE.items():
        if r[address] != value:
            yield f"register 0x{address:02X} is not 0x{value:02X}: {why}"
    if not 862e6 <= chip.calibrated_hz <= 870e6:
        yield "no image calibration in the band (DS 2.1.3.8)"
    if abs(chip.frequency_hz - frame.frequency_hz) > 31:
        yield "RegFrf (DS 4.1.4)"
    if r[0x1E] >> 4 != frame.spreading_factor:
        yield "spreading factor (DS table 41, RegModemConfig2)"
    if bool(r[0x26] & 0x08) != frame.is_slow:
        yield "low data rate optimisation from 16 ms on (DS 4.1.1.6)"
    if r[0x12] != 0xFF:
        yield "old interrupts are not cleared"
    wanted = (0x27, 0x1D) if sends else (0x67, 0x19)
    if (r[0x33], r[0x3B]) != wanted:
        yield "IQ: 0x27, 0x1D normal; 0x67, 0x19 to hear inverted (Semtech's drivers)"
    yield from (_check_tx if sends else _check_rx)(chip, frame)


def _check_tx(chip: Chip, frame: Frame) -> Iterator[str]:
    r = chip.registers
    if not r[0x1E] & 0x04:
        yield "CRC of an uplink (DS table 41, RegModemConfig2)"
    if r[0x22] != len(frame.payload) or chip.fifo != frame.payload:
        yield "FIFO and RegPayloadLength: the frame (DS 4.1.2.3)"
    high = r[0x4D] == 0x87
    if not r[0x09] & 0x80 or (r[0x09] & 15) + (5 if high else 2) != frame.power_dbm:
        yield f"RegPaConfig, RegPaDac: {frame.power_dbm} dBm on PA_BOOST (DS 3.4.2, 3.4.3)"
    if high and r[0x0B] & 0x3F < 0x2F:
        yield "RegOcp below 120 mA at +20 dBm (DS 3.4.4)"


def _check_rx(chip: Chip, frame: Frame) -> Iterator[str]:
    r = chip.registers
    if not 4 <= (r[0x1E] & 3) << 8 | r[0x1F] <= 1023:
        yield "RegSymbTimeout: 4 to 1023 (DS 4.1.5)"
    if r[0x23] != 0xFF:
        yield "RegMaxPayloadLength refuses long downlinks"
    if not r[0x26] & 0x04:
        yield "AGC is off (DS table 41, RegModemConfig3)"
