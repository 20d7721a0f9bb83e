# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the SX1262's commands do, those of the modem left out: `execute` has the table.

DS = SX1261/2 datasheet rev. 2.1.
"""

from collections.abc import Callable

from revier_bench.chips import sx1262_registers as reg
from revier_bench.chips import sx1262_tables as ds
from revier_bench.chips.sx1262_core import Sx1262Core


def execute(chip: Sx1262Core, opcode: int, args: bytes) -> None:
    chip.command_status = ds.TAKEN
    standby = chip.mode in (ds.RC, ds.XOSC)
    if (opcode in ds.IN_STANDBY_ONLY and not standby) or (
        opcode in ds.IN_STANDBY_OR_FS and not standby and chip.mode != ds.FS
    ):
        chip.refuse(f"command 0x{opcode:02X} outside of standby (DS 13)")
    elif opcode in ds.NEEDS_PACKET_TYPE and chip.packet_type is None:
        chip.refuse(f"command 0x{opcode:02X} before SetPacketType (DS 14.2)")
    elif opcode in _COMMANDS:
        _COMMANDS[opcode](chip, args)
    else:
        chip.modem.command(opcode, args)


def _set_standby(chip: Sx1262Core, args: bytes) -> None:
    chip.switch(ds.XOSC if args[0] else ds.RC)


def _set_fs(chip: Sx1262Core, args: bytes) -> None:  # noqa: ARG001
    chip.switch(ds.FS)


def _set_sleep(chip: Sx1262Core, args: bytes) -> None:
    chip.fall_asleep(args[0])


def _set_tcxo(chip: Sx1262Core, args: bytes) -> None:
    start_us = int(int.from_bytes(args[1:], "big") * ds.TIMER_STEP_US)
    chip.tcxo = (ds.TCXO_MV[args[0] & 7], start_us)
    chip.done(0)


def _calibrate(chip: Sx1262Core, args: bytes) -> None:
    if chip.mode != ds.RC:
        chip.refuse("Calibrate outside of STDBY_RC (DS 13.1.12)")
        return
    if not chip.oscillator_starts():
        return
    chip.calibrated = chip.calibrated or args[0] & ds.NEEDS_OSCILLATOR == ds.NEEDS_OSCILLATOR
    chip.errors &= ~(ds.PLL_CALIBRATION_ERROR | ds.ADC_CALIBRATION_ERROR)
    chip.done(ds.CALIBRATE_US + (chip.tcxo[1] if chip.tcxo else 0))


def _calibrate_image(chip: Sx1262Core, args: bytes) -> None:
    chip.image_band = (args[0] * 4_000_000, args[1] * 4_000_000)
    chip.done(ds.CALIBRATE_IMAGE_US + (chip.tcxo[1] if chip.tcxo else 0))


def _set_packet_type(chip: Sx1262Core, args: bytes) -> None:
    if args[0] > ds.LR_FHSS:
        chip.refuse(f"packet type {args[0]} (DS table 13-38)")
        return
    if args[0] != chip.packet_type:
        chip.modem.forget_parameters()
    chip.packet_type = args[0]
    chip.done(0)


def _set_frequency(chip: Sx1262Core, args: bytes) -> None:
    chip.frequency_hz = round(int.from_bytes(args, "big") * 32_000_000 / (1 << 25))
    chip.registers.update(enumerate(args, reg.FREQUENCY))
    chip.done(0)


def _set_fallback(chip: Sx1262Core, args: bytes) -> None:
    modes = {0x40: ds.FS, 0x30: ds.XOSC, 0x20: ds.RC}
    if args[0] not in modes:
        chip.refuse(f"fallback mode 0x{args[0]:02X} (DS table 13-23)")
        return
    chip.fallback = modes[args[0]]
    chip.done(0)


def _set_regulator(chip: Sx1262Core, args: bytes) -> None:
    chip.regulator = args[0]
    chip.done(0)


def _set_rf_switch(chip: Sx1262Core, args: bytes) -> None:
    chip.rf_switch = bool(args[0])
    chip.done(0)


def _set_buffer_base(chip: Sx1262Core, args: bytes) -> None:
    chip.tx_base, chip.rx_base = args
    chip.done(0)


def _set_dio_irq(chip: Sx1262Core, args: bytes) -> None:
    chip.irq_mask = int.from_bytes(args[0:2], "big")
    chip.dio1_mask = int.from_bytes(args[2:4], "big")
    chip.done(0)
    chip.set_dio1()


def _clear_irq(chip: Sx1262Core, args: bytes) -> None:
    chip.irq &= ~int.from_bytes(args, "big")
    chip.done(0)
    chip.set_dio1()


def _clear_errors(chip: Sx1262Core, args: bytes) -> None:  # noqa: ARG001
    chip.errors = 0
    chip.done(0)


_COMMANDS: dict[int, Callable[[Sx1262Core, bytes], None]] = {
    ds.SET_STANDBY: _set_standby,
    ds.SET_FS: _set_fs,
    ds.SET_SLEEP: _set_sleep,
    ds.SET_DIO3_TCXO: _set_tcxo,
    ds.CALIBRATE: _calibrate,
    ds.CALIBRATE_IMAGE: _calibrate_image,
    ds.SET_PACKET_TYPE: _set_packet_type,
    ds.SET_RF_FREQUENCY: _set_frequency,
    ds.SET_FALLBACK_MODE: _set_fallback,
    ds.SET_REGULATOR_MODE: _set_regulator,
    ds.SET_DIO2_RF_SWITCH: _set_rf_switch,
    ds.SET_BUFFER_BASE: _set_buffer_base,
    ds.SET_DIO_IRQ: _set_dio_irq,
    ds.CLEAR_IRQ: _clear_irq,
    ds.CLEAR_ERRORS: _clear_errors,
}
