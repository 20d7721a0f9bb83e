# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""PMS5003, SDS011 and the SPS30's UART at scripted devices: questions, stale bytes, limits."""

import json
import os
import struct
import time
from binascii import unhexlify

from runner import run
from scripted_devices import Line

from revier_node.sensors import FAULT, MISSING, VALID, pms5003, sds011, shdlc, sps30_uart

with open(os.getenv("FIRMWARE") + "/tests/sensors/vectors/air.json") as file:
    VECTORS = json.load(file)

SPS_FRAME = unhexlify(VECTORS["sps30"]["vectors"][0]["shdlc_frame"])
PMS = [unhexlify(vector["frame"]) for vector in VECTORS["pms5003"]["vectors"]]
SDS = [unhexlify(vector["frame"]) for vector in VECTORS["sds011"]["vectors"]]


def took_ms(call):
    """(outcome, milliseconds)"""
    before = time.now_us
    outcome = call()
    return outcome, (time.now_us - before) // 1000


# -- PMS5003 --


def pms_echo(code):
    body = b"\x42\x4d\x00\x04" + bytes((code[2], code[4]))
    return body + struct.pack(">H", sum(body))


def pms(script, stale=b""):
    """script: question code -> bytes"""
    line = Line(lambda question: script.get(question[2:5], b""), stale)
    return line, pms5003.Pms5003(line)


READ, PASSIVE, SLEEP, WAKE = b"\xe2\0\0", b"\xe1\0\0", b"\xe4\0\0", b"\xe4\0\x01"


def check_pms5003_starts_reads_and_stops():
    script = {WAKE: PMS[0], PASSIVE: pms_echo(b"..\xe1.\0"), READ: PMS[1]}
    script[SLEEP] = pms_echo(b"..\xe4.\0")
    line, sensor = pms(script)
    assert sensor.start() == (VALID, None, "")
    assert sensor.read() == (VALID, (0, 70, None, 70), "")
    assert sensor.status() == (VALID, 0, "")
    assert sensor.stop() == (VALID, None, "")
    assert [question[2:5] for question in line.asked] == [WAKE, PASSIVE, READ, SLEEP]


def check_pms5003_stale_frames_are_not_the_answer():
    _, sensor = pms({READ: PMS[1]}, stale=PMS[0] * 9 + PMS[0][:5])
    assert sensor.read() == (VALID, (0, 70, None, 70), "")


def check_pms5003_its_own_frames_between_question_and_answer():
    _, sensor = pms({SLEEP: PMS[0][7:] + PMS[0] + pms_echo(b"..\xe4.\0")})
    assert sensor.stop() == (VALID, None, "")


def check_pms5003_silence_garbage_and_their_limits():
    outcome, ms = took_ms(pms({})[1].read)
    assert outcome == (FAULT, None, "no answer")
    assert ms <= pms5003.ANSWER_LIMIT_MS + 20
    outcome, ms = took_ms(pms({READ: PMS[0][:31] + b"\0"})[1].read)
    assert outcome == (FAULT, None, "garbled")
    assert ms <= pms5003.ANSWER_LIMIT_MS + 20
    outcome, ms = took_ms(pms({})[1].start)
    assert outcome == (FAULT, None, "no answer")
    assert ms <= 2 * (pms5003.WAKE_LIMIT_MS + pms5003.ANSWER_LIMIT_MS) + 80


def check_pms5003_awake_already_says_nothing_to_wake():
    line, sensor = pms({PASSIVE: pms_echo(b"..\xe1.\0")})
    assert sensor.start() == (VALID, None, "")
    assert len(line.asked) == 2


def check_pms5003_frozen_after_its_limit():
    _, sensor = pms({READ: PMS[0]})
    for _ in range(pms5003.FROZEN_AFTER):
        assert sensor.read()[0] == VALID
    assert sensor.read() == (FAULT, None, "frozen")


def check_pms5003_warming_up_is_missing():
    zero = unhexlify(VECTORS["pms5003"]["negative"][0]["frame"])
    _, sensor = pms({READ: zero})
    assert sensor.read() == (MISSING, None, "warming up")


def check_pms5003t_climate():
    frame = unhexlify(VECTORS["pms5003t"]["vectors"][0]["frame"])
    line = Line(lambda question: frame)
    sensor = pms5003.Pms5003(line, True)
    assert sensor.climate()[0] == MISSING
    assert sensor.read() == (VALID, (220, 350, None, 410), "")
    assert sensor.climate() == (VALID, (2120, None, 224 * 1024 // 10), "")
    _, plain = pms({READ: PMS[0]})
    plain.read()
    assert plain.climate()[0] == MISSING


# -- SDS011 --


def sds_answer(state):
    body = bytes((6, 1, state, 0, 0x58, 0xD9))
    return b"\xaa\xc5" + body + bytes((sum(body) & 0xFF, 0xAB))


def sds(script, stale=b""):
    line = Line(lambda question: script.get((question[2], question[4]), b""), stale)
    return line, sds011.Sds011(line)


def check_sds011_starts_reads_and_stops():
    line, sensor = sds({(6, 1): sds_answer(1), (6, 0): sds_answer(0), (4, 0): SDS[0]})
    assert sensor.start() == (VALID, None, "")
    assert sensor.read() == (VALID, (None, 6, None, 6), "")
    assert sensor.status() == (VALID, 0, "")
    assert sensor.stop() == (VALID, None, "")
    assert [len(question) for question in line.asked] == [19] * 3


def check_sds011_reports_between_question_and_answer():
    line, sensor = sds({(6, 1): SDS[1][4:] + SDS[1] + sds_answer(0) + sds_answer(1)})
    assert sensor.start() == (VALID, None, "")
    assert len(line.asked) == 1


def check_sds011_wakes_at_the_second_try():
    tries = []

    def answer(question):
        tries.append(question)
        return sds_answer(1) if len(tries) == 2 else b""

    sensor = sds011.Sds011(Line(answer))
    assert sensor.start() == (VALID, None, "")


def check_sds011_stale_reports_are_not_the_answer():
    _, sensor = sds({(4, 0): SDS[0]}, stale=SDS[1] * 20)
    assert sensor.read() == (VALID, (None, 6, None, 6), "")


def check_sds011_silence_garbage_and_their_limits():
    outcome, ms = took_ms(sds({})[1].read)
    assert outcome == (FAULT, None, "no answer")
    assert ms <= sds011.ANSWER_LIMIT_MS + 20
    outcome, ms = took_ms(sds({(4, 0): SDS[0][:9]})[1].read)
    assert outcome == (FAULT, None, "garbled")
    outcome, ms = took_ms(sds({})[1].start)
    assert outcome == (FAULT, None, "no answer")
    assert ms <= sds011.TRIES * (sds011.ANSWER_LIMIT_MS + 20)


def sds_frame(pm10):
    body = struct.pack("<HHH", 50, pm10, 0)
    return b"\xaa\xc0" + body + bytes((sum(body) & 0xFF, 0xAB))


def check_sds011_frozen_only_where_it_means_something():
    for pm10, frozen in ((sds011.FROZEN_FROM - 1, False), (sds011.FROZEN_FROM, True)):
        _, sensor = sds({(4, 0): sds_frame(pm10)})
        for _ in range(sds011.FROZEN_AFTER):
            assert sensor.read()[0] == VALID
        assert sensor.read()[0] == (FAULT if frozen else VALID)


# -- SPS30 over UART --


def sps_answer(command, state=0, data=b""):
    content = bytes((0, command, state, len(data))) + data
    frame = b"\x7e"
    for byte in content + bytes((~sum(content) & 0xFF,)):
        frame += bytes((0x7D, byte ^ 0x20)) if byte in b"\x7e\x7d\x11\x13" else bytes((byte,))
    return frame + b"\x7e"


def sps(script, stale=b""):
    """script: command -> bytes"""

    def answer(question):
        content = question.replace(b"\x7d\x31", b"\x11")
        return script.get(content[2], b"") if len(content) > 1 else b""

    line = Line(answer, stale)
    return line, sps30_uart.Sps30Uart(line)


def check_sps30_uart_starts_reads_and_stops():
    script = {code: sps_answer(code) for code in (0x00, 0x01, 0x10, 0x11, 0x56)}
    script[0x03] = SPS_FRAME
    line, sensor = sps(script)
    assert sensor.start() == (VALID, None, "")
    assert sensor.read() == (VALID, (52, 95, 126, 133), "")
    assert sensor.clean() == (VALID, None, "")
    assert sensor.stop() == (VALID, None, "")
    assert line.asked == [
        b"\xff",
        unhexlify("7e007d3100ee7e"),
        unhexlify(VECTORS["sps30"]["commands"]["start_float"]),
        unhexlify(VECTORS["sps30"]["commands"]["read"]),
        unhexlify("7e005600a97e"),
        unhexlify(VECTORS["sps30"]["commands"]["stop"]),
        unhexlify("7e001000ef7e"),
    ]


def check_sps30_uart_empty_answer_is_missing():
    no_data = unhexlify(VECTORS["sps30"]["error_frames"][1]["frame"])
    _, sensor = sps({0x03: no_data})
    assert sensor.read() == (MISSING, None, "not ready")


def check_sps30_uart_not_now_means_it_measures_already():
    not_now = unhexlify(VECTORS["sps30"]["error_frames"][0]["frame"])
    line, sensor = sps({0x00: not_now, 0x01: sps_answer(0x01)})
    assert sensor.start() == (FAULT, None, "state 0x43")
    start = unhexlify(VECTORS["sps30"]["commands"]["start_float"])
    stop = unhexlify(VECTORS["sps30"]["commands"]["stop"])
    assert [question for question in line.asked if question in (start, stop)] == [start, stop] * 2


def check_sps30_uart_status_and_error_flag():
    # DS figure 5: bit 7 of the state says that an error bit is set; the answer is good
    _, sensor = sps({0xD2: sps_answer(0xD2, 0x80, b"\x00\x20\x00\x11\x00")})
    assert sensor.status() == (VALID, 1 << 21 | 1 << 4, "")
    _, sensor = sps({0xD2: sps_answer(0xD2, 0x02)})
    assert sensor.status() == (FAULT, None, "state 0x2")


def check_sps30_uart_late_answer_to_another_question():
    _, sensor = sps({0x03: sps_answer(0x01) + SPS_FRAME}, stale=SPS_FRAME[:20])
    assert sensor.read()[0] == VALID


def check_sps30_uart_silence_garbage_and_their_limits():
    outcome, ms = took_ms(sps({})[1].read)
    assert outcome == (FAULT, None, "no answer")
    assert ms <= shdlc.ANSWER_LIMIT_MS + 20
    outcome, ms = took_ms(sps({0x03: SPS_FRAME[:-3] + b"\x00\x7e"})[1].read)
    assert outcome == (FAULT, None, "garbled")
    assert ms <= shdlc.ANSWER_LIMIT_MS + 20


run(globals())
