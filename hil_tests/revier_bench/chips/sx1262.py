# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Semtech SX1262 at its SPI pins: how commands come in, what they answer, status, BUSY.

DS = SX1261/2 datasheet rev. 2.1. Commands are carried out in sx1262_commands.py, modes and sleep
are in sx1262_core.py, sending and receiving in sx1262_modem.py. What the datasheet forbids is not
done and noted through ChipHost.note_misuse().
"""

from random import Random

from revier_bench.chips import sx1262_registers as reg
from revier_bench.chips import sx1262_tables as ds
from revier_bench.chips.base import ChipHost
from revier_bench.chips.sx1262_commands import execute
from revier_bench.chips.sx1262_core import Sx1262Core, Sx1262Wiring
from revier_bench.world.air import Medium

__all__ = ["Sx1262", "Sx1262Wiring"]


class Sx1262(Sx1262Core):
    """An SpiDevice and a Listener."""

    def __init__(self, host: ChipHost, wiring: Sx1262Wiring, air: Medium, chance: Random) -> None:
        super().__init__(host, wiring, air, chance)
        self._command = bytearray()
        self._ignore = self._woken = False
        self._selected_us = 0

    def select(self, t_us: int) -> None:
        self._command.clear()
        self._ignore = False
        self._selected_us = t_us
        self._woken = self.mode == ds.SLEEP and not self.held_down
        if self._woken:
            self.modem.stop()
            self.wake(t_us)

    def deselect(self, t_us: int) -> None:  # noqa: ARG002
        command = self._command
        awaited = bool(command) and not self._ignore and command[0] != ds.NOP
        if awaited and len(command) < self._length(command[0]):
            self.refuse(f"command 0x{command[0]:02X} cut short (DS 10.2)")
        command.clear()

    def transfer(self, mosi: bytes, t_us: int) -> bytes:
        if self.held_down:
            self.note("SPI while it has no supply or is held in reset")
            return bytes(len(mosi))
        if self._ignore or not mosi:
            return bytes(len(mosi))
        begins = not self._command
        if begins and self.host.busy_until_us > self._selected_us and self._still_busy(mosi, t_us):
            self._ignore = True
            self._note_too_early(mosi[0])
            return bytes(len(mosi))
        return self._exchange(mosi)

    def _still_busy(self, mosi: bytes, t_us: int) -> bool:
        """NSS may fall while BUSY as long as the transfer waits for it."""
        return self.host.busy_until_us > t_us - len(mosi)

    def _note_too_early(self, opcode: int) -> None:
        """NOP does nothing anyway; GetStatus is what the datasheet wakes the chip with."""
        if self._woken and opcode not in (ds.GET_STATUS, ds.NOP):
            self.note(f"command 0x{opcode:02X} to a sleeping chip")
        elif not self._woken and opcode != ds.NOP:
            self.note(f"command 0x{opcode:02X} while BUSY (DS 8.3)")

    def _exchange(self, mosi: bytes) -> bytes:
        at = len(self._command)
        self._command += mosi
        command = self._command
        opcode = command[0]
        status = self.status()
        if opcode in ds.READS:
            self.command_status = ds.TAKEN
            return bytes([self._read_byte(command, at + i, status) for i in range(len(mosi))])
        if opcode in ds.STREAMS:
            self._stream(command, at)
        else:
            self._write(opcode, at)
        return bytes((status,)) * len(mosi)

    def status(self) -> int:
        """DS table 13-76."""
        return ds.STATUS_BIT_7 | self.mode << 4 | self.command_status << 1

    # -- what it answers --

    def _read_byte(self, command: bytearray, index: int, status: int) -> int:
        opcode = command[0]
        if opcode == ds.READ_REGISTER:
            if index < 4:
                return status
            return self._register((command[1] << 8 | command[2]) + index - 4)
        if opcode == ds.READ_BUFFER:
            return status if index < 3 else self.buffer[(command[1] + index - 3) & 0xFF]
        answer = self._answer(opcode)
        return answer[index - 2] if 2 <= index < 2 + len(answer) else status

    def _register(self, address: int) -> int:
        if address in reg.RANDOM and self.mode == ds.RX:  # DS 12.1: needs the receiver's noise
            return self.chance.randrange(256)
        return self.registers.get(address, 0)

    def _answer(self, opcode: int) -> bytes:
        if opcode == ds.GET_IRQ:
            return self.irq.to_bytes(2, "big")
        if opcode == ds.GET_ERRORS:
            return self.errors.to_bytes(2, "big")
        if opcode == ds.GET_RX_BUFFER_STATUS:
            return bytes((self.rx_length, self.rx_start))
        if opcode == ds.GET_PACKET_STATUS:
            return self.modem.packet_status()
        if opcode == ds.GET_RSSI_INST:
            return bytes((self.modem.noise_byte(),))
        if opcode == ds.GET_PACKET_TYPE:
            return bytes((self.packet_type or 0,))
        if opcode == ds.GET_STATS:
            return self.modem.statistics()
        return b""

    # -- what it is told --

    def _length(self, opcode: int) -> int:
        """Of the whole command; 0: any, or unknown."""
        by_type = ds.PARAMETER_LENGTH.get(opcode)
        if by_type is None:
            return ds.WRITE_LENGTH.get(opcode, 0)
        return by_type[ds.LORA if self.packet_type is None else self.packet_type]

    def _stream(self, command: bytearray, at: int) -> None:
        header = 2 if command[0] == ds.WRITE_BUFFER else 3
        if at == 0:
            self.command_status = ds.TAKEN
            self.done(0)
        for i in range(max(at, header), len(command)):
            if header == 2:  # DS 13.2.3: after the end comes the beginning
                self.buffer[(command[1] + i - 2) & 0xFF] = command[i]
            else:
                address = (command[1] << 8 | command[2]) + i - 3
                self.registers[address] = command[i]
                if address == reg.RTC_CONTROL:
                    self.modem.stop_clock()

    def _write(self, opcode: int, at: int) -> None:
        length = self._length(opcode)
        if not length:
            if at == 0:
                self.refuse(f"opcode 0x{opcode:02X} unknown or not modelled")
            return
        if at >= length:
            self.note(f"bytes after the end of command 0x{opcode:02X}")
            return
        if len(self._command) < length:
            return
        if len(self._command) > length and any(self._command[length:]):
            self.note(f"bytes after the end of command 0x{opcode:02X}")
        execute(self, opcode, bytes(self._command[1:length]))
