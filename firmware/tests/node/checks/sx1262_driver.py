# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
import gc
import time

import heapless
import machine
import micropython
from runner import raises, run

from revier_node import sx1262
from revier_node.radio_bus import BUSY_LIMIT_US, RadioError, SpiBus


class Chip:
    """Answers at bus level; keeps every transaction's bytes as sent."""

    def __init__(self):
        self.log = []
        self.registers = {0x0736: 0x0D, 0x0889: 0x01, 0x08D8: 0xC8}
        self.mode = 2
        self.command_status = 1
        self.errors = 0
        self.irq = 0
        self.frame = b""
        self.start = 0
        self.packet_status = b"\0\0\0"
        self.selected = 1
        self.silent = False  # keep no log: for the checks without heap
        self.busy_reads = 0

    def cs(self, level):
        self.selected = level

    def busy(self):
        if self.busy_reads:
            self.busy_reads -= 1
            return 1
        return 0

    def write_readinto(self, out, into):
        assert self.selected == 0
        assert out is into
        op = out[0]
        if not self.silent:
            self.log.append(bytes(out))
            self.effect(bytes(out))
        arg1 = out[1] if len(out) > 1 else 0
        address = (out[1] << 8 | out[2]) if op == 0x1D else 0
        for i in range(1, len(out)):
            into[i] = self.mode << 4 | self.command_status << 1
        if op == 0x12:
            into[2], into[3] = self.irq >> 8, self.irq & 255
        elif op == 0x17:
            into[2], into[3] = self.errors >> 8, self.errors & 255
        elif op == 0x1D:
            into[4] = self.registers.get(address, 0)
        elif op == 0x13:
            into[2], into[3] = len(self.frame), self.start
        elif op == 0x14:
            into[2], into[3], into[4] = self.packet_status
        elif op == 0x1E:
            for i in range(3, len(into)):
                at = (arg1 + i - 3 - self.start) & 255
                into[i] = self.frame[at] if at < len(self.frame) else 0

    def effect(self, out):
        if out[0] == 0x0D:
            self.registers[out[1] << 8 | out[2]] = out[3]
        elif out[0] == 0x80:
            self.mode = 3 if out[1] else 2


def driver(tcxo_mv=1800):
    chip = Chip()
    radio = sx1262.Sx1262(SpiBus(chip, chip.cs, chip.busy), machine.Pin(12), tcxo_mv, 5000)
    return chip, radio


def sent(chip, opcode):
    return [t for t in chip.log if t[0] == opcode]


def check_begin_is_the_datasheets_list():
    chip, radio = driver()
    radio.begin()
    assert chip.log == [
        b"\x97\x02\x00\x01\x40",  # TCXO 1.8 V, 320 * 15.625 us = 5 ms
        b"\x07\x00\x00",
        b"\x89\x7f",
        b"\x96\x01",  # DC-DC
        b"\x9d\x01",
        b"\x98\xd7\xdb",
        b"\x8a\x01",
        b"\x8f\x00\x00",
        b"\x0d\x07\x40\x34\x44",
        b"\x1d\x08\xd8\x00\x00",
        b"\x0d\x08\xd8\xde",  # 0xC8 | 0x1E
        b"\x1d\x08\x89\x00\x00",
        b"\x1d\x07\x36\x00\x00",
        b"\x08\x02\x77\x02\x23\x00\x00\x00\x00",
        b"\x17\x00\x00\x00",
    ], chip.log


def check_begin_without_tcxo_leaves_dio3_alone():
    chip, radio = driver(0)
    radio.begin()
    assert not sent(chip, 0x97)


def check_device_errors_are_an_error():
    chip, radio = driver()
    chip.errors = 0x0020  # XOSC_START_ERR
    assert raises(RadioError, radio.begin).args == ("device errors 0x20",)


def check_refused_command_is_an_error():
    for status in (4, 5):
        chip, radio = driver()
        chip.command_status = status
        assert raises(RadioError, radio.begin).args == ("command refused",)


def check_busy_has_a_limit():
    chip, radio = driver()
    radio.begin()
    chip.busy_reads = 1 << 30
    before = time.now_us
    assert raises(RadioError, radio.standby).args == ("busy",)
    assert BUSY_LIMIT_US < time.now_us - before < BUSY_LIMIT_US + 1000


def check_frequency_steps():
    for hz in (868_100_000, 868_300_000, 868_500_000, 869_525_000, 863_000_000, 870_000_000):
        exact = hz * (1 << 25)
        steps = sx1262.frequency_steps(hz)
        assert abs(steps * 32_000_000 - exact) <= 16_000_000, hz
        assert steps < 1 << 30  # a small integer on the chip


def check_tx_bytes():
    chip, radio = driver()
    radio.begin()
    chip.log.clear()
    radio.prepare_tx(868_100_000, 7, 125_000, 14, b"\x01\x02\x03", 46_336)
    assert chip.log == [
        b"\x80\x01",
        b"\x86\x36\x41\x99\x9a",
        b"\x95\x04\x07\x00\x01",
        b"\x8e\x0e\x04",
        b"\x8b\x07\x04\x01\x00",
        b"\x0d\x08\x89\x05",  # errata 15.1: bit 2 set below 500 kHz
        b"\x8c\x00\x08\x00\x03\x01\x00",
        b"\x0e\x00\x01\x02\x03",
        b"\x02\x03\xff",
    ], chip.log
    chip.log.clear()
    radio.launch()
    assert chip.log == [b"\x83\x00\x88\x80"]  # 46 ms + 0.5 s in steps of 15.625 us


def check_rx_bytes():
    chip, radio = driver()
    radio.begin()
    chip.log.clear()
    radio.prepare_rx(869_525_000, 12, 125_000, 6)
    assert chip.log == [
        b"\x80\x01",
        b"\x86\x36\x58\x66\x66",
        b"\x8b\x0c\x04\x01\x01",
        b"\x8c\x00\x08\x00\xff\x00\x01",
        b"\x0d\x07\x36\x09",  # errata 15.4: bit 2 cleared for inverted IQ
        b"\xa0\x06",
        b"\x0d\x07\x06\x18",
        b"\x02\x03\xff",
    ], chip.log
    chip.log.clear()
    radio.launch()
    # 38 symbols of 32.768 ms in steps of 15.625 us: longer than preamble and header (20.25)
    assert chip.log == [b"\x82" + (38 * 32_768 * 64 // 1000).to_bytes(3, "big")]


def check_500_khz_erratum():
    chip, radio = driver()
    radio.begin()
    radio.prepare_tx(868_100_000, 7, 500_000, 14, b"\x01", 1000)
    assert chip.registers[0x0889] == 0x01


def check_low_data_rate_optimisation():
    chip, radio = driver()
    radio.begin()
    for sf in range(7, 13):
        chip.log.clear()
        radio.prepare_rx(868_100_000, sf, 125_000, 8)
        assert sent(chip, 0x8B)[0][4] == (1 if sf >= 11 else 0), sf
    chip.log.clear()
    radio.prepare_rx(868_100_000, 11, 250_000, 8)
    assert sent(chip, 0x8B)[0][4] == 0


def check_power_is_clamped_to_the_part():
    chip, radio = driver()
    radio.begin()
    for asked, byte in ((30, 22), (22, 22), (14, 14), (0, 0), (-9, 0xF7), (-20, 0xF7)):
        chip.log.clear()
        radio.prepare_tx(868_100_000, 7, 125_000, asked, b"\x01", 1000)
        assert sent(chip, 0x8E)[0][1] == byte, asked


def check_symbol_timeout_never_shorter_than_asked():
    # Semtech sx126x_driver: 6 -> 6, 62 -> 62, 63 -> 64, 248 -> 248, above is clamped
    for symbols in range(1, 260):
        code = sx1262.symbol_timeout_code(symbols)
        mantissa, exponent = code >> 3, code & 7
        counted = mantissa << (2 * exponent + 1)
        assert counted >= min(symbols, 248), symbols
        assert counted <= 255
        assert mantissa < 32
        assert counted < min(symbols, 248) + 8
    assert sx1262.symbol_timeout_code(6) == 3 << 3
    assert sx1262.symbol_timeout_code(64) == 8 << 3 | 1
    assert sx1262.symbol_timeout_code(248) == 31 << 3 | 1


def check_prepare_wants_the_oscillator():
    chip, radio = driver()
    radio.begin()
    chip.effect = lambda out: None
    chip.mode = 2
    assert raises(RadioError, radio.prepare_rx, 868_100_000, 7, 125_000, 8).args == (
        "no oscillator",
    )


def check_long_frame_in_chunks_round_the_buffers_end():
    chip, radio = driver()
    radio.begin()
    chip.frame = bytes(range(255))
    chip.start = 100
    chip.packet_status = bytes((180, 0xEC, 180))
    into = bytearray(255)
    assert radio.read_frame(into) == 255
    assert into == chip.frame
    assert (radio.rssi_dbm, radio.snr_db) == (-90, -5)


def check_frame_longer_than_the_buffer_is_refused():
    chip, radio = driver()
    chip.frame = bytes(65)
    assert radio.read_frame(bytearray(64)) == 0


def check_sleep_is_cold():
    chip, radio = driver()
    radio.begin()
    chip.log.clear()
    radio.sleep()
    assert chip.log == [b"\x84\x00"]


def check_a_fault_with_a_locked_heap_keeps_its_reason():
    chip, radio = driver()
    radio.begin()
    chip.silent = True
    chip.command_status = 4
    reason = None
    gc.collect()
    micropython.heap_lock()
    try:
        radio.poll_irq()
    except RadioError as error:
        reason = error
    finally:
        micropython.heap_unlock()
    assert reason.args == ("command refused",)


def check_no_heap_from_launch_to_the_end_of_rx2():
    chip, radio = driver()
    radio.begin()
    radio.prepare_tx(868_100_000, 12, 125_000, 14, bytes(51), 2_800_000)
    chip.frame = bytes(33)
    chip.silent = True
    chip.mode = 3
    assert heapless.exchange(radio) == 66


def check_second_window_and_second_uplink_send_what_has_changed():
    chip, radio = driver()
    radio.begin()
    radio.prepare_tx(868_100_000, 7, 125_000, 14, b"\x01\x02\x03", 46_336)
    assert chip.registers[0x0736] == 0x0D  # errata 15.4: bit 2 set for normal IQ, as after reset
    radio.prepare_rx(868_100_000, 7, 125_000, 8)
    assert chip.registers[0x0736] == 0x09
    chip.log.clear()
    radio.prepare_rx(869_525_000, 12, 125_000, 6)
    assert [t[0] for t in chip.log] == [0x80, 0x86, 0x8B, 0xA0, 0x0D, 0x02]
    chip.log.clear()
    radio.prepare_tx(868_100_000, 7, 125_000, 14, b"\x01\x02\x03", 46_336)
    assert sent(chip, 0x8C) == [b"\x8c\x00\x08\x00\x03\x01\x00"]
    assert sent(chip, 0x0D) == [b"\x0d\x07\x36\x0d"]
    radio.begin()
    chip.log.clear()
    radio.prepare_rx(869_525_000, 12, 125_000, 6)
    assert sent(chip, 0x8C)  # a reset forgets


run(globals())
