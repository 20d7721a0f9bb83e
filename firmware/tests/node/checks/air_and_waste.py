# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
import struct
import time

import machine
from runner import run

from revier_node import board, kinds
from revier_node.kinds import air, waste
from revier_node.sensors.sensirion import crc8

BOARD = {
    "battery": {"adc": 1, "enable": {"pin": 37, "on": 0}, "divider_percent": 490},
    "i2c": {"id": 0, "scl": 1, "sda": 2, "freq": 100_000},
    "uart": {"id": 1, "tx": 4, "rx": 5},
    "kinds": {
        "air": {
            "power": {"pin": 36, "on": 0},
            "boost": {"pin": 6, "on": 1},
            "sps30": {"bus": "i2c", "addr": 0x69},
            "bme280": {"addr": 0x76},
        },
        "waste": {"power": {"pin": 36, "on": 0}, "a02yyuw": {"bus": "uart"}},
    },
}


def words(data):
    out = b""
    for i in range(0, len(data), 2):
        out += data[i : i + 2] + bytes((crc8(data, i, i + 2),))
    return out


class Sps30:
    """A new value each second from the start on; `nc4` decides how long it warms up."""

    def __init__(self, nc4=500.0, frozen=False, status=0):
        self.nc4 = nc4
        self.frozen = frozen
        self.status = status
        self.started_us = None
        self.read_us = 0
        self.reads = 0
        self.fan_on_us = 0
        self.command = 0

    def write(self, data):
        assert machine.levels[6] == 1
        assert machine.levels[36] == 0
        self.command = data[0] << 8 | data[1]
        if self.command == 0x0010:
            self.started_us = self.read_us = time.now_us
        elif self.command == 0x0104:
            self.fan_on_us = time.now_us - self.started_us

    def read(self, length):
        if self.command == 0x0202:
            return words(bytes((0, 1 if time.now_us - self.read_us >= 1_000_000 else 0)))
        if self.command == 0xD206:
            return words(struct.pack(">I", self.status))
        self.read_us = time.now_us
        self.reads += 1
        wobble = 0.0 if self.frozen else self.reads % 3 * 0.1
        spike = 500.0 if self.reads == 5 and not self.frozen else 0.0
        masses = [5.0 + wobble, 10.0 + wobble + spike, 11.0 + wobble, 12.0 + wobble]
        return words(struct.pack(">10f", *(masses + [1.0, 1.0, 1.0, self.nc4, 1.0, 0.5])))


def sense_air(sensor):
    machine.devices.clear()
    machine.levels.clear()
    if sensor:
        machine.devices[0x69] = sensor
    wake = kinds.Wake(BOARD, "air", 300_000, 0, False, b"")
    ((port, values),) = air.sense(wake)
    assert port == air.F_PORT
    assert machine.levels[6] == 0
    assert machine.levels[36] == 1
    return wake, values


def check_air_median_of_the_samples():
    sensor = Sps30()
    wake, values = sense_air(sensor)
    assert values["pm1"] == 51
    assert values["pm25"] == 101  # the spike of 500 is not in it
    assert sensor.reads == 11
    assert "temperature" not in values  # no BME280 on this bus
    assert wake.flags == kinds.SENSOR_FAULT


def check_air_warms_up_longer_in_clean_air():
    dirty, clean = Sps30(500.0), Sps30(20.0)
    sense_air(dirty)
    sense_air(clean)
    assert 26_000_000 < dirty.fan_on_us < 28_000_000
    assert 40_000_000 < clean.fan_on_us < 42_000_000


def check_air_without_sps30_is_missing_and_a_fault():
    wake, values = sense_air(None)
    assert values.get("pm25") is None
    assert wake.flags & kinds.SENSOR_FAULT


def check_air_frozen_value_is_a_fault():
    wake, values = sense_air(Sps30(frozen=True))
    assert values.get("pm25") is None
    assert wake.flags & kinds.SENSOR_FAULT


def check_air_fan_fault_is_told():
    wake, values = sense_air(Sps30(status=1 << 21))
    assert values["pm25"] == 101
    assert wake.flags & kinds.FAN_OR_LASER_FAULT


class Echoes:
    """Frames every 150 ms, one of the list after the other; None is silence."""

    def __init__(self, distances):
        self.distances = list(distances)
        self.next_us = time.now_us + 150_000
        self.here = b""

    def any(self):
        while time.now_us >= self.next_us:
            self.next_us += 150_000
            mm = self.distances.pop(0) if self.distances else None
            if mm is not None:
                body = bytes((0xFF, mm >> 8, mm & 255))
                self.here += body + bytes((sum(body) & 255,))
        return len(self.here)

    def read(self, n):
        out, self.here = self.here[:n], self.here[n:]
        return out or None


def sense_waste(distances):
    machine.uarts[1] = Echoes([1000, 1000, 1000] + list(distances))  # heard during power-up
    wake = kinds.Wake(BOARD, "waste", 1_800_000, 0, False, b"")
    ((port, values),) = waste.sense(wake)
    assert port == waste.F_PORT
    assert machine.levels[36] == 1
    return values


def check_waste_cluster_and_quality():
    values = sense_waste([800, 810, 300, 805, 795, 0, 1500, 800, 790])
    assert values["distance"] == 800
    assert values["quality"] == 5 * 5 // 7
    assert values["flags"] == 0
    assert sense_waste([800] * 7)["quality"] == 5


def check_waste_no_echo_is_missing_not_a_fault():
    values = sense_waste([0] * 11)
    assert values["distance"] is None
    assert values["flags"] == 0


def check_waste_silent_sensor_is_a_fault_and_ends_early():
    before = time.now_us
    values = sense_waste([])
    assert values["flags"] == waste.FLAG_SENSOR_FAULT
    assert time.now_us - before < 2_500_000


def check_battery_through_the_divider():
    machine.levels.clear()
    machine.adc_uv[0] = 765_306
    assert board.battery_mv(BOARD) == 3748
    assert 37 not in machine.levels  # switched off again
    machine.adc_uv[0] = 0
    assert board.battery_mv(BOARD) is None
    assert board.battery_mv({}) is None


if __name__ == "__main__":
    run(globals())
