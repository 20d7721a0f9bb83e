# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The two packets that come by the thousand, in half of the codec's time. M5 = OASIS MQTT 5.0."""

from __future__ import annotations

PUBLISH_QOS1 = 0x32
RETAIN = 0x01
# 18 bytes of properties (M5 3.3.2.3): content type (0x03) "application/json".
JSON = b"\x13\x03\x00\x10application/json"
TWO_BYTES_MAX = 0x3FFF


def publish(topic: bytes, payload: bytes, packet_id: int, retain: bool | int) -> bytes:
    """PUBLISH of JSON with QoS 1 (M5 3.3); topic in UTF-8, at most 65,535 bytes."""
    length = len(topic)
    rest = length + len(payload) + 4 + len(JSON)
    head = PUBLISH_QOS1 | RETAIN if retain else PUBLISH_QOS1
    if 0x7F < rest <= TWO_BYTES_MAX:
        return b"%c%c%c%c%c%b%c%c%b%b" % (
            head,
            rest & 0x7F | 0x80,
            rest >> 7,
            length >> 8,
            length & 0xFF,
            topic,
            packet_id >> 8,
            packet_id & 0xFF,
            JSON,
            payload,
        )
    variable = length.to_bytes(2, "big") + topic + packet_id.to_bytes(2, "big") + JSON
    return bytes([head]) + _length(rest) + variable + payload


def pubacks(packet_ids: list[int]) -> bytes:
    """PUBACK without properties (M5 3.4), one after the other."""
    return b"".join([b"\x40\x02" + one.to_bytes(2, "big") for one in packet_ids])


def _length(value: int) -> bytes:
    """M5 1.5.5."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
