# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
import json
import os
import struct
import time
from binascii import unhexlify

import machine
from runner import run

from revier_node.sensors import FAULT, MISSING, VALID, a02yyuw, bme280, lis2mdl, sensirion, sps30

with open(os.getenv("VECTORS")) as file:
    VECTORS = json.load(file)


def close(a, b, tolerance):
    assert abs(a - b) <= tolerance, (a, b)


class Words:
    """A Sensirion device: scripted answers, refuses a read that comes before its wait time."""

    def __init__(self, answers, wait_us=1000):
        self.answers = answers  # command -> bytes
        self.wait_us = wait_us
        self.log = []
        self.ready_us = 0
        self.refuse = 0

    def write(self, data):
        if self.refuse:
            self.refuse -= 1
            raise OSError(19)
        self.log.append(data)
        self.ready_us = time.now_us + self.wait_us

    def read(self, length):
        if time.now_us < self.ready_us:
            raise OSError(19)
        answer = self.answers[self.log[-1][0] << 8 | self.log[-1][1]]
        assert len(answer) == length
        return answer


READY = unhexlify("0001b0")
NOT_READY = unhexlify("000081")


def sps(answers, **kw):
    device = Words(answers, **kw)
    machine.devices.clear()
    machine.devices[0x69] = device
    return device, sps30.Sps30(machine.I2C())


# -- Sensirion words --


def check_crc_vectors():
    pairs = VECTORS["sensirion_crc8"]["vectors"]
    assert len(pairs) >= 15
    for pair in pairs:
        data = unhexlify(pair["data"])
        assert sensirion.crc8(data, 0, 2) == unhexlify(pair["crc"])[0], pair


def check_one_wrong_bit_or_a_torn_word_is_refused():
    raw = unhexlify(VECTORS["sps30"]["vectors"][0]["i2c_0x0300_equivalent_derived"])
    assert sensirion.unpack_words(raw) is not None
    for bit in range(len(raw) * 8):
        wrong = bytearray(raw)
        wrong[bit // 8] ^= 1 << bit % 8
        assert sensirion.unpack_words(wrong) is None, bit
    assert sensirion.unpack_words(raw[:-1]) is None


# -- SPS30 --


def check_sps30_vectors():
    keys = ("pm1_0", "pm2_5", "pm4_0", "pm10", "nc0_5", "nc1_0", "nc2_5", "nc4_0", "nc10")
    vectors = VECTORS["sps30"]["vectors"]
    assert len(vectors) == 7
    for vector in vectors:
        raw = unhexlify(vector["i2c_0x0300_equivalent_derived"])
        _, sensor = sps({0x0202: READY, 0x0300: raw})
        state, values, reason = sensor.read()
        assert (state, reason) == (VALID, "")
        for key, value in zip(keys + ("typ_size_um",), values):  # noqa: B905
            assert value == vector["decoded_exact"][key], key


def check_sps30_start_and_stop_bytes():
    device, sensor = sps({})
    assert sensor.start()[0] == VALID
    assert sensor.stop()
    assert device.log == [
        b"\x11\x03",
        b"\x11\x03",
        b"\x00\x10\x03\x00\xac",
        b"\x01\x04",
        b"\x10\x01",
    ]


def check_sps30_first_wake_is_refused():
    device, sensor = sps({})
    device.refuse = 1
    assert sensor.start()[0] == VALID


def check_sps30_absent():
    machine.devices.clear()
    sensor = sps30.Sps30(machine.I2C())
    assert sensor.start() == (FAULT, None, "no answer")
    assert sensor.read() == (FAULT, None, "no answer")


def check_sps30_without_a_new_value_is_missing():
    _, sensor = sps({0x0202: NOT_READY})
    assert sensor.read() == (MISSING, None, "not ready")


def check_sps30_read_too_early_is_a_fault_not_a_value():
    _, sensor = sps({0x0202: READY}, wait_us=50_000)
    assert sensor.read() == (FAULT, None, "no answer")


def check_sps30_wrong_crc():
    raw = bytearray(unhexlify(VECTORS["sps30"]["vectors"][0]["i2c_0x0300_equivalent_derived"]))
    raw[2] ^= 1
    _, sensor = sps({0x0202: READY, 0x0300: bytes(raw)})
    assert sensor.read() == (FAULT, None, "crc")


def check_sps30_not_a_number_and_negative():
    for bad in (float("nan"), -0.5, float("inf")):
        assert sps30.parse(struct.pack(">10f", *([1.0] * 9 + [bad])))[0] == FAULT
    assert sps30.parse(bytes(40))[0] == VALID  # clean air is a value


def check_sps30_status_bits():
    _, sensor = sps({0xD206: unhexlify("00208700107b")})
    data = sensirion.unpack_words(unhexlify("0020") + bytes((sensirion.crc8(b"\0\x20", 0, 2),)))
    assert data is not None
    word = b"\x00\x20" + bytes((sensirion.crc8(b"\0\x20", 0, 2),))
    word += b"\x00\x10" + bytes((sensirion.crc8(b"\0\x10", 0, 2),))
    _, sensor = sps({0xD206: word})
    assert sensor.status()[1] == sps30.STATUS_FAN_SPEED | sps30.STATUS_FAN


# -- BME280 --


def calibration(index):
    blob = VECTORS["bme280"]["calibrations"][index]
    return bme280.parse_calibration(unhexlify(blob["regs_88_A1"]), unhexlify(blob["regs_E1_E7"]))


def check_bme280_bit_exact_to_boschs_integer_code():
    vectors = VECTORS["bme280"]["vectors"]
    assert len(vectors) == 16
    for vector in vectors:
        constants = calibration(vector["calib"])
        raw = int.from_bytes(unhexlify(vector["regs_F7_FE"]), "big")
        t_fine = bme280.fine_temperature(constants, raw >> 20 & 0xFFFFF)
        t = bme280.temperature_centi_c(t_fine)
        p = bme280.pressure_centi_pa(constants, t_fine, raw >> 44)
        h = bme280.humidity_q10(constants, t_fine, raw & 0xFFFF)
        want = vector["int64"]
        exact = (want["temp_centi_c"], want["press_centi_pa"], want["rh_q10"])
        assert (t_fine, t, p, h) == (want["t_fine"],) + exact, vector
        close(t / 100, vector["double"]["temp_c"], 0.02)
        close(p / 100, vector["double"]["press_pa"], 5.0)
        close(h / 1024, vector["double"]["rh"], 0.1)
        # as read: the values after reset (0x80000, 0x8000) are no measurement
        skipped = raw >> 20 & 0xFFFFF == 0x80000
        got = bme280.compensate(constants, unhexlify(vector["regs_F7_FE"]))
        assert got[0] == (None if skipped else t)
        assert got[1] == (None if raw >> 44 == 0x80000 else p)
        assert got[2] == (None if skipped or raw & 0xFFFF == 0x8000 else h)


def check_bme280_public_examples():
    for example in VECTORS["bme280"]["public_test"]:
        c = example["calib"]
        names = ["t1", "t2", "t3"] + ["p%d" % i for i in range(1, 10)]
        names += ["h%d" % i for i in range(1, 7)]
        values = tuple([c.get(name, 0) for name in names])
        t_fine = bme280.fine_temperature(values, example["raw"]["t"])
        want = example.get("int")
        close(t_fine, want["t_fine"] if want else example["t_fine"], 10)
        celsius = bme280.temperature_centi_c(t_fine)
        assert celsius == (want["temp_centi"] if want else 2508)
        pascal = bme280.pressure_centi_pa(values, t_fine, example["raw"]["p"]) / 100
        close(pascal, want["press_q24_8"] / 256 if want else example["press_pa"], 1.0)
        if want:
            assert bme280.humidity_q10(values, t_fine, example["raw"]["h"]) == want["rh_q10"]


class Registers:
    """A register device; `on_get` and `on_put` script it."""

    def __init__(self, values):
        self.values = values  # register -> byte
        self.log = []

    def get(self, register, length):
        return bytes([self.values.get(register + i, 0) for i in range(length)])

    def put(self, register, data):
        self.log.append((register, data))
        for i in range(len(data)):
            self.values[register + i] = data[i]


def bme(data="4a52c08096c07a76", chip_id=0x60, status=0):
    values = {0xD0: chip_id, 0xF3: status}
    blob = VECTORS["bme280"]["calibrations"][0]
    for start, text in ((0x88, blob["regs_88_A1"]), (0xE1, blob["regs_E1_E7"]), (0xF7, data)):
        raw = unhexlify(text)
        for i in range(len(raw)):
            values[start + i] = raw[i]
    device = Registers(values)
    device.put = lambda register, data: device.log.append((register, data))
    machine.devices.clear()
    machine.devices[0x76] = device
    return device, bme280.Bme280(machine.I2C())


def check_bme280_humidity_control_before_measurement():
    device, sensor = bme()
    assert sensor.read() == (VALID, (2372, 10094269, 66873), "")
    assert device.log == [(0xF2, b"\x01\xf4\x25")]  # pairs: DS 6.2.1


def check_bme280_other_chip_absent_busy_skipped():
    assert bme(chip_id=0x58)[1].read() == (FAULT, None, "chip id 0x58")
    assert bme(status=0x01)[1].read() == (FAULT, None, "start-up")
    assert bme(status=0x08)[1].read() == (MISSING, None, "not ready")
    assert bme(data="8000008000008000")[1].read() == (MISSING, None, "skipped")
    machine.devices.clear()
    assert bme280.Bme280(machine.I2C()).read() == (FAULT, None, "no answer")


def check_bme280_never_waits_past_its_limit():
    before = time.now_us
    bme(status=0x08)[1].read()
    limit_ms = bme280.MEASURE_MS + bme280.READ_LIMIT_MS
    assert time.now_us - before <= limit_ms * 1000 + 1000


def check_bme280_single_channels_missing():
    t, p, h = bme280.compensate(calibration(0), unhexlify("8000008096c07a76"))
    assert t == 2372
    assert p is None
    assert h == 66873
    t, p, h = bme280.compensate(calibration(0), unhexlify("4a52c08096c08000"))
    assert (t, p, h) == (2372, 10094269, None)


# -- LIS2MDL --


def lis(values=None):
    registers = {0x4F: 0x40, 0x67: 0x08}
    registers.update(values or {})
    device = Registers(registers)
    machine.devices.clear()
    machine.devices[0x1E] = device
    return device, lis2mdl.Lis2mdl(machine.I2C())


def check_lis2mdl_vectors():
    vectors = VECTORS["lis2mdl"]["vectors"]
    assert len(vectors) == 3
    for vector in vectors:
        state, field, _ = lis2mdl.parse(unhexlify(vector["regs_68_6D"]))
        assert state == VALID
        for digits, ut in zip(field, vector["ut"]):  # noqa: B905
            close(digits * lis2mdl.NT_PER_DIGIT / 1000, ut, 0.0001)


def check_lis2mdl_configuration():
    device, sensor = lis()
    assert sensor.start()[0] == VALID
    assert sensor.arm(40)[0] == VALID
    assert device.log == [(0x60, b"\x90\x08\x50"), (0x65, b"\x28\x00"), (0x63, b"\xe7")]


def check_lis2mdl_offset_is_read_back():
    _, sensor = lis()
    assert sensor.set_offset((1, -2, 300))[0] == VALID
    assert sensor.offset() == (1, -2, 300)
    device, sensor = lis()
    device.put = lambda register, data: None
    assert sensor.set_offset((1, 2, 3)) == (FAULT, None, "offset not kept")


def check_lis2mdl_other_chip_absent_stale_clipped():
    assert lis({0x4F: 0x3D})[1].start() == (FAULT, None, "chip id 0x3d")
    before = time.now_us
    assert lis({0x67: 0})[1].read() == (MISSING, None, "no new sample")
    assert time.now_us - before < (lis2mdl.READ_LIMIT_MS + 2 * lis2mdl.PERIOD_MS) * 1000
    assert lis({0x68: 0xFF, 0x69: 0x7F})[1].read() == (FAULT, None, "overflow")
    machine.devices.clear()
    sensor = lis2mdl.Lis2mdl(machine.I2C())
    assert sensor.start() == sensor.read() == sensor.arm(1) == (FAULT, None, "no answer")
    assert sensor.offset() is None


# -- A02YYUW --


class Line:
    """A UART: (us after the start, bytes) become readable at their time."""

    def __init__(self, script):
        self.script = [(time.now_us + us, data) for us, data in script]

    def _here(self):
        return b"".join([data for us, data in self.script if us <= time.now_us])

    def any(self):
        return len(self._here())

    def read(self, n):
        here = self._here()
        left = here[n:]
        self.script = [(us, data) for us, data in self.script if us > time.now_us]
        if left:
            self.script.insert(0, (0, left))
        return here[:n] or None


def ultrasonic(*script):
    return a02yyuw.A02yyuw(Line(script))


def check_a02yyuw_vectors():
    vectors = VECTORS["a02yyuw"]["vectors"]
    assert len(vectors) == 4
    for vector in vectors:
        outcome = a02yyuw.Parser().feed(unhexlify(vector["frame"]))
        assert outcome == (VALID, vector["mm"], ""), vector


def check_a02yyuw_rejects():
    rejects = VECTORS["a02yyuw"]["reject"]
    assert len(rejects) == 2
    assert a02yyuw.Parser().feed(unhexlify(rejects[0]["frame"])) is None
    assert a02yyuw.Parser().feed(unhexlify(rejects[1]["frame"])) == (MISSING, None, "no echo")


def check_a02yyuw_finds_511_mm_from_every_offset():
    stream = unhexlify("ff01ffff") * 4
    for cut in range(4):
        assert a02yyuw.Parser().feed(stream[cut:]) == (VALID, 511, ""), cut


def check_a02yyuw_torn_frames_and_noise():
    parser = a02yyuw.Parser()
    assert parser.feed(b"\xff\x07") is None
    assert parser.feed(b"\xa1") is None
    assert parser.feed(b"\xa7") == (VALID, 1953, "")
    assert parser.feed(b"\x00\xff\x12\xff\x07\xa1\xa7") == (VALID, 1953, "")


def check_a02yyuw_range_limits():
    def frame(mm):
        body = bytes((0xFF, mm >> 8, mm & 255))
        return body + bytes((sum(body) & 255,))

    assert a02yyuw.Parser().feed(frame(4500)) == (VALID, 4500, "")
    assert a02yyuw.Parser().feed(frame(4501)) is None
    assert a02yyuw.Parser().feed(frame(30)) == (VALID, 30, "")
    assert a02yyuw.Parser().feed(frame(29)) == (MISSING, None, "no echo")


def check_a02yyuw_throws_stale_bytes_away():
    old, new = unhexlify("ff04b0b3"), unhexlify("ff07a1a7")
    assert ultrasonic((-1000, old), (150_000, new)).read() == (VALID, 1953, "")


def check_a02yyuw_silence_and_garbage_end_at_the_limit():
    for script, reason in (((), "silent"), (((50_000, b"\xff\x07\xa1\xa8"),), "garbled")):
        before = time.now_us
        assert ultrasonic(*script).read() == (FAULT, None, reason)
        assert time.now_us - before < (a02yyuw.ECHO_LIMIT_MS + 40) * 1000


run(globals())
