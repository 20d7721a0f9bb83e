# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The payload on both interpreters: the three states, lengths, every code of every field."""

from revier_payload.codec import decode, encode
from revier_payload.generate import MODULES, how_of
from revier_payload.pack import code_of
from revier_payload.schema import DOWNLINKS, MESSAGES, seq_bits
from revier_payload.schema.fields import MISSING, OUT_OF_RANGE, VALID, Choice, Counter, Flags

FLAT = [port for port in sorted(MESSAGES) if not MESSAGES[port].body]


def row_of(field):
    """As generate.py writes it for pack.py."""
    step = getattr(field, "step", 1)
    return field.name, field.bits, how_of(field), step, field.minimum, field.maximum


def required(message, value=3):
    return {field.name: value for field in message.fields if field.required}


def case_sizes():
    sizes = {port: message.length for port, message in MESSAGES.items()}
    assert sizes == {1: 12, 3: 6, 5: 10, 6: 4, 10: 11, 11: 12, 12: 11, 20: 2, 21: 2, 30: 5, 31: 6}
    longest = {port: message.length_max for port, message in MESSAGES.items()}
    assert [longest[port] for port in (1, 20, 21)] == [24, 4, 3]
    assert [seq_bits(port) for port in (10, 11, 12, 20, 21, 30, 31, 6, 1, 5, 3, 99)] == [
        9, 32, 9, 4, 4, 7, 7, 8, 32, 32, 0, 0,
    ]  # fmt: skip
    assert not set(MESSAGES) & set(DOWNLINKS)


def case_every_code_of_every_field():
    """A code is a value, missing or out of range; a value gives its code back."""
    codes = 0
    for message in MESSAGES.values():
        for field in message.fields + message.extras:
            for code in range(1 << min(field.bits, 12)):
                value, state = field.decode(code)
                codes += 1
                if state == VALID:
                    assert field.minimum <= value <= field.maximum, (field.name, code)
                    assert code_of(row_of(field), value) == code, (field.name, code)
                    assert field.encode(value) == (code, VALID), (field.name, code)
                elif state == MISSING:
                    assert (value, code) == (None, field.missing_code)
                    assert field.encode(None) == (code, MISSING)
                    assert code_of(row_of(field), None) == code
                else:
                    assert (value, state) == (None, OUT_OF_RANGE)
    return codes


def case_out_of_range_is_told():
    for message in MESSAGES.values():
        for field in message.fields + message.extras:
            if isinstance(field, (Counter, Flags)):
                continue
            for value in (field.maximum + 1, 10**10, field.minimum - 1, -(10**10)):
                code, state = field.encode(value)
                assert state == OUT_OF_RANGE, (field.name, value)
                assert code_of(row_of(field), value) == code, (field.name, value)
                assert field.decode(code) == (None, OUT_OF_RANGE), (field.name, value)
            assert field.encode(field.maximum)[1] == VALID
            assert field.encode(1 if isinstance(field, Choice) else field.minimum)[1] == VALID


def case_nothing_measured():
    for f_port in FLAT:
        message = MESSAGES[f_port]
        decoded = decode(f_port, encode(f_port, required(message)))
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
    for f_port, values in (
        (99, {"seq": 1}),
        (11, {"seq": 1}),
        (10, {}),
        (10, {"seq": 1, "pm2": 3}),
    ):
        try:
            encode(f_port, values)
        except ValueError:
            continue
        raise AssertionError(values)


def case_sequence_keeps_its_low_bits():
    for f_port in FLAT:
        if not seq_bits(f_port):
            continue
        for seq in (0, 1, 511, 512, 0xFFFFFFFF):
            low = decode(f_port, encode(f_port, {"seq": seq})).values["seq"]
            assert low == seq & ((1 << seq_bits(f_port)) - 1)


def case_packers_are_the_schema():
    """The node's packers give the schema's bytes, with and without extras."""
    packed = 0
    for name, ports in MODULES.items():
        module = __import__("revier_payload." + name, None, None, [name])
        for port in ports:
            message = MESSAGES[port]
            packer = getattr(module, message.name.upper())
            assert (packer.f_port, packer.length) == (port, message.length)
            for third in range(4):
                values = {}
                for field in message.fields + message.extras:
                    values[field.name] = (
                        field.minimum + (field.maximum - field.minimum) * third // 3
                    )
                if not message.body:
                    assert packer.encode(values, message.length_max) == encode(port, values), name
                    for length in message.lengths:
                        cut = encode(port, values)[:length]
                        assert packer.encode(values, length) == cut, (name, length)
                    packed += 1
            for wrong in ({}, dict(required(message), pm2=1)):
                try:
                    packer.encode(wrong)
                except ValueError:
                    continue
                raise AssertionError((name, wrong))
    return packed


def case_extras():
    values = {"seq": 9, "state": 2, "confidence": 2, "dwell": 47}
    plain = encode(20, values)
    assert len(plain) == 2
    longer = encode(20, dict(values, dwell_2=30, dwell_3=7))
    assert longer[:2] == plain
    for length, known in ((2, ()), (3, ("dwell_2",)), (4, ("dwell_2", "dwell_3"))):
        decoded = decode(20, longer[:length])
        assert decoded.warnings == decoded.errors == []
        for name in ("dwell_2", "dwell_3"):
            assert decoded.states[name] == (VALID if name in known else MISSING)
