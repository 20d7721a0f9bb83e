# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The payload on both interpreters: golden bytes, the three states, lengths, every code."""

from binascii import hexlify, unhexlify

from revier_payload.codec import decode, encode
from revier_payload.fields import MISSING, OUT_OF_RANGE, VALID, Choice, Counter, Flags
from revier_payload.schema import MESSAGES, seq_bits

# Golden: packed by hand from the table in docs/protocol/payload.md. They never change.
GOLDEN = (
    (10, "5e06147fff9f5bd1bfff21", {
        "seq": 188, "pm1": 36, "pm25": 120, "pm4": None, "pm10": None, "temperature": -50,
        "humidity": 55, "pressure": 10130, "voc": None, "nox": None, "battery": 3725, "status": 1,
    }),
    (20, "5923", {"seq": 5, "state": 2, "confidence": 1, "dwell": 35}),
    (21, "f698", {"seq": 15, "state": 1, "confidence": 2, "battery": 3725, "status": 8}),
    (30, "02664790ba", {
        "seq": 1, "distance": 1227, "temperature": -25, "tilt": 40, "quality": 1, "battery": 3475,
        "flags": 2,
    }),
    (1, "0001e2404ce41060012c0020", {
        "seq": 123456, "reset_cause": 4, "battery": 3300, "fw_major": 1, "fw_minor": 1,
        "fw_patch": 32, "boots": 300, "error": 0, "status": 32,
    }),
)  # fmt: skip


def case_golden():
    ports = set()
    for f_port, text, values in GOLDEN:
        decoded = decode(f_port, unhexlify(text))
        assert decoded.values == values, (f_port, decoded.values)
        assert decoded.errors == decoded.warnings == []
        assert hexlify(encode(f_port, values)).decode() == text, f_port
        ports.add(f_port)
    assert ports == set(MESSAGES)


def case_sizes():
    sizes = {port: message.length for port, message in MESSAGES.items()}
    assert sizes == {10: 11, 20: 2, 21: 2, 30: 5, 1: 12}
    assert [seq_bits(port) for port in (10, 20, 21, 30, 1, 99)] == [9, 4, 4, 7, 32, 0]


def case_every_code_of_every_field():
    """A code is a value, missing or out of range; a value gives its code back."""
    codes = 0
    for message in MESSAGES.values():
        for field in message.fields:
            for code in range(1 << min(field.bits, 12)):
                value, state = field.decode(code)
                codes += 1
                if state == VALID:
                    assert field.minimum <= value <= field.maximum, (field.name, code)
                    assert field.encode(value) == (code, VALID), (field.name, code)
                elif state == MISSING:
                    assert (value, code) == (None, field.missing_code)
                    assert field.encode(None) == (code, MISSING)
                else:
                    assert (value, state) == (None, OUT_OF_RANGE)
    return codes


def case_out_of_range_is_told():
    for message in MESSAGES.values():
        for field in message.fields:
            if isinstance(field, (Counter, Flags)):
                continue
            for value in (field.maximum + 1, 10**9, field.minimum - 1, -(10**9)):
                code, state = field.encode(value)
                assert state == OUT_OF_RANGE, (field.name, value)
                assert field.decode(code) == (None, OUT_OF_RANGE), (field.name, value)
            assert field.encode(field.maximum)[1] == VALID
            assert field.encode(1 if isinstance(field, Choice) else field.minimum)[1] == VALID


def case_nothing_measured():
    for f_port, message in MESSAGES.items():
        decoded = decode(f_port, encode(f_port, {"seq": 3}))
        for field in message.fields[1:]:
            expected = (0, VALID) if isinstance(field, Flags) else (None, MISSING)
            assert (decoded.values[field.name], decoded.states[field.name]) == expected


def case_zero_is_a_value():
    decoded = decode(10, encode(10, {"seq": 0, "pm25": 0, "temperature": 0, "voc": 0}))
    for name in ("seq", "pm25", "temperature", "voc"):
        assert (decoded.values[name], decoded.states[name]) == (0, VALID)


def case_nearest_step():
    """No further away than half a step; a logarithmic step is at most 1/32 of the value."""
    for field in MESSAGES[10].fields:
        if field.name == "pm10":
            for value in range(0, field.maximum + 1, 7):
                back = field.value_of(field.encode(value)[0])
                assert abs(back - value) <= max(1, value // 64 + 1), value
        if field.name == "temperature":
            for value in range(field.minimum, field.maximum + 1):
                assert abs(field.value_of(field.encode(value)[0]) - value) <= 1


def case_longer_and_shorter():
    data = encode(10, {"seq": 5, "pm1": 9, "status": 7})
    longer = decode(10, data + b"\xaa\xbb")
    assert longer.values == decode(10, data).values
    assert longer.warnings == ["2 B after the end were not read"]
    shorter = decode(10, data[:3])
    assert (shorter.values["seq"], shorter.values["pm1"]) == (5, 9)
    assert (shorter.values["pm25"], shorter.states["pm25"]) == (None, MISSING)
    assert shorter.warnings[0].startswith("ends before pm25, pm4")
    assert shorter.errors == []
    assert set(shorter.values) == set(longer.values)


def case_errors():
    for f_port, data in (
        (10, b""),
        (10, b"\x01"),
        (99, b"\x01\x02"),
        (0, b""),
        (1, b"\x00\x00\x00"),
    ):
        decoded = decode(f_port, data)
        assert len(decoded.errors) == 1, (f_port, data)
        assert decoded.values == {}


def case_bugs_of_the_caller_raise():
    for f_port, values in ((99, {"seq": 1}), (10, {}), (10, {"seq": 1, "pm2_5": 3})):
        try:
            encode(f_port, values)
        except ValueError:
            continue
        raise AssertionError(values)


def case_sequence_keeps_its_low_bits():
    for f_port in MESSAGES:
        for seq in (0, 1, 511, 512, 0xFFFFFFFF):
            low = decode(f_port, encode(f_port, {"seq": seq})).values["seq"]
            assert low == seq & ((1 << seq_bits(f_port)) - 1)
