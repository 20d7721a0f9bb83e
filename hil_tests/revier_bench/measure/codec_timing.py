# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
# mypy: ignore-errors
"""What codec_speed.py runs on MicroPython: microseconds and bytes allocated of one encode.

micropython codec_timing.py FIRMWARE_DIR
"""

import gc
import sys
import time

ROUNDS = 2000
HOURS = 20
AIR = {
    "seq": 300, "pm1": 72, "pm25": 114, "pm4": 132, "pm10": 138, "temperature": 216,
    "humidity": 63, "pressure": 10130, "voc": 100, "nox": 1, "battery": 3725, "status": 0,
}  # fmt: skip
PARKING = {"seq": 11, "state": 2, "confidence": 2, "dwell": 47}
WASTE = {
    "seq": 99, "distance": 1230, "temperature": 18, "tilt": 0, "quality": 4, "battery": 3600,
    "flags": 0,
}  # fmt: skip
HEAD = {"seq": 1000, "time": 1790000000, "interval": 300, "battery": 3700, "status": 0}


def timed(name, call, rounds):
    """`name microseconds bytes`: allocated counts garbage, `kept` what stays after collecting."""
    call()
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    call()
    allocated = gc.mem_alloc() - before
    gc.enable()
    gc.collect()
    before = gc.mem_alloc()
    for _ in range(10):
        call()
    gc.collect()
    kept = gc.mem_alloc() - before
    started = time.ticks_us()
    for _ in range(rounds):
        call()
    took = time.ticks_diff(time.ticks_us(), started)
    print(name, took / rounds, allocated, kept)  # noqa: T201


def main(firmware_dir):
    sys.path.insert(0, firmware_dir)
    from revier_payload.air import AIR as AIR_PACKER
    from revier_payload.air_batch import codes_of, encode
    from revier_payload.parking import PARKING_EVENT
    from revier_payload.waste import WASTE as WASTE_PACKER

    timed("air", lambda: AIR_PACKER.encode(AIR), ROUNDS)
    timed("parking", lambda: PARKING_EVENT.encode(PARKING), ROUNDS)
    timed("waste", lambda: WASTE_PACKER.encode(WASTE), ROUNDS)
    samples = []
    for n in range(12):
        more = {"pm1": 72 + 3 * (n % 4), "pm25": 114 + 6 * (n % 3), "temperature": 216 + 2 * n}
        samples.append(codes_of(10, AIR_PACKER.encode(dict(AIR, **more))))
    timed("batch of 12", lambda: encode(HEAD, samples, 45), HOURS)
    timed("batch in 36 B", lambda: encode(HEAD, samples, 36), HOURS)


if __name__ == "__main__":
    main(sys.argv[1])
