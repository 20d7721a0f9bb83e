# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""SPS30, SEN55, SCD41 and BME280 at scripted devices: what they send, refuse, and wait for."""

import json
import os
import struct
import time
from binascii import unhexlify

import machine
from runner import run
from scripted_devices import Registers, Words, words

from revier_node.sensors import FAULT, MISSING, VALID, bme280, scd41, scd41_setup, sen55, sps30

with open(os.getenv("FIRMWARE") + "/tests/sensors/vectors/air.json") as file:
    VECTORS = json.load(file)

READY = unhexlify("0001b0")
NOT_READY = unhexlify("000081")
SPS_RAW = unhexlify(VECTORS["sps30"]["vectors"][0]["i2c_0x0300_equivalent_derived"])
SPS_MASSES = (52, 95, 126, 133)
SEN_RAW = unhexlify(VECTORS["sen5x"]["vectors"][1]["read_0x03C4"])
SCD_RAW = unhexlify(VECTORS["scd41"]["vectors"][0]["read"])


def at(address, device):
    machine.devices.clear()
    machine.devices[address] = device
    return device


def sps(answers, **kw):
    return at(0x69, Words(answers, **kw)), sps30.Sps30(machine.I2C())


def sen(answers, **kw):
    return at(0x69, Words(answers, **kw)), sen55.Sen55(machine.I2C())


def scd(answers, **kw):
    return at(0x62, Words(answers, **kw)), scd41.Scd41(machine.I2C())


def register(value):
    return words(struct.pack(">I", value))


def spoilt(raw):
    return bytes((raw[0] ^ 1,)) + raw[1:]


# -- SPS30 --


def check_sps30_reads_masses():
    _, sensor = sps({0x0202: READY, 0x0300: SPS_RAW})
    assert sensor.read() == (VALID, SPS_MASSES, "")


def check_sps30_start_and_stop_bytes():
    device, sensor = sps({})
    assert sensor.start()[0] == VALID
    assert sensor.clean()[0] == VALID
    assert sensor.stop()[0] == VALID
    assert device.log == [
        b"\x11\x03",
        b"\x11\x03",
        b"\x00\x10\x03\x00\xac",
        b"\x56\x07",
        b"\x01\x04",
        b"\x10\x01",
    ]


def check_sps30_first_wake_is_refused():
    device, sensor = sps({})
    device.refuse = 1
    assert sensor.start()[0] == VALID


def check_sps30_that_measures_already_is_stopped_first():
    device, sensor = sps({})
    measuring = [True]
    accept = device.write

    def write(data):
        accept(data)
        if data == b"\x01\x04":
            measuring[0] = False
        elif data[:2] == b"\x00\x10" and measuring[0]:
            raise OSError(19)

    device.write = write
    assert sensor.start()[0] == VALID
    start = b"\x00\x10\x03\x00\xac"
    assert [data for data in device.log if data != b"\x11\x03"] == [start, b"\x01\x04", start]


def check_sps30_absent():
    machine.devices.clear()
    sensor = sps30.Sps30(machine.I2C())
    for outcome in (sensor.start(), sensor.read(), sensor.status(), sensor.stop()):
        assert outcome == (FAULT, None, "no answer")


def check_sps30_without_a_new_value_is_missing():
    _, sensor = sps({0x0202: NOT_READY})
    assert sensor.read() == (MISSING, None, "not ready")


def check_sps30_read_too_early_is_a_fault_not_a_value():
    _, sensor = sps({0x0202: READY}, wait_us=50_000)
    assert sensor.read() == (FAULT, None, "no answer")


def check_sps30_wrong_crc():
    _, sensor = sps({0x0202: READY, 0x0300: spoilt(SPS_RAW)})
    assert sensor.read() == (FAULT, None, "crc")
    _, sensor = sps({0x0202: spoilt(READY), 0x0300: SPS_RAW})
    assert sensor.read() == (FAULT, None, "crc")


def check_sps30_status_bits():
    _, sensor = sps({0xD206: register(1 << 21 | 1 << 4 | 1 << 3)})
    assert sensor.status() == (VALID, 1 << 21 | 1 << 4, "")


def check_sps30_frozen_after_its_limit():
    device, sensor = sps({0x0202: READY, 0x0300: SPS_RAW})
    for _ in range(sps30.FROZEN_AFTER):
        assert sensor.read()[0] == VALID
    assert sensor.read() == (FAULT, None, "frozen")
    device.answers[0x0300] = words(struct.pack(">10f", *([1.0] * 10)))
    assert sensor.read()[0] == VALID


def check_sps30_no_particle_is_not_frozen():
    _, sensor = sps({0x0202: READY, 0x0300: words(bytes(40))})
    for _ in range(20):
        assert sensor.read() == (VALID, (0, 0, 0, 0), "")


def check_sps30_asks_for_more_warm_up_in_clean_air():
    for nc4, more_ms in ((99.9, 14_000), (100.0, 0)):
        values = [1.0] * 7 + [nc4, nc4, 0.5]
        _, sensor = sps({0x0202: READY, 0x0300: words(struct.pack(">10f", *values))})
        sensor.read()
        assert sensor.more_warm_up_ms == more_ms


# -- SEN55 --


def check_sen55_reads_masses_climate_and_indices():
    numbers = words(struct.pack(">10H", *([5] * 7 + [1_000, 5, 5])))
    _, sensor = sen({0x0202: READY, 0x03C4: SEN_RAW, 0x0413: numbers}, wait_us=20_000)
    assert sensor.climate()[0] == MISSING
    assert sensor.read() == (VALID, (53, 78, 92, 99), "")
    assert sensor.climate() == (VALID, (-406, None, 4650 * 1024 // 100), "")
    assert sensor.indices() == (VALID, (1010, None), "")
    assert sensor.more_warm_up_ms == 0


def check_sen55_asks_for_more_warm_up_in_clean_air():
    numbers = words(struct.pack(">10H", *([5] * 7 + [999, 5, 5])))
    _, sensor = sen({0x0202: READY, 0x03C4: SEN_RAW, 0x0413: numbers})
    sensor.read()
    assert sensor.more_warm_up_ms == 14_000


def check_sen55_start_and_stop_bytes():
    device, sensor = sen({})
    assert sensor.start()[0] == VALID
    assert sensor.start(False)[0] == VALID
    assert sensor.stop()[0] == VALID
    assert device.log == [b"\xd2\x10", b"\x00\x21", b"\xd2\x10", b"\x00\x37", b"\x01\x04"]


def check_sen55_cleaning_and_not_ready():
    _, sensor = sen({0x0202: NOT_READY, 0xD206: register(sen55.STATUS_CLEANING)})
    assert sensor.read() == (MISSING, None, "cleaning")
    assert sensor.status() == (VALID, 0, "")
    _, sensor = sen({0x0202: NOT_READY, 0xD206: register(0)})
    assert sensor.read() == (MISSING, None, "not ready")


def check_sen55_without_pm_has_climate_only():
    raw = words(struct.pack(">4H4h", *([0xFFFF] * 4 + [5_000, 4_000, 1_000, 10])))
    _, sensor = sen({0x0202: READY, 0x03C4: raw})
    assert sensor.read() == (MISSING, None, "no particles measured")
    assert sensor.climate() == (VALID, (2_000, None, 51_200), "")


def check_sen55_status_frozen_crc_absent():
    every = 0xFFFFFFFF
    device, sensor = sen({0x0202: READY, 0x0413: words(bytes(20))})
    device.answers[0xD206] = register(every)
    assert sensor.status() == (VALID, sen55.STATUS_ERRORS, "")
    for pm10, after in ((sen55.FROZEN_FROM, FAULT), (sen55.FROZEN_FROM - 1, VALID)):
        for second in range(sen55.FROZEN_AFTER + 1):  # climate goes on: the fan may stand still
            raw = struct.pack(">8H", 1, 2, 3, pm10, 5_000 + second, 4_000, 0, 0)
            device.answers[0x03C4] = words(raw)
            assert sensor.read()[0] == (after if second == sen55.FROZEN_AFTER else VALID)
    device.answers[0x03C4] = spoilt(SEN_RAW)
    assert sensor.read() == (FAULT, None, "crc")
    machine.devices.clear()
    assert sensor.read() == sensor.start() == sensor.status() == (FAULT, None, "no answer")


def check_sen55_voc_state_goes_there_and_back():
    state = words(b"\x01\x02\x03\x04\x05\x06\x07\x08")
    device, sensor = sen({0x6181: state})
    kept = sensor.voc_state()[1]
    assert kept == (0x0102, 0x0304, 0x0506, 0x0708)
    assert sensor.set_voc_state(kept)[0] == VALID
    assert device.log[-1] == b"\x61\x81" + state


# -- SCD41 --


class Scd(Words):
    """Asleep until the wake command, which it never acknowledges; `deaf` wakes go unheard."""

    def __init__(self, answers, deaf=0):
        super().__init__(answers)
        self.deaf = deaf
        self.awake = False

    def write(self, data):
        if data == b"\x36\xf6":
            self.awake = self.deaf <= 0
            self.deaf -= 1
            raise OSError(19)
        if not self.awake:
            raise OSError(19)
        super().write(data)


def awake(answers, deaf=0):
    answers[0x3682] = unhexlify("73b119eb077a3b0c54")
    return at(0x62, Scd(answers, deaf)), scd41.Scd41(machine.I2C())


def check_scd41_throws_the_first_reading_after_waking_away():
    _, sensor = awake({0xE4B8: unhexlify("800604"), 0xEC05: SCD_RAW})
    assert sensor.start()[0] == VALID
    assert sensor.read() == (MISSING, None, "first after waking")
    assert sensor.climate()[0] == MISSING
    assert sensor.read() == (VALID, (556, 25445, 30090), "")
    assert sensor.climate() == (VALID, (2545, None, 30812), "")
    sensor.start()
    assert sensor.read() == (MISSING, None, "first after waking")


def check_scd41_wakes_at_the_second_try():
    _, sensor = awake({}, deaf=1)
    assert sensor.start()[0] == VALID
    _, sensor = awake({}, deaf=2)
    assert sensor.start() == (FAULT, None, "no answer")


def check_scd41_stops_what_runs_before_it_starts():
    device, sensor = awake({})
    accept, periodic = device.write, [True]

    def write(data):
        if data == b"\x3f\x86":
            periodic[0] = False
        elif periodic[0] and data != b"\x36\xf6":
            raise OSError(19)
        accept(data)

    device.write = write
    assert sensor.start()[0] == VALID
    assert device.log == [b"\x3f\x86", b"\x36\x82", b"\x21\xb1"]


def check_scd41_not_ready_crc_range():
    device, sensor = awake({0xE4B8: unhexlify("8000a2"), 0xEC05: SCD_RAW})
    sensor.start()
    assert sensor.read() == (MISSING, None, "not ready")
    device.answers[0xE4B8] = unhexlify("800604")
    sensor.read()
    device.answers[0xEC05] = spoilt(SCD_RAW)
    assert sensor.read() == (FAULT, None, "crc")
    device.answers[0xEC05] = words(struct.pack(">3H", 40_001, 1, 1))
    assert sensor.read() == (FAULT, None, "range")


def check_scd41_pressure_single_shot_and_stop_bytes():
    device, sensor = awake({})
    sensor.start(scd41.SINGLE_SHOT)
    sensor.trigger()
    sensor.set_pressure(101_325)
    assert sensor.stop()[0] == VALID
    pressure = b"\xe0\x00" + words(struct.pack(">H", 1013))
    assert device.log[1:] == [b"\x21\x9d", b"\x21\x9d", pressure, b"\x3f\x86", b"\x36\xe0"]


def check_scd41_setup():
    recorded = {}
    for entry in VECTORS["scd41"]["registers"]:
        if "r" in entry:
            recorded[int(entry["w"], 16)] = unhexlify(entry["r"])
    device = at(0x62, Words(recorded))
    setup = scd41_setup.Setup(machine.I2C())
    assert setup.wake() == (VALID, unhexlify("73b1eb073b0c"), "")
    assert setup.get(scd41_setup.ASC_TARGET_PPM) == (VALID, 400, "")
    assert setup.get(scd41_setup.ASC_STANDARD_PERIOD_H) == (VALID, 156, "")
    assert setup.set(scd41_setup.ALTITUDE_M, 1604)[0] == VALID
    assert device.log[-1] == unhexlify("2427064422")
    assert setup.set(scd41_setup.ASC_ENABLED, 0)[0] == VALID
    assert device.log[-1] == unhexlify("2416000081")


def check_scd41_recalibration_and_self_test():
    device = at(0x62, Words({0x362F: words(b"\x7f\xce"), 0x3639: words(b"\0\0")}))
    setup = scd41_setup.Setup(machine.I2C())
    assert setup.recalibrate(420) == (VALID, -50, "")
    assert setup.self_test() == (VALID, 0, "")
    device.answers[0x362F] = words(b"\xff\xff")
    device.answers[0x3639] = words(b"\0\x04")
    assert setup.recalibrate(420) == (FAULT, None, "refused")
    assert setup.self_test() == (FAULT, None, "self-test 0x4")


# -- BME280 --


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


run(globals())
