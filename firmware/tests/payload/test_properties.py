# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Properties of the codec for all values and all bytes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from revier_payload.codec import decode, encode
from revier_payload.schema import MESSAGES
from revier_payload.schema.fields import MISSING, OUT_OF_RANGE, VALID


@st.composite
def sent_values(draw):
    """(fPort, values): representable values, missing ones and ones far outside."""
    flat = [MESSAGES[port] for port in sorted(MESSAGES) if not MESSAGES[port].body]
    message = draw(st.sampled_from(flat))
    values = {}
    for field in message.fields + (message.extras if draw(st.booleans()) else ()):
        codes = st.integers(0, (1 << field.bits) - 1)
        value = draw(codes.map(lambda code, f=field: f.decode(code)[0]))
        if not field.required and draw(st.booleans()):
            value = draw(st.one_of(st.none(), st.integers(-(2**40), 2**40)))
        values[field.name] = value
    return message.f_port, values


@settings(deadline=None)
@given(sent_values())
def test_decode_of_encode(sent):
    f_port, values = sent
    decoded = decode(f_port, encode(f_port, values))
    assert not decoded.errors
    assert not decoded.warnings
    again = decode(f_port, encode(f_port, decoded.values))
    for field in MESSAGES[f_port].fields + MESSAGES[f_port].extras:
        if field.name not in values:
            assert decoded.states[field.name] == MISSING
            continue
        value, state = decoded.values[field.name], decoded.states[field.name]
        assert state == field.encode(values[field.name])[1]
        given_value = values[field.name]
        if state == VALID and field.kind in ("counter", "flags"):
            assert value == (given_value or 0) % (1 << field.bits)
        elif state == VALID:
            assert field.minimum <= value <= field.maximum
            half_step = 0 if field.kind == "choice" else (field.step + 1) // 2
            if field.kind == "log":
                half_step = max(half_step, given_value >> (field.mantissa_bits + 1))
            assert abs(value - given_value) <= half_step
        if state != OUT_OF_RANGE:  # what is out of range has no value to send again
            assert (again.values[field.name], again.states[field.name]) == (value, state)


@settings(deadline=None)
@given(st.integers(-10, 300), st.binary(max_size=255))
def test_any_bytes(f_port, data):
    decoded = decode(f_port, data)
    message = MESSAGES.get(f_port)
    assert bool(decoded.errors) == (not decoded.values)
    if decoded.values:
        assert set(decoded.values) == {field.name for field in message.fields + message.extras}
        for name, state in decoded.states.items():
            assert state in (VALID, MISSING, OUT_OF_RANGE)
            assert (decoded.values[name] is None) == (state != VALID)
        if not message.body:
            assert bool(decoded.warnings) == (len(data) not in message.lengths)
            assert decoded.cut == (len(data) < message.length)


@settings(deadline=None)
@given(sent_values(), st.integers(0, 12))
def test_a_cut_message_never_lies(sent, length):
    """What a shortened message still says is what the whole one said."""
    f_port, values = sent
    data = encode(f_port, values)
    whole = decode(f_port, data)
    cut = decode(f_port, data[:length])
    for name, value in cut.values.items():
        empty = (0, None) if cut.states[name] == MISSING else (None,)
        assert value in (*empty, whole.values[name])
