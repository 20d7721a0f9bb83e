# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Bytes and airtime of one reading: our schema beside what others send for the same content.

Peers: CayenneLPP (written here from its type table), Milesight-style TLV (channel, type, value, as
in that maker's public decoders), CBOR (cbor2) and MessagePack (msgpack), each as a map with the
field names and as an array, of scaled integers. What a peer has no type for goes into its smallest
fitting integer type, so that every encoding carries all the quantities. Airtime: SF10, EU868.
"""

import importlib
import struct
from collections.abc import Callable
from random import Random
from typing import Any

from revier_bench.payload import hours
from revier_mac.airtime import airtime_us
from revier_payload import air_batch
from revier_payload.codec import decode, encode

OVERHEAD = 13  # MHDR, DevAddr, FCtrl, FCnt, FPort, MIC
BUDGETS = {"parking": 2, "waste": 5, "air": 11}

# fPort and the reading in the schema's resolutions. `seq` is in each: a frame counter is no
# substitute, since it starts again at a rejoin.
READINGS: dict[str, tuple[int, dict[str, int]]] = {
    "parking": (20, {"seq": 11, "state": 2, "confidence": 2, "dwell": 47}),
    "waste": (
        30,
        {"seq": 99, "distance": 1230, "temperature": 18, "tilt": 0, "quality": 4, "battery": 3600,
         "flags": 0},
    ),
    "air": (
        10,
        {"seq": 300, "pm1": 72, "pm25": 114, "pm4": 132, "pm10": 138, "temperature": 216,
         "humidity": 63, "pressure": 10130, "voc": 100, "nox": 1, "battery": 3725, "status": 0},
    ),
}  # fmt: skip

# CayenneLPP: name -> (IPSO type, bytes, integer of the type's resolution). 0x02 analog input.
_LPP = {
    "temperature": (0x67, 2),
    "humidity": (0x68, 1),
    "pressure": (0x73, 2),
    "voc": (0x65, 2),
    "nox": (0x65, 2),
    "state": (0x66, 1),
    "confidence": (0x00, 1),
    "flags": (0x00, 1),
    "status": (0x00, 1),
    "quality": (0x00, 1),
}
_ONE_BYTE = ("state", "confidence", "flags", "status", "quality", "humidity", "battery")


def cayenne_lpp(values: dict[str, int]) -> bytes:
    """Channel, type, big-endian value; 2-byte analog input (0x02) where there is no own type."""
    data = b""
    for channel, (name, value) in enumerate(values.items()):
        kind, size = _LPP.get(name, (0x02, 2))
        data += bytes((channel, kind)) + struct.pack(">h" if size == 2 else ">B", value)
    return data


def milesight_tlv(values: dict[str, int]) -> bytes:
    """Channel, type, little-endian value of one or two bytes (battery: percent in one byte)."""
    data = b""
    for channel, (name, value) in enumerate(values.items()):
        size = 1 if name in _ONE_BYTE else 2
        data += bytes((channel, 0x75)) + min(value, 100 if size == 1 else 0xFFFF).to_bytes(
            size, "little"
        )
    return data


def encoders() -> dict[str, Callable[[dict[str, Any]], bytes]]:
    cbor2 = importlib.import_module("cbor2")
    msgpack = importlib.import_module("msgpack")
    return {
        "CayenneLPP": cayenne_lpp,
        "Milesight TLV": milesight_tlv,
        "CBOR map": cbor2.dumps,
        "CBOR array": lambda values: bytes(cbor2.dumps(list(values.values()))),
        "MessagePack map": msgpack.packb,
        "MessagePack array": lambda values: bytes(msgpack.packb(list(values.values()))),
    }


def airtime_ms(size: int) -> float:
    return airtime_us(OVERHEAD + size, 10, 125000) / 1000


def measure() -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    sizes: dict[str, int] = {}
    peers = encoders()
    best: dict[str, int] = {}
    for name, (f_port, values) in READINGS.items():
        data = encode(f_port, {**values})
        decoded = decode(f_port, data)
        if {name: decoded.values[name] for name in values} != values:
            raise AssertionError(f"{name}: the reading is not representable: {decoded.values}")
        sizes[name] = len(data)
        rows.append(_row(name, "revier", len(data)))
        theirs = {peer: len(encoder(values)) for peer, encoder in peers.items()}
        best[name] = min(theirs.values())
        rows.extend(_row(name, peer, size) for peer, size in theirs.items())
    batch = _batch()
    return {
        "name": "payload-size",
        "value": sizes["air"],
        "unit": "B",
        "budget": "parking <= 2, waste <= 5, air <= 11, an hour of 12 x 8 values <= 45",
        "holds": all(sizes[name] <= budget for name, budget in BUDGETS.items()) and batch <= 45,
        "n": {f"{name}_bytes": size for name, size in sizes.items()} | {"air_hour_bytes": batch},
        "peer": {
            "smallest_other_bytes": best,
            "cayenne_lpp_air_bytes": next(
                row["bytes"]
                for row in rows
                if row["reading"] == "air" and row["encoding"] == "CayenneLPP"
            ),
        },
        "rows": rows,
    }


def _batch() -> int:
    """The longest batch of 100 seeded hours where 45 B are allowed; each has all its values."""
    rng = Random(1)  # noqa: S311 (repeatable)
    longest = 0
    for _ in range(100):
        data = air_batch.encode(hours.HEAD, hours.codes(hours.hour(rng)), 45)
        rows = decode(11, data).rows
        values = [row.values[name] for row in rows for name in list(row.values)[1:9]]
        if len(values) != 96 or None in values:
            raise AssertionError(f"not an hour of eight channels: {data.hex()}")
        longest = max(longest, len(data))
    return longest


def _row(reading: str, encoding: str, size: int) -> dict[str, Any]:
    return {
        "reading": reading,
        "encoding": encoding,
        "bytes": size,
        "sf10_airtime_ms": round(airtime_ms(size), 1),
    }
