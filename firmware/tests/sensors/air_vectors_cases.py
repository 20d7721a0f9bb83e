# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Published bytes of the air sensors -> values (vectors/air.json names the source of each)."""

import json
from binascii import unhexlify

from revier_node.sensors import (
    FAULT,
    MISSING,
    VALID,
    bme280,
    pms5003,
    scd41,
    scd41_setup,
    sds011,
    sen55,
    sensirion,
    shdlc,
    sps30,
)

HERE = __file__.rsplit("/", 1)[0]
with open(HERE + "/vectors/air.json") as file:
    VECTORS = json.load(file)


def vectors(group, count):
    found = VECTORS[group]["vectors"]
    assert len(found) >= count
    return found


def close(a, b, tolerance):
    assert abs(a - b) <= tolerance, (a, b)


def value(outcome):
    state, values, reason = outcome
    assert (state, reason) == (VALID, ""), outcome
    return values


def words(text):
    data = sensirion.unpack_words(unhexlify(text))
    assert data is not None, text
    return data


def case_sensirion_crc():
    for pair in vectors("sensirion_crc8", 15):
        data = unhexlify(pair["data"])
        assert sensirion.crc8(data, 0, 2) == unhexlify(pair["crc"])[0], pair


# -- SPS30 --

SPS30_KEYS = ("pm1_0", "pm2_5", "pm4_0", "pm10", "nc0_5", "nc1_0", "nc2_5", "nc4_0", "nc10")


def check_sps30(data, vector):
    values = value(sps30.parse(data))
    assert len(values) == 10
    for i in range(10):
        key = (SPS30_KEYS + ("typ_size_um",))[i]
        assert values[i] == vector["decoded_exact"][key], key


def case_sps30_i2c():
    for vector in vectors("sps30", 7):
        check_sps30(words(vector["i2c_0x0300_equivalent_derived"]), vector)


def case_sps30_uart():
    for vector in vectors("sps30", 7):
        ((command, state, data),) = shdlc.Frames().feed(unhexlify(vector["shdlc_frame"]))
        assert (command, state) == (0x03, 0)
        check_sps30(data, vector)


def case_sps30_uart_errors_and_commands():
    not_now, no_data = VECTORS["sps30"]["error_frames"]
    assert shdlc.Frames().feed(unhexlify(not_now["frame"])) == [(0x00, shdlc.NOT_NOW, b"")]
    assert shdlc.Frames().feed(unhexlify(no_data["frame"])) == [(0x03, 0, b"")]
    commands = VECTORS["sps30"]["commands"]
    assert shdlc.pack(0x00, b"\x01\x03") == unhexlify(commands["start_float"])
    assert shdlc.pack(0x01) == unhexlify(commands["stop"])
    assert shdlc.pack(0x03) == unhexlify(commands["read"])


# -- SEN55 --


def case_sen55():
    names = ("pm1_0", "pm2_5", "pm4_0", "pm10", "rh", "temp", "voc", "nox")
    steps = (10, 10, 10, 10, 100, 200, 10, 10)
    for vector in vectors("sen5x", 3):
        outcome = sen55.parse(words(vector["read_0x03C4"]))
        if vector.get("all", 0) is None:
            assert outcome == (MISSING, None, "nothing measured")
            continue
        got = value(outcome)
        for i in range(8):
            want = vector[names[i]]
            if want is None:
                assert got[i] is None
                continue
            tick = vector["ticks"][i]
            assert got[i] == (tick - 65536 if i == sen55.TEMPERATURE and tick > 32767 else tick)
            close(got[i] / steps[i], want, 1e-9)


def case_sen55_status():
    bits = {
        "fan_error": sen55.STATUS_FAN,
        "laser_error": sen55.STATUS_LASER,
        "sht_error": sen55.STATUS_RHT,
        "sgp_error": sen55.STATUS_GAS,
        "fan_cleaning": sen55.STATUS_CLEANING,
        "fan_speed_out_of_specs": sen55.STATUS_FAN_SPEED,
    }
    for vector in VECTORS["sen5x"]["device_status_0xD206"]:
        register = int(vector["value"], 16)
        known = register & (sen55.STATUS_ERRORS | sen55.STATUS_CLEANING)
        assert known == sum([bits[name] for name in vector["flags"]]), vector


# -- PMS5003 --


def case_pms5003():
    for vector in vectors("pms5003", 7):
        got = value(pms5003.parse(unhexlify(vector["frame"])))
        counts = vector["counts_per_0_1L"]
        masses = [
            vector[kind][size] for kind in ("cf1", "atm") for size in ("pm1_0", "pm2_5", "pm10")
        ]
        sizes = ("gt0_3", "gt0_5", "gt1_0", "gt2_5", "gt5_0", "gt10")
        assert list(got[:12]) == masses + [counts[size] for size in sizes]
        assert got[pms5003.VERSION] == vector["version"]
        assert got[pms5003.ERROR] == vector["error_code"]


def case_pms5003_all_zero_is_no_reading():
    (negative,) = VECTORS["pms5003"]["negative"]
    assert pms5003.parse(unhexlify(negative["frame"])) == (MISSING, None, "warming up")


def case_pms5003_commands():
    commands = VECTORS["pms5003"]["commands"]
    for name, code in (
        ("passive_mode", b"\xe1\x00\x00"),
        ("active_mode", b"\xe1\x00\x01"),
        ("read_passive", b"\xe2\x00\x00"),
        ("sleep", b"\xe4\x00\x00"),
        ("wake", b"\xe4\x00\x01"),
    ):
        assert pms5003.command(code) == unhexlify(commands[name]), name


def case_pms5003t():
    for vector in vectors("pms5003t", 7):
        got = value(pms5003.parse(unhexlify(vector["frame"]), True))
        atm = vector["atm"]
        assert got[pms5003.PM1 : pms5003.PM10 + 1] == (atm["pm1_0"], atm["pm2_5"], atm["pm10"])
        close(got[pms5003.T_TEMPERATURE] / 10, vector["temperature"], 1e-9)
        close(got[pms5003.T_HUMIDITY] / 10, vector["humidity"], 1e-9)


# -- SDS011 --


def case_sds011():
    for vector in vectors("sds011", 7):
        pm25, pm10, device = value(sds011.parse(unhexlify(vector["frame"])))
        close(pm25 / 10, vector["pm2_5"], 1e-9)
        close(pm10 / 10, vector["pm10"], 1e-9)
        assert device == int(vector["device_id"], 16)


def case_sds011_commands():
    commands = VECTORS["sds011"]["commands"]
    for name, arguments in (
        ("query_data", (4,)),
        ("set_query_mode", (2, 1, 1)),
        ("set_active_mode", (2, 1, 0)),
        ("sleep", (6, 1, 0)),
        ("wake", (6, 1, 1)),
    ):
        assert sds011.command(*arguments) == unhexlify(commands[name]), name


# -- SCD41 --


def check_scd41(vector):
    co2_ppm, temperature, humidity = value(scd41.parse(words(vector["read"])))
    assert co2_ppm == vector["co2_ppm"]
    # 65536 in older datasheets, 65535 in newer: 0.0027 Cel at the end of the range
    close(temperature / 1000, vector["temp_c"], 0.0027)
    close(humidity / 1000, vector["rh"], 0.0027)


def case_scd41():
    for vector in vectors("scd41", 5):
        check_scd41(vector)


def case_scd41_public_tests():
    reading, temperature, humidity = VECTORS["scd41"]["public_test"]
    check_scd41(reading)
    close(scd41.milli_c(int(temperature["temp_ticks"], 16)) / 1000, temperature["temp_c"], 0.0027)
    close(scd41.milli_pct(int(humidity["rh_ticks"], 16)) / 1000, humidity["rh"], 0.0027)


def case_scd41_conversions_are_rounded_exactly():
    for ticks in range(0, 65536, 13):
        close(scd41.milli_c(ticks), 175_000 * ticks / 65536 - 45_000, 0.5001)
        close(scd41.milli_pct(ticks), 100_000 * ticks / 65536, 0.5001)


def case_scd41_transcript():
    wake, start, not_ready, ready, reading = VECTORS["scd41"]["transcript_continuous"]
    assert sensirion.pack_command(0x36F6) == unhexlify(wake["w"])
    assert sensirion.pack_command(scd41.PERIODIC) == unhexlify(start["w"])
    assert not scd41.is_ready(int.from_bytes(words(not_ready["r"]), "big"))
    assert scd41.is_ready(int.from_bytes(words(ready["r"]), "big"))
    assert value(scd41.parse(words(reading["r"])))[0] == 556


def case_scd41_registers():
    """Every setting's command has the recorded bytes, every recorded answer a good CRC."""
    for entry in VECTORS["scd41"]["registers"]:
        sent = unhexlify(entry["w"])
        code = sent[0] << 8 | sent[1]
        if "r" in entry:
            words(entry["r"])
            argument = ()
        else:
            argument = (sent[2] << 8 | sent[3],)
        assert sensirion.pack_command(code, argument) == sent
    by_command = {entry["w"][:4]: entry for entry in VECTORS["scd41"]["registers"]}
    for setting, text in (
        (scd41_setup.TEMPERATURE_OFFSET[0], "2318"),
        (scd41_setup.ALTITUDE_M[0], "2322"),
        (scd41_setup.ALTITUDE_M[1], "2427"),
        (scd41_setup.PRESSURE_HPA[1], "e000"),
        (scd41_setup.ASC_ENABLED[0], "2313"),
        (scd41_setup.ASC_ENABLED[1], "2416"),
        (scd41_setup.ASC_TARGET_PPM[0], "233f"),
        (scd41_setup.ASC_INITIAL_PERIOD_H[0], "2340"),
        (scd41_setup.ASC_STANDARD_PERIOD_H[0], "234b"),
        (scd41_setup.VARIANT[0], "202f"),
    ):
        assert text in by_command
        assert setting == int(text, 16)
    offset = int.from_bytes(words(by_command["2318"]["r"]), "big")
    assert offset == scd41_setup.offset_ticks(4_000)
    close(scd41_setup.offset_milli_c(offset), 4_000, 1)
    variant = int.from_bytes(words(by_command["202f"]["r"]), "big")
    assert variant & scd41_setup.VARIANT_MASK == scd41_setup.SCD40


# -- BME280 --


def calibration(index):
    blob = VECTORS["bme280"]["calibrations"][index]
    return bme280.parse_calibration(unhexlify(blob["regs_88_A1"]), unhexlify(blob["regs_E1_E7"]))


def case_bme280_bit_exact_to_boschs_integer_code():
    for vector in vectors("bme280", 16):
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


def case_bme280_public_examples():
    for example in VECTORS["bme280"]["public_test"]:
        c = example["calib"]
        names = ["t1", "t2", "t3"] + ["p%d" % i for i in range(1, 10)]
        names += ["h%d" % i for i in range(1, 7)]
        constants = tuple([c.get(name, 0) for name in names])
        t_fine = bme280.fine_temperature(constants, example["raw"]["t"])
        want = example.get("int")
        close(t_fine, want["t_fine"] if want else example["t_fine"], 10)
        celsius = bme280.temperature_centi_c(t_fine)
        assert celsius == (want["temp_centi"] if want else 2508)
        pascal = bme280.pressure_centi_pa(constants, t_fine, example["raw"]["p"]) / 100
        close(pascal, want["press_q24_8"] / 256 if want else example["press_pa"], 1.0)
        if want:
            assert bme280.humidity_q10(constants, t_fine, example["raw"]["h"]) == want["rh_q10"]


def case_bme280_single_channels_missing():
    t, p, h = bme280.compensate(calibration(0), unhexlify("8000008096c07a76"))
    assert (t, p, h) == (2372, None, 66873)
    t, p, h = bme280.compensate(calibration(0), unhexlify("4a52c08096c08000"))
    assert (t, p, h) == (2372, 10094269, None)


# -- one wrong bit --


def case_every_wrong_bit_is_refused():
    frames = (
        (VECTORS["pms5003"]["vectors"][0]["frame"], pms5003.parse, FAULT),
        (VECTORS["sds011"]["vectors"][0]["frame"], sds011.parse, FAULT),
        (VECTORS["scd41"]["vectors"][0]["read"], sensirion.unpack_words, None),
        (VECTORS["sen5x"]["vectors"][0]["read_0x03C4"], sensirion.unpack_words, None),
        (VECTORS["sps30"]["vectors"][0]["i2c_0x0300_equivalent_derived"],
         sensirion.unpack_words, None),
    )  # fmt: skip
    for text, function, refused in frames:
        frame = unhexlify(text)
        for bit in range(len(frame) * 8):
            wrong = bytearray(frame)
            wrong[bit // 8] ^= 1 << bit % 8
            got = function(bytes(wrong))
            assert (got[0] if got else got) == refused, (text, bit)
        for cut in range(1, len(frame)):
            got = function(frame[:cut])
            assert (got[0] if got else got) == refused or (refused is None and cut % 3 == 0)
