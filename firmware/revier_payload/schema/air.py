# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What an air quality node sends. Rules in schema/__init__.py."""

from revier_payload.schema.fields import (
    NODE_FLAGS,
    Counter,
    Field,
    Flags,
    Linear,
    Log,
    Message,
    battery,
    seq,
)


def _pm(name: str, size: str) -> Log:
    # SPS30 datasheet: precision is the larger of 5 ug/m3 and 5 % (10 % for PM4 and PM10);
    # steps of 0.3 ug/m3 up to 19 and of 1.6 to 3.1 % above lose nothing that was measured.
    meaning = "particles up to " + size + ", mass"
    return Log(name, 8, "ug/m3", meaning, mantissa_bits=5, step=3, denominator=10)


def _status() -> Flags:
    return Flags("status", 5, "node status", NODE_FLAGS + ("fan_or_laser_fault",))


_PARTICLES = (_pm("pm1", "1 um"), _pm("pm25", "2.5 um"), _pm("pm4", "4 um"), _pm("pm10", "10 um"))
_CLIMATE = (
    Linear("temperature", 9, "Cel", "air temperature", 2, -300, denominator=10),
    Linear("humidity", 7, "%", "relative humidity", maximum=100),
    Linear("pressure", 9, "hPa", "air pressure", 5, 8500, denominator=10),
)
_GASES = (
    Linear("voc", 7, "1", "VOC index", 4, maximum=500),
    Log("nox", 6, "1", "NOx index", mantissa_bits=3, maximum=512),
)
_CO2_MEANING = "carbon dioxide, mole fraction in air"

AIR = Message(
    10,
    "air",
    "air",
    "Air quality reading",
    (seq(9),) + _PARTICLES + _CLIMATE + _GASES + (battery(), _status()),
)

AIR_CO2 = Message(
    12,
    "air_co2",
    "air",
    "Air quality reading of a node with a CO2 sensor instead of VOC and NOx",
    (seq(9),)
    + _PARTICLES
    + _CLIMATE
    # SCD41 datasheet: 0 to 40000 ppm out, accuracy stated for 400 to 5000 ppm
    + (Linear("co2", 13, "[ppm]", _CO2_MEANING), battery(), _status()),
)

# A batch's channels in their order on the air. The fields of AIR behind `seq` are the first nine of
# them, code by code, so that a node copies them out of the readings that it stored.
_CO2 = Linear("co2", 9, "[ppm]", _CO2_MEANING, 10)
CHANNELS: "tuple[Field, ...]" = _PARTICLES + _CLIMATE + _GASES + (_CO2,)

TIME_BITS = 22
AIR_BATCH = Message(
    11,
    "air_batch",
    "air",
    "Readings at even distances with consecutive sequence numbers, packed as a block",
    (
        Counter("seq", 32, "the whole reading sequence of the first sample"),
        Linear("time", TIME_BITS, "s", "when the first sample was measured: low bits of Unix time"),
        Linear("samples", 4, "1", "how many", minimum=1),
        Linear("interval", 6, "s", "from one sample to the next", 30, 30),
        Linear("level", 6, "1", "how coarse: see below"),
        battery(),
        _status(),
        Flags("channels", 10, "which are sent", tuple([field.name for field in CHANNELS])),
        Flags("gaps", 1, "some sample of some channel is not valid", ("gaps",)),
    ),
    body="batch",
)
