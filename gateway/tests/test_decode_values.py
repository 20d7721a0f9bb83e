# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The usual message's own way through its bits says what the codec says."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revier_gateway import decode_values
from revier_payload.codec import decode
from revier_payload.schema import MESSAGES

PLAIN = [port for port, message in MESSAGES.items() if message.kind and not message.body]


@pytest.mark.parametrize("f_port", PLAIN)
@given(noise=st.binary(min_size=32, max_size=32))
def test_any_bits_read_as_by_the_codec(f_port: int, noise: bytes) -> None:
    message = MESSAGES[f_port]
    data = noise[: message.length]
    seq, coded, flags = decode_values.plain(message, data)
    decoded = decode(f_port, data)
    values, their_flags = decode_values.values_of(decode_values.plan(f_port), decoded)
    assert seq == decoded.values["seq"]
    assert flags == their_flags
    assert dict(coded) == values
    assert len(coded) == len(values)
    assert coded.to_json() == msgspec.json.encode(values)


def test_what_the_feed_calls_otherwise() -> None:
    message = MESSAGES[10]
    _, coded, _ = decode_values.plain(message, bytes(message.length))
    assert {"temp", "rh", "pm25"} <= set(coded)
    assert not {"temperature", "humidity"} & set(coded)
