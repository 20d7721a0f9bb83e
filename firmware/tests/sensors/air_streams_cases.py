# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Byte streams as they come: torn, stale, noisy; and values at the limits of their ranges."""

import struct
from binascii import unhexlify

from air_vectors_cases import VECTORS

from revier_node.sensors import (
    FAULT,
    MISSING,
    VALID,
    Repeats,
    pms5003,
    scd41,
    sds011,
    sen55,
    shdlc,
    sps30,
)
from revier_node.sensors.line import Frames

PMS = unhexlify(VECTORS["pms5003"]["vectors"][0]["frame"])
SDS = unhexlify(VECTORS["sds011"]["vectors"][0]["frame"])
SPS = unhexlify(VECTORS["sps30"]["vectors"][0]["shdlc_frame"])


def pms_frames():
    return Frames(pms5003.measure, pms5003.FRAME_BYTES)


def sds_frames():
    return Frames(sds011.measure, sds011.FRAME_BYTES)


def noise(count, seed):
    """The same pseudo-random bytes on every interpreter."""
    out = bytearray()
    for _ in range(count):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        out.append(seed >> 16 & 0xFF)
    return bytes(out)


def case_frames_are_found_from_every_offset():
    for make, frame in ((pms_frames, PMS), (sds_frames, SDS)):
        for cut in range(len(frame)):
            assert make().feed(frame[cut:] + frame + frame) == [frame] * (3 if cut == 0 else 2), cut


def case_frames_come_byte_by_byte():
    for make, frame in ((pms_frames, PMS), (sds_frames, SDS)):
        frames = make()
        got = [frames.feed(bytes((byte,))) for byte in frame]
        assert got == [[]] * (len(frame) - 1) + [[frame]]


def case_a_torn_frame_costs_no_whole_one():
    for make, frame in ((pms_frames, PMS), (sds_frames, SDS)):
        for cut in range(1, len(frame)):
            assert make().feed(frame[:cut] + frame) == [frame], cut


def case_a_wrong_checksum_costs_one_frame():
    for make, frame in ((pms_frames, PMS), (sds_frames, SDS)):
        wrong = bytearray(frame)
        wrong[5] ^= 1
        assert make().feed(bytes(wrong) + frame) == [frame]


def case_heads_before_the_frame():
    assert pms_frames().feed(b"\x42\x42\x4d\x42\x4d\x00" + PMS) == [PMS]
    assert pms_frames().feed(b"\x42\x4d\x00\x1c" + PMS) == [PMS]
    assert sds_frames().feed(b"\xaa\xaa\xc0\xaa" + SDS) == [SDS]


def case_a_length_that_is_none_is_dropped_at_once():
    assert pms_frames().feed(b"\x42\x4d\xff\xff" + PMS) == [PMS]
    assert pms_frames().feed(b"\x42\x4d\x00\x14" + PMS) == [PMS]  # a PMS3003's


def case_noise_then_a_frame():
    for seed in range(20):
        before = noise(200, seed)
        assert pms_frames().feed(before + PMS)[-1:] == [PMS]
        assert sds_frames().feed(before + SDS + SDS)[-1:] == [SDS]


def case_answers_and_readings_on_one_line():
    answer = pms5003.command(b"\x00\x04\xe1")[:5] + b"\x00\x01\x74"
    assert len(answer) == pms5003.ANSWER_BYTES
    assert pms_frames().feed(PMS + answer + PMS) == [PMS, answer, PMS]


# -- values --


def pms_frame(words, error=0, version=0x97):
    body = b"\x42\x4d\x00\x1c" + struct.pack(">12H2B", *(tuple(words) + (version, error)))
    return body + struct.pack(">H", sum(body))


def case_pms5003_zero_is_a_value_where_particles_were_counted():
    state, values, _ = pms5003.parse(pms_frame([0] * 6 + [12, 3, 0, 0, 0, 0]))
    assert state == VALID
    assert values[pms5003.PM10] == 0


def case_pms5003_first_frames_after_waking():
    assert pms5003.parse(pms_frame([0] * 12)) == (MISSING, None, "warming up")
    mass_only = [3, 4, 5, 3, 4, 5] + [0] * 6
    assert pms5003.parse(pms_frame(mass_only)) == (MISSING, None, "warming up")


def case_pms5003_whole_range_and_error_code():
    state, values, _ = pms5003.parse(pms_frame([0xFFFF] * 12, error=0x81))
    assert state == VALID
    assert values == (0xFFFF,) * 12 + (0x97, 0x81)


def case_pms5003t_below_zero():
    words = [1, 2, 3, 1, 2, 3, 300, 20, 1, 1, 0x10000 - 123, 987]
    state, values, _ = pms5003.parse(pms_frame(words), True)
    assert state == VALID
    assert values[pms5003.T_TEMPERATURE] == -123
    assert values[pms5003.T_HUMIDITY] == 987
    words[0] = 0xFFFF
    assert pms5003.parse(pms_frame(words), True)[1][0] == 0xFFFF


def sds_frame(pm25, pm10, kind=0xC0):
    body = struct.pack("<HHH", pm25, pm10, 0xD958)
    return bytes((0xAA, kind)) + body + bytes((sum(body) & 0xFF, 0xAB))


def case_sds011_range():
    assert sds011.parse(sds_frame(9_999, 9_999))[1][:2] == (9_999, 9_999)
    assert sds011.parse(sds_frame(9_999, 10_000)) == (FAULT, None, "range")
    assert sds011.parse(sds_frame(10_000, 0)) == (FAULT, None, "range")
    assert sds011.parse(sds_frame(0, 0))[1][:2] == (0, 0)
    assert sds011.parse(sds_frame(1, 1, 0xC5)) == (FAULT, None, "no reading")


def case_sds011_data_may_look_like_head_and_tail():
    frame = sds_frame(0xC0AA % 10_000, 0xABAA % 10_000)
    assert sds_frames().feed(frame[4:] + frame) == [frame]


def case_sps30_not_a_number_negative_length():
    for bad in (float("nan"), -0.5, float("inf"), 1.1e6):
        assert sps30.parse(struct.pack(">10f", *([1.0] * 9 + [bad]))) == (FAULT, None, "range")
    assert sps30.parse(bytes(40))[0] == VALID  # clean air is a value
    assert sps30.parse(bytes(36)) == (FAULT, None, "length")


def case_sen55_unknown_values():
    unknown = struct.pack(">8H", 10, 20, 0xFFFF, 40, 0xFFFF, 0xFFFF, 0xFFFF, 0x7FFF)
    state, ticks, _ = sen55.parse(unknown)
    assert state == VALID
    assert ticks == (10, 20, None, 40, None, -1, None, None)
    assert sen55.parse(struct.pack(">8H", *([0] * 8))) == (VALID, (0,) * 8, "")
    assert sen55.parse(bytes(15)) == (FAULT, None, "length")


def case_scd41_limits():
    assert scd41.parse(struct.pack(">3H", 40_000, 0, 0)) == (VALID, (40_000, -45_000, 0), "")
    assert scd41.parse(struct.pack(">3H", 40_001, 0, 0)) == (FAULT, None, "range")
    assert scd41.parse(struct.pack(">3H", 0, 9, 9)) == (MISSING, None, "nothing measured")
    for word in (0x8000, 0x0000, 0xF800):
        assert not scd41.is_ready(word)
    for word in (0x8006, 0x0001, 0x0400):
        assert scd41.is_ready(word)


# -- SHDLC --


def shdlc_answer(command, state, data):
    """What the device sends, stuffed."""
    content = bytes((0, command, state, len(data))) + data
    content += bytes((~sum(content) & 0xFF,))
    frame = b"\x7e"
    for byte in content:
        frame += bytes((0x7D, byte ^ 0x20)) if byte in b"\x7e\x7d\x11\x13" else bytes((byte,))
    return frame + b"\x7e"


def case_shdlc_every_byte_survives_stuffing():
    for byte in range(256):
        data = bytes((byte,)) * 4
        ((command, state, got),) = shdlc.Frames().feed(shdlc_answer(0x03, byte & 0x7F, data))
        assert (command, state, got) == (0x03, byte & 0x7F, data)
        packed = shdlc.pack(0x80, data)
        assert packed.count(b"\x7e") == 2
        assert b"\x11" not in packed
        assert b"\x13" not in packed


def case_shdlc_datasheet_examples():
    """SPS30 datasheet 2.0, 5.3.7 to 5.3.10: a checksum is 7E itself there.

    Its examples of product type and version have checksums that do not fit their own rule.
    """
    assert shdlc.pack(0x80, b"\x00") == unhexlify("7e008001007d5e7e")
    assert shdlc.pack(0x80, bytes(5)) == unhexlify("7e00800500000000007a7e")
    assert shdlc.pack(0xD2, b"\x00") == unhexlify("7e00d201002c7e")
    interval = unhexlify("7e00800004000000007b7e")
    assert shdlc.Frames().feed(interval) == [(0x80, 0, bytes(4))]
    serial = unhexlify("7e00d000153030303030303030303030303030303030303030005a7e")
    assert shdlc.Frames().feed(serial) == [(0xD0, 0, b"00000000000000000000\0")]
    status = unhexlify("7e00d200050000000000287e")
    assert shdlc.Frames().feed(status) == [(0xD2, 0, bytes(5))]


def case_shdlc_every_wrong_byte_is_refused():
    for i in range(1, len(SPS) - 1):
        for flip in (0x01, 0x20, 0x80):
            wrong = bytearray(SPS)
            wrong[i] ^= flip
            assert shdlc.Frames().feed(bytes(wrong)) == [], (i, flip)


def case_shdlc_from_every_offset_and_torn():
    whole = shdlc.Frames().feed(SPS)
    assert len(whole) == 1
    for cut in range(1, len(SPS) - 1):
        assert shdlc.Frames().feed(SPS[cut:] + SPS) == whole, cut
        assert shdlc.Frames().feed(SPS[:cut] + SPS) == whole, cut
    # one flag may end a frame and begin the next
    assert shdlc.Frames().feed(SPS[:-1] + SPS) == whole * 2


def case_shdlc_longer_than_any_answer():
    frames = shdlc.Frames()
    assert frames.feed(b"\x7e" + bytes(1_000)) == []
    assert len(frames._content) <= 45
    assert frames.feed(b"\x7e" + SPS) == shdlc.Frames().feed(SPS)
    assert shdlc.Frames().feed(shdlc_answer(3, 0, bytes(40))) == [(3, 0, bytes(40))]
    assert shdlc.Frames().feed(shdlc_answer(3, 0, bytes(41))) == []


def case_frozen_at_its_limit():
    repeats = Repeats(3)
    assert [repeats.frozen(raw) for raw in (b"a", b"b", b"b", b"b", b"b", b"c")] == [
        False, False, False, False, True, False]  # fmt: skip
