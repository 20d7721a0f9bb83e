# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Semtech SX1262 at its SPI pins: commands, status, BUSY, oscillator, sleep.

DS = SX1261/2 datasheet rev. 2.1. Sending and receiving are in sx1262_modem.py. What the datasheet
forbids is not done and noted through ChipHost.note_misuse().
"""

from dataclasses import dataclass
from random import Random

from revier_bench.chips import sx1262_tables as ds
from revier_bench.chips.base import ChipHost
from revier_bench.chips.sx1262_modem import Sx1262Modem
from revier_bench.chips.timeline import NEVER_US
from revier_bench.world.air import Emission, Medium


@dataclass(frozen=True, slots=True)
class Sx1262Wiring:
    """tcxo_mv 0: a crystal; else the TCXO that hangs on DIO3 and how long it takes to start."""

    dio1: int
    tcxo_mv: int = 0
    tcxo_start_us: int = 3_000


class Sx1262:
    """An SpiDevice and a Listener. `misuse` goes to the host."""

    def __init__(self, host: ChipHost, wiring: Sx1262Wiring, air: Medium, chance: Random) -> None:
        self.host = host
        self.name = host.name
        self.wiring = wiring
        self.buffer = bytearray(256)
        self.registers: dict[int, int] = {}
        self.modem = Sx1262Modem(self, air, chance)
        self.powered = False
        self.mode = ds.SLEEP
        self._reset_fell_us: int | None = None
        self._command = bytearray()
        self._asleep_cold = True
        self._asleep_since_us = -(1 << 60)
        self._ignore = False
        self._selected_us = 0
        self._defaults()

    def _defaults(self) -> None:
        """DS 14.1: what power-on, reset and cold sleep leave."""
        self.registers = dict(ds.REGISTERS)
        self.packet_type: int | None = None
        self.errors = 0
        self.irq = self.irq_mask = self.dio1_mask = 0
        self.tcxo: tuple[int, int] | None = None
        self.fallback = ds.RC
        self.frequency_hz = 0
        self.image_band = (902_000_000, 928_000_000)
        self.calibrated = self.wiring.tcxo_mv == 0
        self.regulator = 0
        self.rf_switch = False
        self.command_status = 0
        self.tx_base = self.rx_base = 0
        self.rx_length = self.rx_start = 0
        self.modem.defaults()
        if self.wiring.tcxo_mv:  # DS 13.3.6: the crystal oscillator cannot start at power-on
            self.errors = ds.XOSC_START_ERROR

    # -- supply, reset, sleep --

    def power(self, on: bool, t_us: int) -> None:
        self.powered = on
        self.modem.stop()
        if on:
            self._start(t_us)
        else:
            self.mode = ds.SLEEP
            self.host.busy_until_us = 0

    def reset_pin(self, level: bool, t_us: int) -> None:
        """NRESET, active low."""
        if not level:
            self._reset_fell_us = t_us
            self.host.busy_until_us = NEVER_US
            self.modem.stop()
            return
        fell_us, self._reset_fell_us = self._reset_fell_us, None
        if fell_us is not None and t_us - fell_us < ds.RESET_MIN_US:
            self.host.note_misuse(f"sx1262: NRESET low for {t_us - fell_us} us only (DS 8.1)")
        if self.powered:
            self._start(t_us)

    def _start(self, t_us: int) -> None:
        self._defaults()
        self.buffer = bytearray(256)
        self.mode = ds.RC
        self._command.clear()
        self._set_dio1()
        self.host.busy_until_us = t_us + ds.WAKE_COLD_US

    def _fall_asleep(self, config: int) -> None:
        self.modem.stop()
        self.mode = ds.SLEEP
        self._asleep_cold = not config & 0x04
        self._asleep_since_us = self.host.now_us
        self.buffer = bytearray(256)  # DS 8.2: the data buffer is lost in any sleep
        self.irq = 0
        self._set_dio1()
        self.host.busy_until_us = NEVER_US

    def _wake(self, t_us: int) -> None:
        if t_us - self._asleep_since_us < ds.SLEEP_SETTLE_US:
            self.host.note_misuse("sx1262: NSS moved less than 500 us after SetSleep (DS 13.1.1)")
        if self._asleep_cold:
            self._start(t_us)
            return
        self.mode = ds.RC
        keeps_gain = self.registers.get(ds.RETENTION) == 1
        if not keeps_gain:
            self.registers[ds.RX_GAIN] = ds.REGISTERS[ds.RX_GAIN]
        self.host.busy_until_us = t_us + ds.WAKE_WARM_US

    # -- SPI --

    def select(self, t_us: int) -> None:
        self._command.clear()
        self._ignore = False
        self._selected_us = t_us
        if self.mode == ds.SLEEP and self.powered and self._reset_fell_us is None:
            self._wake(t_us)
            self._ignore = True  # what comes with this edge is not understood

    def deselect(self, t_us: int) -> None:  # noqa: ARG002
        command = self._command
        if command and not self._ignore and len(command) < ds.WRITE_LENGTH.get(command[0], 0):
            self.host.note_misuse(f"sx1262: command 0x{command[0]:02X} cut short (DS 10.2)")
            self.command_status = ds.PROCESSING_ERROR
        command.clear()

    def transfer(self, mosi: bytes, t_us: int) -> bytes:
        if not self.powered or self._reset_fell_us is not None:
            self.host.note_misuse("sx1262: SPI while it has no supply or is held in reset")
            return bytes(len(mosi))
        if self._ignore:
            if mosi[0] not in (ds.GET_STATUS, ds.RESET_STATS):
                self.host.note_misuse(f"sx1262: command 0x{mosi[0]:02X} to a sleeping chip")
            return bytes(len(mosi))
        begins = not self._command
        if begins and self.host.busy_until_us > self._selected_us and self._still_busy(mosi, t_us):
            self.host.note_misuse(f"sx1262: command 0x{mosi[0]:02X} while BUSY (DS 8.3)")
            self._ignore = True
            return bytes(len(mosi))
        return self._exchange(mosi)

    def _still_busy(self, mosi: bytes, t_us: int) -> bool:
        """NSS may fall while BUSY as long as the transfer waits for it."""
        return self.host.busy_until_us > t_us - len(mosi)

    def _exchange(self, mosi: bytes) -> bytes:
        at = len(self._command)
        self._command += mosi
        command = self._command
        opcode = command[0]
        status = self.status()
        if opcode in ds.READS:
            self.command_status = 0
            return bytes([self._read_byte(command, at + i, status) for i in range(len(mosi))])
        if opcode in ds.STREAMS:
            self._stream(command, at)
        else:
            self._write(opcode, at)
        return bytes((status,)) * len(mosi)

    def status(self) -> int:
        """DS table 13-76."""
        return self.mode << 4 | self.command_status << 1

    def _read_byte(self, command: bytearray, index: int, status: int) -> int:
        opcode = command[0]
        if opcode == ds.READ_REGISTER:
            if index < 4:
                return status
            return self.registers.get((command[1] << 8 | command[2]) + index - 4, 0)
        if opcode == ds.READ_BUFFER:
            return status if index < 3 else self.buffer[(command[1] + index - 3) & 0xFF]
        answer = self._answer(opcode)
        return answer[index - 2] if 2 <= index < 2 + len(answer) else status

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

    def _stream(self, command: bytearray, at: int) -> None:
        header = 2 if command[0] == ds.WRITE_BUFFER else 3
        if at == 0:
            self._done(0)
        for i in range(max(at, header), len(command)):
            if header == 2:
                if command[1] + i - 2 == 256:
                    self.host.note_misuse("sx1262: WriteBuffer past the end of the data buffer")
                self.buffer[(command[1] + i - 2) & 0xFF] = command[i]
            else:
                self.registers[(command[1] << 8 | command[2]) + i - 3] = command[i]

    def _write(self, opcode: int, at: int) -> None:
        length = ds.WRITE_LENGTH.get(opcode)
        if length is None:
            if at == 0:
                self.host.note_misuse(f"sx1262: opcode 0x{opcode:02X} unknown or not modelled")
                self.command_status = ds.PROCESSING_ERROR
            return
        if at >= length:
            self.host.note_misuse(f"sx1262: bytes after the end of command 0x{opcode:02X}")
            return
        if len(self._command) < length:
            return
        if len(self._command) > length and any(self._command[length:]):
            self.host.note_misuse(f"sx1262: bytes after the end of command 0x{opcode:02X}")
        self._execute(opcode, bytes(self._command[1:length]))

    # -- commands --

    def refuse(self, why: str, status: int = ds.PROCESSING_ERROR) -> None:
        self.host.note_misuse(f"sx1262: {why}")
        self.command_status = status

    def _execute(self, opcode: int, args: bytes) -> None:
        self.command_status = 0
        if opcode in ds.IN_STANDBY_ONLY and self.mode not in (ds.RC, ds.XOSC):
            self.refuse(f"command 0x{opcode:02X} outside of standby (DS 13)")
            return
        if opcode in ds.NEEDS_PACKET_TYPE and self.packet_type != 1:
            self.refuse(f"command 0x{opcode:02X} before SetPacketType(LoRa) (DS 14.2)")
            return
        name = _COMMANDS.get(opcode)
        if name is None:
            self._done(0)
            return
        getattr(self, name)(args)

    def _done(self, busy_us: int) -> None:
        self.host.busy_until_us = self.host.now_us + max(busy_us, ds.COMMAND_US)

    def switch(self, mode: int) -> int | None:
        """Start to another mode; the time it takes, None if the oscillator does not start."""
        was = self.mode
        if mode != ds.RC and was == ds.RC and not self._oscillator_starts():
            return None
        took_us = ds.SWITCH_US.get((was, mode), 0)
        if mode != ds.RC and was == ds.RC and self.tcxo is not None:
            took_us += self.tcxo[1]
        if was in (ds.RX, ds.TX):
            self.modem.stop()
        self.mode = mode
        self._done(took_us)
        return took_us

    def _oscillator_starts(self) -> bool:
        wired = self.wiring
        if wired.tcxo_mv == 0:
            return True
        if self.tcxo is not None and abs(self.tcxo[0] - wired.tcxo_mv) <= 100:
            if self.tcxo[1] >= wired.tcxo_start_us:
                return True
            why = f"the TCXO gets {self.tcxo[1]} us to start and needs {wired.tcxo_start_us} us"
        else:
            why = "the TCXO on DIO3 is not set up for its voltage (DS 13.3.6)"
        self.errors |= ds.XOSC_START_ERROR
        self.refuse(why, ds.EXECUTION_FAILED)
        self._done(0)
        return False

    def _set_standby(self, args: bytes) -> None:
        self.switch(ds.XOSC if args[0] else ds.RC)

    def _set_fs(self, args: bytes) -> None:  # noqa: ARG002
        self.switch(ds.FS)

    def _set_sleep(self, args: bytes) -> None:
        self._fall_asleep(args[0])

    def _set_tcxo(self, args: bytes) -> None:
        start_us = int(int.from_bytes(args[1:], "big") * ds.TIMER_STEP_US)
        self.tcxo = (ds.TCXO_MV[args[0] & 7], start_us)
        self._done(0)

    def _calibrate(self, args: bytes) -> None:
        if self.mode != ds.RC:
            self.refuse("Calibrate outside of STDBY_RC (DS 13.1.12)")
            return
        if not self._oscillator_starts():
            return
        self.calibrated = self.calibrated or args[0] & 0x7F == 0x7F
        self.errors &= ~(ds.PLL_CALIBRATION_ERROR | ds.ADC_CALIBRATION_ERROR)
        self._done(ds.CALIBRATE_US + (self.tcxo[1] if self.tcxo else 0))

    def _calibrate_image(self, args: bytes) -> None:
        self.image_band = (args[0] * 4_000_000, args[1] * 4_000_000)
        self._done(ds.CALIBRATE_IMAGE_US + (self.tcxo[1] if self.tcxo else 0))

    def _set_packet_type(self, args: bytes) -> None:
        self.packet_type = args[0]
        if args[0] != 1:
            self.refuse(f"packet type {args[0]} is not modelled: LoRa only")
        self._done(0)

    def _set_frequency(self, args: bytes) -> None:
        self.frequency_hz = round(int.from_bytes(args, "big") * 32_000_000 / (1 << 25))
        self._done(0)

    def _set_fallback(self, args: bytes) -> None:
        modes = {0x40: ds.FS, 0x30: ds.XOSC, 0x20: ds.RC}
        if args[0] not in modes:
            self.refuse(f"fallback mode 0x{args[0]:02X} (DS table 13-23)")
            return
        self.fallback = modes[args[0]]
        self._done(0)

    def _set_regulator(self, args: bytes) -> None:
        self.regulator = args[0]
        self._done(0)

    def _set_rf_switch(self, args: bytes) -> None:
        self.rf_switch = bool(args[0])
        self._done(0)

    def _set_buffer_base(self, args: bytes) -> None:
        self.tx_base, self.rx_base = args
        self._done(0)

    def _set_dio_irq(self, args: bytes) -> None:
        self.irq_mask = int.from_bytes(args[0:2], "big")
        self.dio1_mask = int.from_bytes(args[2:4], "big")
        self._done(0)
        self._set_dio1()

    def _clear_irq(self, args: bytes) -> None:
        self.irq &= ~int.from_bytes(args, "big")
        self._done(0)
        self._set_dio1()

    def _clear_errors(self, args: bytes) -> None:  # noqa: ARG002
        self.errors = 0
        self._done(0)

    def _modem_command(self, args: bytes) -> None:
        self.modem.command(self._command[0], args)

    def raise_irq(self, bits: int) -> None:
        """Interrupt flags; only those of the mask are noted (DS 13.3.1)."""
        self.irq |= bits & self.irq_mask
        self._set_dio1()

    def _set_dio1(self) -> None:
        self.host.drive(self.wiring.dio1, bool(self.irq & self.dio1_mask))

    # -- the air (world.air.Listener) --

    def on_emission(self, emission: Emission) -> None:
        self.modem.on_emission(emission)


_COMMANDS = {
    ds.SET_STANDBY: "_set_standby",
    ds.SET_FS: "_set_fs",
    ds.SET_SLEEP: "_set_sleep",
    ds.SET_DIO3_TCXO: "_set_tcxo",
    ds.CALIBRATE: "_calibrate",
    ds.CALIBRATE_IMAGE: "_calibrate_image",
    ds.SET_PACKET_TYPE: "_set_packet_type",
    ds.SET_RF_FREQUENCY: "_set_frequency",
    ds.SET_FALLBACK_MODE: "_set_fallback",
    ds.SET_REGULATOR_MODE: "_set_regulator",
    ds.SET_DIO2_RF_SWITCH: "_set_rf_switch",
    ds.SET_BUFFER_BASE: "_set_buffer_base",
    ds.SET_DIO_IRQ: "_set_dio_irq",
    ds.CLEAR_IRQ: "_clear_irq",
    ds.CLEAR_ERRORS: "_clear_errors",
    ds.SET_TX: "_modem_command",
    ds.SET_RX: "_modem_command",
    ds.SET_CAD: "_modem_command",
    ds.STOP_TIMER_ON_PREAMBLE: "_modem_command",
    ds.SET_SYMBOL_TIMEOUT: "_modem_command",
    ds.SET_MODULATION: "_modem_command",
    ds.SET_PACKET_PARAMS: "_modem_command",
    ds.SET_PA_CONFIG: "_modem_command",
    ds.SET_TX_PARAMS: "_modem_command",
}
