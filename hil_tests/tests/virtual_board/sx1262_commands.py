# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The SX1262's command list for a class A exchange, written from the datasheet alone.

DS = SX1261/2 datasheet rev. 2.1. Knows nothing of the driver nor of the chip model: it reads bytes.
`complaints(trace, frames, tcxo)` says what is missing, wrong, or out of order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .spi_recorder import Frame, Transfer

# DS table 11-1 to 11-5: those that only read may come at any time
READS = {0x12, 0x13, 0x14, 0x17, 0x1D, 0x1E, 0xC0}
NAMES = {
    0x80: "SetStandby", 0x97: "SetDIO3AsTcxoCtrl", 0x07: "ClearDeviceErrors", 0x89: "Calibrate",
    0x96: "SetRegulatorMode", 0x9D: "SetDIO2AsRfSwitchCtrl", 0x98: "CalibrateImage",
    0x8A: "SetPacketType", 0x8F: "SetBufferBaseAddress", 0x08: "SetDioIrqParams",
    0x86: "SetRfFrequency", 0x95: "SetPaConfig", 0x8E: "SetTxParams", 0x8B: "SetModulationParams",
    0x8C: "SetPacketParams", 0xA0: "SetLoRaSymbNumTimeout", 0x02: "ClearIrqStatus",
    0x0D: "WriteRegister", 0x0E: "WriteBuffer", 0x83: "SetTx", 0x82: "SetRx", 0x84: "SetSleep",
}  # fmt: skip
# DS table 12-1: what a reset leaves in the registers that errata and networks touch
AFTER_RESET = {
    0x0706: 0x00, 0x0736: 0x0D, 0x0740: 0x14, 0x0741: 0x24, 0x0889: 0x01, 0x08D8: 0xC8,
}  # fmt: skip
# Fixed arguments, the same before every frame
WHOLE = {
    0x96: (b"\x01", "DC-DC (DS 13.1.11)"),
    0x9D: (b"\x01", "DIO2 drives the antenna switch (DS 13.3.5)"),
    0x98: (b"\xd7\xdb", "863 to 870 MHz (DS table 9-2)"),
    0x8A: (b"\x01", "LoRa (DS 13.4.2)"),
    0x8F: (b"\x00\x00", "both directions have the whole buffer (DS 13.4.8)"),
}
ORDER = [  # (earlier, later): DS 13.3.6, 13.1.12, 14.2, 14.3
    (0x97, 0x07), (0x97, 0x89), (0x07, 0x89), (0x97, 0x98), (0x89, 0x98), (0x8A, 0x8B),
    (0x8A, 0x8C), (0x8A, 0x8E), (0x8A, 0x08), (0x95, 0x8E),
]  # fmt: skip
NOT_ON_AIR = set(NAMES) - {0x80, 0x02}
NEEDED_IRQS = 0x0001 | 0x0002 | 0x0020 | 0x0040 | 0x0200  # DS table 13-29


@dataclass
class Chip:
    """What the bytes so far have told the chip."""

    commands: dict[int, bytes] = field(default_factory=dict)
    when: dict[int, int] = field(default_factory=dict)  # first of its opcode since the reset
    registers: dict[int, int] = field(default_factory=lambda: dict(AFTER_RESET))
    written: dict[int, int] = field(default_factory=dict)  # last write of a register
    buffer: bytes = b""
    on_air: bool = False


def complaints(trace: Sequence[Transfer], frames: Sequence[Frame], tcxo: bytes) -> list[str]:
    """`tcxo`: the four argument bytes that the board's oscillator needs; empty for a crystal."""
    return list(_walk(trace, list(frames), tcxo))


def _walk(trace: Sequence[Transfer], frames: list[Frame], tcxo: bytes) -> Iterator[str]:
    chip: Chip | None = None
    for at, transfer in enumerate(trace):
        if not transfer.sent:
            if chip is not None:
                yield from _check_setup(chip, tcxo)
            chip = Chip()
            continue
        opcode, args = transfer.sent[0], transfer.sent[1:]
        if chip is None:
            yield "commands before the reset (DS 14.1)"
            return
        if opcode in READS:
            if opcode == 0x12 and int.from_bytes(transfer.answer[2:4], "big") & NEEDED_IRQS:
                chip.on_air = False  # back in standby by itself
            continue
        if opcode not in NAMES:
            yield f"0x{opcode:02X} is not on the list"
            continue
        if chip.on_air and opcode in NOT_ON_AIR:
            yield f"{NAMES[opcode]} while the chip sends or receives (DS 9)"
        yield from _note(chip, opcode, args, at)
        if opcode in (0x82, 0x83):
            if not frames:
                yield f"{NAMES[opcode]} that nobody asked for"
                return
            yield from _check_frame(chip, frames.pop(0), opcode, args, tcxo)
            chip.on_air = True
    if frames:
        yield f"{len(frames)} frames or windows never came"


def _note(chip: Chip, opcode: int, args: bytes, at: int) -> Iterator[str]:
    if opcode == 0x0D:
        address = args[0] << 8 | args[1]
        for i, value in enumerate(args[2:]):
            if address + i not in AFTER_RESET:
                yield f"register 0x{address + i:04X} is not on the list"
            chip.registers[address + i] = value
            chip.written[address + i] = at
        return
    if opcode == 0x0E:
        if args[0] != 0:
            yield "WriteBuffer not from the base address"
        chip.buffer = args[1:]
        return
    if opcode == 0x80:
        chip.on_air = False
    chip.commands[opcode] = args
    chip.when.setdefault(opcode, at)
    if opcode == 0xA0:
        chip.written[0xA0] = at


def _check_frame(chip: Chip, frame: Frame, opcode: int, args: bytes, tcxo: bytes) -> Iterator[str]:
    if opcode != (0x83 if frame.kind == "tx" else 0x82):
        yield f"{NAMES[opcode]} where a {frame.kind} was asked for"
        return
    yield from _check_setup(chip, tcxo)
    yield from _check_modulation(chip, frame)
    timer_us = int.from_bytes(args, "big") * 15.625
    yield from (_check_tx(chip, frame, timer_us) if opcode == 0x83 else
                _check_rx(chip, frame, timer_us))  # fmt: skip


def _check_setup(chip: Chip, tcxo: bytes) -> Iterator[str]:
    for opcode, (args, why) in WHOLE.items():
        if chip.commands.get(opcode) != args:
            yield f"{NAMES[opcode]}: {why}"
    if tcxo:
        if chip.commands.get(0x97) != tcxo:
            yield "SetDIO3AsTcxoCtrl: voltage and start time (DS 13.3.6)"
        if chip.commands.get(0x89) != b"\x7f":
            yield "Calibrate: all blocks again with the TCXO (DS 13.3.6)"
    elif 0x97 in chip.commands:
        yield "SetDIO3AsTcxoCtrl on a board with a crystal"
    for earlier, later in ORDER:
        if later in chip.when and earlier in chip.when and chip.when[earlier] > chip.when[later]:
            yield f"{NAMES[earlier]} must come before {NAMES[later]}"
    irq = chip.commands.get(0x08, bytes(8))
    if int.from_bytes(irq[:2], "big") & NEEDED_IRQS != NEEDED_IRQS:
        yield "SetDioIrqParams: an end of TX or RX is masked (DS table 13-29)"
    if (chip.registers[0x0740], chip.registers[0x0741]) != (0x34, 0x44):
        yield "sync word 0x3444 (DS table 12-1)"
    if chip.registers[0x08D8] != AFTER_RESET[0x08D8] | 0x1E:
        yield "TX clamp (DS 15.2)"


def _check_modulation(chip: Chip, frame: Frame) -> Iterator[str]:
    steps = int.from_bytes(chip.commands.get(0x86, b""), "big")
    if abs(steps * 32e6 / (1 << 25) - frame.frequency_hz) > 1:
        yield "SetRfFrequency (DS 13.4.1)"
    wanted = bytes((frame.spreading_factor, 4, 1, frame.is_slow))  # DS table 13-47 to 13-50
    if chip.commands.get(0x8B) != wanted:
        yield "SetModulationParams: SF, 125 kHz, 4/5, LDRO from 16 ms on (DS 13.4.5, 6.1.1.4)"
    sends = frame.kind == "tx"
    length = len(frame.payload) if sends else 255
    packet = bytes((0, 8, 0, length, sends, not sends))  # DS table 13-66 to 13-71
    if chip.commands.get(0x8C) != packet:
        yield "SetPacketParams: preamble, header, length, CRC, IQ (DS 13.4.6)"
    if bool(chip.registers[0x0736] & 4) != sends:
        yield "IQ polarity: bit 2 set for normal, cleared for inverted (DS 15.4)"
    if chip.registers[0x0736] | 4 != AFTER_RESET[0x0736]:
        yield "IQ polarity: the other bits must stay (DS 15.4)"


def _check_tx(chip: Chip, frame: Frame, timer_us: float) -> Iterator[str]:
    if chip.commands.get(0x95) != b"\x04\x07\x00\x01":
        yield "SetPaConfig for +22 dBm (DS table 13-21)"
    if chip.commands.get(0x8E, b"")[:1] != bytes((frame.power_dbm & 0xFF,)):
        yield f"SetTxParams: {frame.power_dbm} dBm (DS 13.4.4)"
    if not chip.registers[0x0889] & 4:
        yield "TX modulation: bit 2 set below 500 kHz (DS 15.1)"
    if chip.buffer != frame.payload:
        yield "WriteBuffer: the frame (DS 13.2.3)"
    if timer_us and timer_us < frame.symbol_us * 60:
        yield "SetTx: the timer ends within the frame (DS 13.1.4)"


def _check_rx(chip: Chip, frame: Frame, timer_us: float) -> Iterator[str]:
    symbols = chip.commands.get(0xA0, b"\x00")[0]
    code = chip.registers[0x0706]
    if not 6 <= symbols <= 248:
        yield "SetLoRaSymbNumTimeout: 6 to 248 symbols (DS 13.4.9)"
    if (code >> 3) << (2 * (code & 7) + 1) != symbols:
        yield "symbol timeout: register 0x0706 says what the command says (Semtech's driver)"
    if chip.written.get(0x0706, -1) < chip.written.get(0xA0, 0):
        yield "symbol timeout: the command overwrites register 0x0706, so it comes first"
    if timer_us and timer_us < (symbols + 20.25) * frame.symbol_us:
        yield "SetRx: the timer runs until the header, and ends before it (DS 13.1.6)"
