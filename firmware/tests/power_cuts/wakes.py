# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A parking node's wakes from boot to deep sleep (app.run) through every cut of the power.

    micropython wakes.py PART PARTS [FAULT]

Shipped app, kind, link, driver, MAC and store, on the small world's chip: first join, diagnosis,
heartbeat, an event with MAC commands in its answer, a power loss with its wait and a car in it, a
rejoin. The start after a cut is by power, every other one by the watchdog; the node must speak
again within WAKES_MAX. FAULT breaks the store: lease (counters have none).
"""

import json
import random
import struct
import sys
import time

# machine and esp32 of the node's checks, whose board has everything; this room's have no pins
sys.path.append(sys.path.pop(0))

import esp32
import machine

import chip_memory  # isort: skip

machine.RTC = chip_memory.RTC
esp32.NVS = chip_memory.NVS

import parking_node as place  # noqa: E402
import small_world  # noqa: E402
import survivors  # noqa: E402
import town as other_side  # noqa: E402

from revier_node import app, identity_file, news, radio, seldom, store, waiting  # noqa: E402

identity_file.open = survivors.File
store.LEASE_STEP = store.F_CNT_LEAP = 3  # leases are renewed on the way
WAKES_MAX = 5
DR_AND_CHANNELS = b"\x03\x51\x07\x00\x01"  # LinkADRReq


def quiet(*_):
    pass


for module in (app, news, radio, seldom, waiting):
    module.say = quiet
for module in (radio, seldom, waiting):
    module.random16 = lambda: random.getrandbits(16)


class Air:
    """The town as the small world's network."""

    def __init__(self, town):
        self.town = town
        self.orders = b""  # MAC commands in the next answer
        self.heard = 0

    def hear(self, frame):
        town = self.town
        if frame[0] == 0x00:
            town.exchange += 1
            return [(5_000_000, town.join(frame))]
        net = town.uplink(frame)
        self.heard += 1
        port, data = town.told
        if town.seq is not None and port == 20:
            town.same_reading(town.seq, data)  # an event goes out again (kinds/parking.py)
        elif town.seq is not None and port == 21:
            town.once_reading(town.seq)
        if town.seq is not None and port in (20, 21):
            town.in_step(town.seq)
        f_opts = frame[8 : 8 + (frame[5] & 15)]
        answer, self.orders = self.orders, b""
        if 0x0D in f_opts:
            answer += b"\x0d" + struct.pack("<IB", 1_480_000_000 + time.now_us // 1_000_000, 0)
        if 0x02 in f_opts:
            answer += b"\x02\x14\x01"
        replay = [(1_000_000, town.last_downlink)] if town.last_downlink else []
        if not answer:
            return replay
        town.last_downlink = net.downlink(answer, f_cnt=town.next_f_cnt_down(net))
        return [(2_000_000, town.last_downlink)]


air = Air(None)
sent, saved = radio.Link.send, radio.Link._save


def send(link, f_port, data, seq, confirmed=False):
    air.town.exchange += 1
    air.town.seq = seq
    return sent(link, f_port, data, seq, confirmed)


def save(link, action):
    before = link._kept
    saved(link, action)
    if link._kept != before and link._kept[1] >= 0:
        air.town.effect(*link._kept)


radio.Link.send, radio.Link._save = send, save


def begin(town):
    air.town = town
    air.heard = 0
    machine.spi_chip[0] = small_world.Chip(air)
    machine.devices[0x1E] = place.Magnetometer()


def pin_wake(field):
    machine.devices[0x1E].field = field
    place.wake(reason=machine.EXT1_WAKE)


def lose_power():
    survivors.rtc = b""
    machine.devices[0x1E].lose_power()
    place.wake(machine.PWRON_RESET)


def tale(town, cuts):
    survivors.put((b"", {}, {}))
    small_world.provision()
    begin(town)
    small_world.write_file("/node.json", json.dumps({"kind": "parking", "board": "heltec_v3"}))
    survivors.watch = lambda kind, state: cuts.append(
        (kind, state, town.snapshot(), time.now_us, machine.devices[0x1E].field)
    )
    place.wake(machine.PWRON_RESET)
    air.orders = DR_AND_CHANNELS
    pin_wake(place.CAR)
    place.wake()
    lose_power()  # the cold start's wait
    pin_wake(place.EARTH)
    for _ in range(3):
        place.wake()
    watch, survivors.watch = survivors.watch, None
    memory = store.Store()
    memory.state.unanswered, memory.state.joined_ms = app.UNANSWERED_MAX, 0
    memory.save()
    time.sleep_ms(app.REJOIN_EVERY_MS)
    survivors.watch = watch
    joins = len(town.nonces)
    place.wake()
    assert len(town.nonces) > joins
    place.wake()
    survivors.watch = None


def break_store(fault):
    keep = store.Store.save_session
    if fault == "lease":
        store.Store.save_session = lambda stored, record, f_cnt_up, _, urgent: keep(
            stored, record, f_cnt_up, False, False
        )


def go_on(state, town, now_us, field, cause, counts):
    survivors.put(state)
    time.now_us = now_us
    begin(town)
    air.orders = b""
    machine.devices[0x1E].field = field
    joins = len(town.sessions)
    for _ in range(WAKES_MAX):
        try:
            place.wake(cause)
        except app.UnprovisionedError:
            if state[1]:
                raise other_side.FaultError("identity lost")
            counts["no_identity"] += 1
            return
        if air.heard:
            break
        cause = machine.DEEPSLEEP_RESET
    else:
        raise other_side.FaultError("silent")
    place.wake()
    counts["joined_anew" if len(town.sessions) > joins else "resumed"] += 1


def main(part, parts, fault=""):
    random.seed(1)
    break_store(fault)
    town = other_side.Town()
    town.keys = [small_world.APP_KEY]
    cuts, faults = [], {}
    tale(town, cuts)
    counts = {
        "cuts": 0,
        "kinds": {},
        "stories": 1,
        "resumed": 0,
        "joined_anew": 0,
        "no_identity": 0,
    }
    for kind, state, then, now_us, field in cuts[part::parts]:
        counts["cuts"] += 1
        counts["kinds"][kind] = counts["kinds"].get(kind, 0) + 1
        try:
            cause = (machine.PWRON_RESET, machine.WDT_RESET)[counts["cuts"] & 1]
            go_on(state, then.copy(), now_us, field, cause, counts)
        except (other_side.FaultError, AssertionError) as error:
            name = str(error.args[0]) if error.args else "assertion"
            if not faults:
                sys.print_exception(error)
            faults[name] = faults.get(name, 0) + 1
    counts["faults"] = sum(faults.values())
    counts["what"] = faults
    print(json.dumps(counts))


main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
