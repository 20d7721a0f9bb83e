# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2

import heapless
import machine
from runner import raises, run

from revier_node import radio_bus, sx1276
from revier_node.radio_bus import RadioError, SpiBus


class Chip:
    """Registers at bus level; keeps every transaction's bytes as sent."""

    def __init__(self):
        self.log = []
        self.registers = bytearray(128)
        self.registers[0x01] = 0x09
        self.registers[0x42] = 0x12
        self.fifo = bytearray(256)
        self.calibrates = 3  # reads until it is done
        self.stuck = False
        self.silent = False  # keep no log: for the checks without heap
        self.selected = 1

    def cs(self, level):
        self.selected = level

    def write_readinto(self, out, into):
        assert self.selected == 0
        assert out is into
        if not self.silent:
            self.log.append(bytes(out))
        address = out[0]
        into[0] = 0
        for i in range(1, len(out)):
            if address & 0x80:
                self.write(address & 0x7F, out[i])
                into[i] = 0
            else:
                into[i] = self.read(address)
            if address & 0x7F:
                address += 1

    def write(self, address, value):
        if address == 0:
            self.fifo[self.registers[0x0D]] = value
            self.registers[0x0D] = (self.registers[0x0D] + 1) & 255
        elif address == 0x12:
            self.registers[0x12] &= ~value & 255
        elif address != 0x42 and not (self.stuck and address == 0x01):
            self.registers[address] = value

    def read(self, address):
        if address == 0:
            at = self.registers[0x0D]
            self.registers[0x0D] = (at + 1) & 255
            return self.fifo[at]
        if address == 0x3B and self.registers[0x01] == 0x01:
            self.calibrates -= 1
            return 0x22 if self.calibrates > 0 else 0x02
        return self.registers[address]


def driver(tcxo=False):
    chip = Chip()
    return chip, sx1276.Sx1276(SpiBus(chip, chip.cs), machine.Pin(12), tcxo)


def begun():
    chip, radio = driver()
    radio.begin()
    chip.log.clear()
    return chip, radio


def written(chip, address):
    return [t[1] for t in chip.log if t[0] == address | 0x80]


def check_begin_calibrates_in_fsk_then_goes_to_lora_through_sleep():
    chip, radio = driver()
    radio.begin()
    modes = written(chip, 0x01)
    assert modes == [0x00, 0x01, 0x00, 0x80, 0x81], modes
    at = chip.log.index(b"\xbb\x42")
    assert chip.log[at - 3 : at] == [b"\x86\xd9", b"\x87\x13", b"\x88\x33"]  # 868.3 MHz
    assert chip.registers[0x39] == 0x34
    assert chip.registers[0x0E] == chip.registers[0x0F] == 0
    assert not written(chip, 0x4B)


def check_a_tcxo_gets_its_input_before_the_oscillator_starts():
    chip, radio = driver(True)
    radio.begin()
    assert chip.log.index(b"\xcb\x19") < chip.log.index(b"\x81\x01")


def check_another_chip_is_an_error():
    chip, radio = driver()
    chip.registers[0x42] = 0
    assert raises(RadioError, radio.begin).args == ("chip version 0x0",)


def check_calibration_has_a_limit():
    chip, radio = driver()
    chip.calibrates = 1 << 20
    assert raises(RadioError, radio.begin).args == ("no calibration",)


def check_a_chip_that_stays_where_it_is_is_an_error():
    chip, radio = begun()
    radio.sleep()
    chip.stuck = True
    assert raises(RadioError, radio.prepare_rx, 868_100_000, 7, 125_000, 8).args == ("no standby",)


def check_frequency_steps():
    chip, radio = begun()
    for hz in (868_100_000, 868_300_000, 868_500_000, 869_525_000, 863_000_000, 870_000_000):
        radio.prepare_rx(hz, 7, 125_000, 8)
        steps = chip.registers[6] << 16 | chip.registers[7] << 8 | chip.registers[8]
        assert abs(steps * 32_000_000 - hz * (1 << 19)) <= 16_000_000, hz


def check_tx_registers_and_fifo():
    chip, radio = begun()
    radio.prepare_tx(868_100_000, 7, 125_000, 14, b"\x01\x02\x03", 46_336)
    r = chip.registers
    assert bytes(chip.fifo[:3]) == b"\x01\x02\x03"
    assert (r[0x09], r[0x0B], r[0x4D]) == (0xFC, 0x2B, 0x84)
    assert (r[0x1D], r[0x1E], r[0x22], r[0x26]) == (0x72, 0x74, 3, 0x04)
    assert (r[0x33], r[0x3B]) == (0x27, 0x1D)
    assert (r[0x2F], r[0x30], r[0x31], r[0x36]) == (0x40, 0x00, 0x43, 0x03)
    assert written(chip, 0x12) == [0xFF]
    chip.log.clear()
    radio.launch()
    assert chip.log == [b"\x81\x83"]


def check_rx_registers():
    chip, radio = begun()
    radio.prepare_rx(869_525_000, 12, 125_000, 6)
    r = chip.registers
    assert (r[0x1D], r[0x1E], r[0x1F], r[0x26]) == (0x72, 0xC0, 6, 0x0C)
    assert (r[0x33], r[0x3B]) == (0x67, 0x19)
    chip.log.clear()
    radio.launch()
    assert chip.log == [b"\x81\x86"]


def check_each_launch_sends_what_was_prepared_last():
    chip, radio = begun()
    for _ in range(2):
        radio.prepare_tx(868_100_000, 7, 125_000, 14, b"\x01", 46_336)
        radio.launch()
        radio.prepare_rx(868_100_000, 7, 125_000, 8)
        radio.launch()
    assert written(chip, 0x01) == [0x81, 0x83, 0x81, 0x86] * 2


def check_500_khz_errata():
    chip, radio = begun()
    radio.prepare_rx(868_100_000, 7, 500_000, 8)
    r = chip.registers
    assert (r[0x31], r[0x36], r[0x3A]) == (0xC3, 0x02, 0x64)
    radio.prepare_rx(868_100_000, 7, 125_000, 8)
    assert (r[0x31], r[0x2F], r[0x30], r[0x36]) == (0x43, 0x40, 0x00, 0x03)


def check_low_data_rate_optimisation():
    chip, radio = begun()
    for sf in range(7, 13):
        radio.prepare_rx(868_100_000, sf, 125_000, 8)
        assert chip.registers[0x26] == (0x0C if sf >= 11 else 0x04), sf
    radio.prepare_rx(868_100_000, 11, 250_000, 8)
    assert chip.registers[0x26] == 0x04


def check_power_is_clamped_to_the_part():
    chip, radio = begun()
    for asked, config, dac, ocp in (
        (30, 0xFF, 0x87, 0x31),
        (20, 0xFF, 0x87, 0x31),
        (18, 0xFD, 0x87, 0x31),
        (17, 0xFF, 0x84, 0x2B),
        (2, 0xF0, 0x84, 0x2B),
        (-5, 0xF0, 0x84, 0x2B),
    ):
        radio.prepare_tx(868_100_000, 7, 125_000, asked, b"\x01", 1000)
        r = chip.registers
        assert (r[0x09], r[0x4D], r[0x0B]) == (config, dac, ocp), asked


def check_symbol_timeout_has_ten_bits_and_limits():
    chip, radio = begun()
    for asked, symbols in ((1, 4), (4, 4), (255, 255), (256, 256), (1_023, 1_023), (2_000, 1_023)):
        radio.prepare_rx(868_100_000, 7, 125_000, asked)
        r = chip.registers
        assert (r[0x1E] & 3) << 8 | r[0x1F] == symbols, asked


def check_flags_have_the_nodes_numbers():
    chip, radio = begun()
    for flags, irq in (
        (0x08, radio_bus.IRQ_TX_DONE),
        (0x80, radio_bus.IRQ_TIMEOUT),
        (0x50, radio_bus.IRQ_RX_DONE | radio_bus.IRQ_HEADER_VALID),
        (0x70, radio_bus.IRQ_RX_DONE | radio_bus.IRQ_HEADER_VALID | radio_bus.IRQ_CRC_ERROR),
        (0x00, 0),
    ):
        chip.registers[0x12] = flags
        assert radio.poll_irq() == irq, flags


def check_level_above_and_below_the_noise():
    chip, radio = begun()
    into = bytearray(8)
    for snr, rssi, snr_db, rssi_dbm in ((25, 60, 6, -93), (0xEC, 60, -5, -102), (0, 0, 0, -157)):
        chip.registers[0x19] = snr
        chip.registers[0x1A] = rssi
        radio.read_frame(into)
        assert (radio.snr_db, radio.rssi_dbm) == (snr_db, rssi_dbm), snr


def check_long_frame_in_chunks_round_the_fifos_end():
    chip, radio = begun()
    frame = bytes(range(255))
    for i in range(255):
        chip.fifo[(100 + i) & 255] = frame[i]
    chip.registers[0x10] = 100
    chip.registers[0x13] = 255
    into = bytearray(255)
    assert radio.read_frame(into) == 255
    assert into == frame


def check_frame_longer_than_the_buffer_is_refused():
    chip, radio = begun()
    chip.registers[0x13] = 65
    assert radio.read_frame(bytearray(64)) == 0


def check_sleep_is_left_before_a_preparation():
    chip, radio = begun()
    radio.sleep()
    radio.prepare_tx(868_100_000, 7, 125_000, 14, b"\x07", 1000)
    assert written(chip, 0x01) == [0x80, 0x81]
    assert chip.fifo[0] == 7


def check_no_heap_from_launch_to_the_end_of_rx2():
    chip, radio = begun()
    radio.prepare_tx(868_100_000, 12, 125_000, 14, bytes(51), 2_800_000)
    chip.registers[0x13] = 33
    chip.silent = True
    assert heapless.exchange(radio) == 66


run(globals())
