# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
import struct

import machine
from runner import run

from revier_node import kinds
from revier_node.kinds import parking

BOARD = {
    "i2c": {"id": 0, "scl": 1, "sda": 2, "freq": 100_000},
    "kinds": {"parking": {"lis2mdl": {"addr": 0x1E, "int": 7}}},
}
HOUR_MS = 3_600_000
EARTH = (130, -40, 300)


class Magnetometer:
    """Output is the field less the offset registers; always a new sample."""

    def __init__(self):
        self.field = EARTH
        self.registers = bytearray(256)
        self.registers[0x4F] = 0x40
        self.armed = 0

    def get(self, register, length):
        if register == 0x67:
            return b"\x08"
        if register == 0x68:
            offset = struct.unpack("<3h", self.registers[0x45:0x4B])
            return struct.pack("<3h", *[f - o for f, o in zip(self.field, offset)])  # noqa: B905
        if register <= 0x64 < register + length:
            self.armed += 1
        return bytes(self.registers[register : register + length])

    def put(self, register, data):
        self.registers[register : register + len(data)] = data


class Bay:
    def __init__(self):
        self.sensor = Magnetometer()
        machine.devices.clear()
        machine.devices[0x1E] = self.sensor
        self.memory = b""
        self.now_ms = 1_000_000
        self.kept = []
        self.seq = 1
        self.heard = True  # else each event goes out again

    def wake(self, field=None, by_pin=False, after_ms=60_000):
        self.now_ms += after_ms
        if field:
            self.sensor.field = field
        wake = kinds.Wake(BOARD, "parking", HOUR_MS, self.now_ms, by_pin, self.memory)
        wake.battery_mv = lambda: 3600
        messages = parking.sense(wake)
        self.memory = wake.memory
        for _, values in messages:
            values.setdefault("seq", self.seq)
            self.seq += 1
        wake.heard = self.heard
        self.next_ms = parking.next_wake_ms(wake)
        self.memory = wake.memory
        self.last = wake
        if wake.keep:
            self.kept.append(wake.memory)
        return messages


CAR = (EARTH[0] + 150, EARTH[1] - 90, EARTH[2] + 60)
NEIGHBOUR = (EARTH[0] + 20, EARTH[1] + 10, EARTH[2])


def check_first_start_takes_the_bay_as_vacant_and_says_so():
    bay = Bay()
    ((port, values),) = bay.wake()
    assert port == parking.F_PORT_HEARTBEAT
    assert values["state"] == parking.VACANT
    assert values["status"] & kinds.UNCALIBRATED
    assert values["battery"] == 3600
    assert bay.sensor.armed
    assert len(bay.kept) == 1
    assert struct.unpack("<3h", bay.sensor.registers[0x45:0x4B]) == EARTH
    assert len(bay.memory) <= 64


def check_arrival_and_departure():
    bay = Bay()
    bay.wake()
    ((port, values),) = bay.wake(CAR, by_pin=True, after_ms=600_000)
    assert port == parking.F_PORT_EVENT
    assert values == {"state": parking.OCCUPIED, "confidence": 2, "dwell": 10, "seq": 2}
    # the car's field is the new 'no change': only its leaving wakes the node
    assert struct.unpack("<3h", bay.sensor.registers[0x45:0x4B]) == CAR
    ((port, values),) = bay.wake(EARTH, by_pin=True, after_ms=3_000_000)
    assert port == parking.F_PORT_EVENT
    assert values == {
        "state": parking.VACANT,
        "confidence": 2,
        "dwell": 50,
        "dwell_2": 10,
        "seq": 3,
    }
    bay.wake(after_ms=HOUR_MS)
    assert not bay.last.flags & kinds.UNCALIBRATED


def check_a_neighbour_is_no_event():
    bay = Bay()
    bay.wake()
    assert bay.wake(NEIGHBOUR, by_pin=True) == []
    assert bay.wake(EARTH, by_pin=True) == []


def check_what_the_neighbours_leave_is_not_held_against_a_departure():
    middle = (EARTH[0] + 60, EARTH[1], EARTH[2])  # 9 uT, far less than the car's 28
    bay = Bay()
    bay.wake()
    bay.wake(CAR, by_pin=True)
    ((_, values),) = bay.wake(middle, by_pin=True)
    assert values["state"] == parking.VACANT


def check_a_small_change_is_looked_at_twice():
    weak = (EARTH[0] + 60, EARTH[1], EARTH[2])
    bay = Bay()
    bay.wake()
    assert bay.wake(weak, by_pin=True) == []
    assert bay.next_ms == bay.now_ms + parking.SECOND_LOOK_MS
    ((port, values),) = bay.wake(weak, after_ms=parking.SECOND_LOOK_MS)
    assert (port, values["state"]) == (parking.F_PORT_EVENT, parking.OCCUPIED)
    bay = Bay()
    bay.wake()
    assert bay.wake(weak, by_pin=True) == []
    assert bay.wake(EARTH, after_ms=parking.SECOND_LOOK_MS) == []  # a tram


def check_an_event_goes_out_again_with_its_sequence_unless_a_downlink_came():
    bay = Bay()
    bay.wake()
    bay.heard = False
    ((_, event),) = bay.wake(CAR, by_pin=True)
    left_ms = bay.next_ms - bay.now_ms
    assert 30_000 <= left_ms <= 90_000
    assert bay.wake(by_pin=True, after_ms=20_000) == []
    ((port, again),) = bay.wake(after_ms=left_ms - 20_000)
    assert (port, again) == (parking.F_PORT_EVENT, event)
    assert bay.next_ms > bay.now_ms + 90_000  # and no third time
    ((_, event),) = bay.wake(EARTH, by_pin=True, after_ms=600_000)
    ((_, newer),) = bay.wake(CAR, by_pin=True, after_ms=20_000)
    assert newer["seq"] != event["seq"]
    assert (newer["dwell_2"], newer["dwell_3"]) == (event["dwell"], event["dwell_2"])
    bay.heard = True
    bay.wake(EARTH, by_pin=True, after_ms=200_000)
    assert bay.next_ms > bay.now_ms + 90_000


def check_messages_have_room_for_what_was_before():
    assert len(parking.MESSAGES[parking.F_PORT_EVENT].encode({"seq": 1})) == 4
    heartbeat = {"seq": 1, "state": 1, "status": 0, "lasting": 60}
    assert len(parking.MESSAGES[parking.F_PORT_HEARTBEAT].encode(heartbeat)) == 3


def check_heartbeat_every_hour_with_the_absolute_state():
    bay = Bay()
    bay.wake()
    first_ms = bay.now_ms
    bay.wake(CAR, by_pin=True)
    assert bay.next_ms == first_ms + HOUR_MS  # events do not put it off
    bay.wake(EARTH, by_pin=True, after_ms=HOUR_MS)
    assert bay.next_ms == bay.now_ms + parking.HEARTBEAT_AFTER_MS
    bay.wake(CAR, by_pin=True)
    ((port, values),) = bay.wake(after_ms=HOUR_MS)
    assert port == parking.F_PORT_HEARTBEAT
    assert values["state"] == parking.OCCUPIED
    assert bay.next_ms == bay.now_ms + HOUR_MS


def check_heartbeat_finds_what_the_interrupt_missed():
    bay = Bay()
    bay.wake()
    ((port, values),) = bay.wake(CAR, by_pin=False, after_ms=HOUR_MS)
    assert (port, values["state"]) == (parking.F_PORT_EVENT, parking.OCCUPIED)


def check_power_loss_with_a_car_above():
    bay = Bay()
    bay.wake()
    kept = bay.kept[0]
    bay.wake(CAR, by_pin=True)
    bay.sensor.registers[0x45:0x4B] = bytes(6)  # the sensor lost its supply too
    bay.memory = kept  # from NVS
    bay.now_ms = 0  # the clock begins anew
    ((port, values),) = bay.wake(CAR)
    assert (port, values["state"]) == (parking.F_PORT_EVENT, parking.OCCUPIED)
    assert values["dwell"] == 0


def check_a_broken_sensor_is_unknown_not_vacant():
    bay = Bay()
    bay.wake()
    machine.devices.clear()
    ((port, values),) = bay.wake(after_ms=HOUR_MS)
    assert port == parking.F_PORT_HEARTBEAT
    assert values["state"] is None
    assert values["status"] & kinds.SENSOR_FAULT


def check_chatter_switches_the_interrupt_off_until_the_heartbeat():
    bay = Bay()
    bay.wake()
    for i in range(parking.CHATTER_OFF + 1):
        assert parking.wake_pins(bay.last) == (7,)
        bay.wake(NEIGHBOUR if i % 2 else EARTH, by_pin=True, after_ms=1000)
    assert parking.wake_pins(bay.last) == ()
    bay.wake(after_ms=HOUR_MS)
    assert parking.wake_pins(bay.last) == (7,)


if __name__ == "__main__":
    run(globals())
