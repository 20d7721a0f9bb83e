# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Our own packets are the codec's, byte for byte."""

from __future__ import annotations

import mqtt5
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revier_gateway.mqtt import wire

EDGES = [0, 1, 80, 81, 82, 16_330, 16_350, 16_360, 16_361, 16_362, 2_097_200, 300_000]


def by_codec(topic: str, payload: bytes, packet_id: int, retain: bool) -> bytes:
    return mqtt5.PublishPacket(
        topic,
        payload,
        qos=mqtt5.QoS.AT_LEAST_ONCE,
        retain=retain,
        packet_id=packet_id,
        content_type="application/json",
    ).write()


@given(st.text(min_size=1, max_size=300), st.binary(max_size=900), st.integers(1, 65_535),
       st.booleans())  # fmt: skip
def test_a_publish_is_the_codecs(topic: str, payload: bytes, packet_id: int, retain: bool) -> None:
    topic = topic.replace("\0", "").replace("+", "").replace("#", "") or "t"
    made = wire.publish(topic.encode(), payload, packet_id, retain)
    assert made == by_codec(topic, payload, packet_id, retain)


@pytest.mark.parametrize("size", EDGES + [size - 1 for size in EDGES if size])
def test_a_publish_of_any_length(size: int) -> None:
    payload = bytes(size)
    made = wire.publish(b"revier/v1/a", payload, 513, True)
    assert made == by_codec("revier/v1/a", payload, 513, True)


@given(st.lists(st.integers(1, 65_535), max_size=50))
def test_acknowledgements_are_the_codecs(ids: list[int]) -> None:
    assert wire.pubacks(ids) == b"".join(mqtt5.PubAckPacket(one).write() for one in ids)
