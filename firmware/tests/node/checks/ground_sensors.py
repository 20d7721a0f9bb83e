# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Parking and waste sensors: what they make of registers. Their buses: hil_tests/tests/drivers."""

import json
import os
from binascii import unhexlify

from runner import raises, run

from revier_node.sensors import FAULT, MISSING, VALID, lis3dh, mmc5603, qmc5883l, vl53l1x

with open(os.getenv("VECTORS").replace("sensors.json", "parking_waste.json")) as file:
    VECTORS = json.load(file)


def close(got, want, tolerance):
    assert len(got) == len(want) == 3
    for a, b in zip(got, want):  # noqa: B905
        assert abs(a - b) <= tolerance, (got, want)


# -- QMC5883L --


def qmc_range(vector):
    ranges = {2: qmc5883l.RANGE_2_GAUSS, 8: qmc5883l.RANGE_8_GAUSS}
    return ranges[vector["range_gauss"]]


def check_qmc5883l_vectors():
    vectors = VECTORS["qmc5883l"]["vectors"]
    assert len(vectors) == 3
    for vector in vectors:
        data = unhexlify(vector["regs_00_05"])
        field = qmc5883l.field_nt(data, qmc_range(vector))
        close(field, [ut * 1000 for ut in vector["ut"]], 0.6)
        outcome = qmc5883l.parse(data + b"\x01", qmc_range(vector))
        if vector["overflow"]:
            assert outcome == (FAULT, None, "overflow")
        else:
            assert outcome == (VALID, field, "")


def check_qmc5883l_overflow_bit_wins_over_plausible_numbers():
    data = unhexlify(VECTORS["qmc5883l"]["vectors"][0]["regs_00_05"])
    assert qmc5883l.parse(data + b"\x03", 0) == (FAULT, None, "overflow")
    assert qmc5883l.parse(data + b"\x05", 0)[0] == VALID  # skipped samples are no fault


# -- MMC5603 --


def check_mmc5603_vectors():
    vectors = VECTORS["mmc5603"]["vectors"]
    assert len(vectors) == 3
    for vector in vectors:
        field = mmc5603.to_nt(mmc5603.digits(unhexlify(vector["regs_00_08"])))
        close(field, [ut * 1000 for ut in vector["ut"]], 0.5)


def check_mmc5603_clipped_at_both_ends_only():
    for text, want in (
        ("000080008000000000", True),
        ("ffff80008000f00000", True),
        ("ffff80008000e00000", False),
        ("000080008000100000", False),
        ("8000800000000000f0", False),
    ):
        assert mmc5603.clipped(mmc5603.digits(unhexlify(text))) == want, text


# -- VL53L1X --


def result(status=9, stream=1, raw=1000):
    data = bytearray(17)
    data[0], data[2] = status, stream
    data[13], data[14] = raw >> 8, raw & 0xFF
    return data


def check_vl53l1x_vectors():
    vectors = VECTORS["vl53l1x"]["vectors"]
    assert len(vectors) == 4
    for vector in vectors:
        assert vl53l1x.range_mm(vector["raw_0x0096"]) == vector["range_mm"]
    assert vl53l1x.parse(result(raw=1000)) == (VALID, 982, "")


def check_vl53l1x_every_status_of_the_map():
    names = VECTORS["vl53l1x"]["range_status_map"]
    expected = {"RangeValid": VALID, "HardwareFail": FAULT}
    seen = 0
    for codes, name in names.items():
        for code in codes.split("/"):
            state = vl53l1x.parse(result(int(code)))[0]
            assert state == expected.get(name, MISSING), (code, name, state)
            seen += 1
    assert seen == 13
    for status in range(32):
        outcome = vl53l1x.parse(result(status))
        assert (outcome[1] is not None) == (outcome[0] == VALID)
    assert vl53l1x.parse(result(0)) == (FAULT, None, "hardware 0")


def check_vl53l1x_first_range_and_limits():
    assert vl53l1x.parse(result(stream=0)) == (MISSING, None, "unchecked")
    assert vl53l1x.parse(result(raw=40))[2] == "below minimum"  # 39 mm
    assert vl53l1x.parse(result(raw=41)) == (VALID, 40, "")
    assert vl53l1x.parse(result(raw=4073)) == (VALID, 3999, "")
    assert vl53l1x.parse(result(raw=4074)) == (VALID, 4000, "")
    assert vl53l1x.parse(result(raw=4075))[2] == "out of bounds"
    assert vl53l1x.parse(result(raw=0xFFFF))[2] == "out of bounds"
    assert vl53l1x.parse(result(9 | 0xE0)) == (VALID, 982, "")  # other bits of the byte


# -- LIS3DH --


def check_lis3dh_vectors():
    vectors = VECTORS["lis3dh"]["vectors"]
    assert len(vectors) == 3
    for vector in vectors:
        state, field, _ = lis3dh.parse(unhexlify(vector["regs_28_2D"]), vector["range_g"])
        assert state == VALID
        close(field, [g * 1000 for g in vector["g"]], 0.5)


def check_lis3dh_scales_and_clipping():
    data = unhexlify("403e00000000")  # 996 digits
    for scale_g, mg in ((2, 996), (4, 1992), (8, 3984), (16, 11952)):
        assert lis3dh.parse(data, scale_g) == (VALID, (mg, 0, 0), "")
    for text in ("f07f00000000", "008000000000", "00000080f07f"):
        assert lis3dh.parse(unhexlify(text)) == (FAULT, None, "overflow"), text


def check_lis3dh_tilt():
    up = (0, 0, 1000)
    for now, degrees in (
        ((0, 0, 1000), 0),
        ((0, 0, -1000), 180),
        ((1000, 0, 0), 90),
        ((0, -980, 0), 90),
        ((500, 0, 866), 30),
        ((0, 866, 500), 60),
        ((-707, 0, -707), 135),
        ((87, 0, 996), 5),
        ((17, 0, 1000), 1),
        ((0, 0, 0), 0),
    ):
        assert abs(lis3dh.tilt_deg(now, up) - degrees) <= 1, (now, degrees)
    assert lis3dh.tilt_deg((3, 4, 5), (3, 4, 5)) == 0
    assert 85 <= lis3dh.tilt_deg((2000, -2000, 0), (2000, 2000, 10)) <= 95  # no overflow at 2 g


def check_lis3dh_shock_beyond_its_register_is_refused():
    sensor = lis3dh.Lis3dh(None)
    for mg in (-1, 127 * 16 + 1):
        raises(ValueError, sensor.arm, (0, 0, 1000), mg)


run(globals())
