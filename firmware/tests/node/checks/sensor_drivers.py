# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
import json
import os
import time
from binascii import unhexlify

import machine
from runner import run
from scripted_devices import Registers

from revier_node.sensors import FAULT, MISSING, VALID, a02yyuw, lis2mdl

with open(os.getenv("VECTORS")) as file:
    VECTORS = json.load(file)


def close(a, b, tolerance):
    assert abs(a - b) <= tolerance, (a, b)


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
