# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What a node packs beside single readings: batches that always fit, backfills, configurations."""

from revier_payload import air_batch, backfill, configuration, downlinks
from revier_payload.codec import decode, decode_downlink, encode
from revier_payload.configuration_answer import CONFIGURATION_ANSWER
from revier_payload.edges import free_size
from revier_payload.schema.air import AIR, AIR_CO2, CHANNELS
from revier_payload.schema.fields import MISSING, OUT_OF_RANGE, VALID
from revier_payload.schema.remote import ORDERED, RANGES_MAX, SETTINGS, SETTINGS_MAX
from revier_payload.settings import SETTINGS as NODE_SETTINGS

HEAD = {"seq": 0xFFFFFFF8, "time": 1790000000, "interval": 300, "battery": 3600, "status": 2}
AIR_VALUES = {
    "seq": 7, "pm1": 60, "pm25": 117, "pm4": 150, "pm10": 171, "temperature": 124, "humidity": 81,
    "pressure": 10130, "voc": 100, "nox": 3, "battery": 3600,
}  # fmt: skip


class Chance:
    """Numerical Recipes' generator: the same numbers on every interpreter."""

    def __init__(self, seed):
        self.state = seed

    def below(self, end):
        self.state = (self.state * 1664525 + 1013904223) & 0xFFFFFFFF
        return (self.state >> 8) * end >> 24


def noise(chance, count=12):
    return [tuple([chance.below(1 << bits) for bits in air_batch.BITS]) for _ in range(count)]


def calm(chance, count=12):
    at = [60, 62, 63, 64, 230, 70, 330, 30, 4, 60]
    samples = []
    for _ in range(count):
        at = [max(0, code + chance.below(3) - 1) for code in at]
        samples.append(tuple(at))
    return samples


def samples_of(decoded):
    assert decoded.errors == decoded.warnings == [], (decoded.errors, decoded.warnings)
    return [row for row in decoded.rows if row.name == "sample"]


def case_batch_always_fits():
    """Whatever the samples are, in any size from the smallest on; the finest level that fits."""
    chance = Chance(1)
    for block in (calm(chance), noise(chance), noise(chance, 1), calm(chance, 14)):
        before = None
        for size in range(air_batch.SIZE_MIN, 223):
            data = air_batch.encode(HEAD, block, size)
            assert len(data) <= size, (len(data), size)
            decoded = decode(11, data)
            assert len(samples_of(decoded)) == len(block)
            level = decoded.values["level"]
            assert before is None or level <= before, (size, level, before)
            before = level
        assert before == 0


def case_batch_of_an_hour():
    data = air_batch.encode(HEAD, [sample[:8] + (63, 511) for sample in calm(Chance(2))], 45)
    decoded = decode(11, data)
    assert (len(samples_of(decoded)), decoded.values["level"]) == (12, 0)
    assert decoded.rows[11].values["seq"] == 3  # the sequence comes round
    assert decoded.rows[11].time == 3300
    return len(data)


def case_batch_coarse_by_half_a_step():
    block = noise(Chance(3), 12)
    for size in (80, 110, 140):
        decoded = decode(11, air_batch.encode(HEAD, block, size))
        level = decoded.values["level"]
        lost = air_batch.shifts(list(range(10)), level)
        assert 0 < level < air_batch.LEVEL_MEANS
        for row, sample in zip(samples_of(decoded), block):  # noqa: B905
            for c in range(10):
                field = CHANNELS[c]
                top = min((1 << field.bits) - 3, field.code_of(field.maximum))
                if sample[c] > top:
                    continue
                code = field.code_of(row.values[field.name])
                clipped = sample[c] + (1 << lost[c] >> 1) > (1 << field.bits) - 1
                allowed = (1 << lost[c]) if clipped else (1 << lost[c]) >> 1
                assert abs(code - sample[c]) <= allowed, (field.name, code, sample[c], lost[c])


def case_batch_keeps_gaps():
    block = [list(sample) for sample in calm(Chance(4))]
    block[3][1] = 255  # missing
    block[4][1] = 254  # out of range
    block[5][4] = 511
    decoded = decode(11, air_batch.encode(HEAD, [tuple(sample) for sample in block], 222))
    states = [row.states["pm25"] for row in samples_of(decoded)]
    assert states == [VALID] * 3 + [MISSING, OUT_OF_RANGE] + [VALID] * 7
    assert decoded.rows[5].states["temperature"] == MISSING
    assert decoded.rows[5].states["pm25"] == VALID


def case_batch_repeats_means_where_free():
    chance = Chance(5)
    earlier, block = calm(chance), calm(chance)
    plain = air_batch.encode(HEAD, block, 222)
    means = air_batch.means(earlier)
    more = air_batch.encode(HEAD, block, 222, lambda size: size + 20, means)
    assert more[: len(plain)] == plain
    row = decode(11, more).rows[-1]
    assert (row.name, row.values["samples"]) == ("means_before", 12)
    for c in range(10):
        code = CHANNELS[c].code_of(row.values[CHANNELS[c].name])
        assert abs(code - means[1][c]) <= 2, CHANNELS[c].name
    assert air_batch.encode(HEAD, block, len(plain), lambda size: size + 20, means) == plain
    assert air_batch.encode(HEAD, block, 222, lambda size: size + 3, means) == plain
    return len(plain), len(more)


def case_batch_of_nothing():
    """A node whose sensors all failed still says when, and which readings these were."""
    nothing = [tuple([(1 << bits) - 1 for bits in air_batch.BITS])] * 3
    data = air_batch.encode(HEAD, nothing, 51, lambda size: 51, air_batch.means(nothing))
    assert len(data) == 12
    rows = samples_of(decode(11, data))
    assert [row.values["seq"] for row in rows] == [0xFFFFFFF8, 0xFFFFFFF9, 0xFFFFFFFA]
    assert {row.states[field.name] for row in rows for field in CHANNELS} == {MISSING}


def case_codes_are_those_of_a_reading():
    data = encode(10, AIR_VALUES)
    codes = air_batch.codes_of(10, data)
    for field, code in zip(CHANNELS[:9], codes):  # noqa: B905
        assert field.encode(AIR_VALUES[field.name])[0] == code, field.name
    assert codes[9] == 511
    assert [f.bits for f in CHANNELS] == list(air_batch.BITS)
    assert [f.name for f in AIR.fields[1:10]] == [f.name for f in CHANNELS[:9]]
    assert AIR_CO2.fields[1:8] == CHANNELS[:7]
    rest = {"seq": 1, "co2": 1234}
    assert air_batch.codes_of(12, encode(12, rest)) == (
        255, 255, 255, 255, 511, 127, 511, 127, 63, 123,
    )  # fmt: skip
    assert air_batch.codes_of(12, encode(12, {"seq": 1}))[9] == 511
    assert air_batch.codes_of(12, encode(12, {"seq": 1, "co2": 8000}))[9] == 510


def case_free_bytes_are_free():
    """sensors facts, the edges of LoRa's staircase with 13 bytes of LoRaWAN around."""
    edges = {
        7: (2, 6, 9, 13, 16, 20, 23, 27, 30, 34, 37, 41, 44, 48),
        8: (1, 5, 9, 13, 17, 21),
        9: (4, 8, 13, 17, 22, 26, 31, 35, 40, 44, 49),
        10: (1, 6, 11, 16, 21, 26, 31, 36, 41, 46, 51),
        11: (0, 5, 9, 14, 18, 23, 27, 32, 36, 41, 45, 50),
        12: (2, 7, 12, 17, 22, 27, 32, 37, 42, 47),
    }
    for spreading_factor, steps in edges.items():
        for size in range(steps[-1] + 1):
            expected = next(edge for edge in steps if edge >= size)
            assert free_size(size, spreading_factor) == expected, (spreading_factor, size)


def case_backfill():
    records = [
        (1000 + 2 * n, 1790000000 + 300 * n, 10, encode(10, dict(AIR_VALUES, seq=1000 + 2 * n)))
        for n in range(9)
    ]
    for size, fitting in ((51, 3), (115, 7), (222, 9)):
        data, count = backfill.encode(records, size)
        assert (count, len(data) <= size) == (fitting, True)
        rows = decode(5, data).rows
        assert [(row.values["seq"], row.time, row.data) for row in rows] == [
            (seq, time_s, payload) for seq, time_s, _, payload in records[:count]
        ]
    mixed = [records[0], (1001, 1790000010, 6, encode(6, {"seq": 1001, "alarm": 1}))]
    far = [records[0], (1300, 1790000010, 10, records[1][3])]
    late = [records[0], (1001, 1790000000 + 70000, 10, records[1][3])]
    back = [records[0], (1001, 1789999999, 10, records[1][3])]
    clock = [records[0], (1001, None, 10, records[1][3])]
    for pair in (mixed, far, late, back, clock):
        assert backfill.encode(pair, 222)[1] == 1


def case_backfill_request():
    asked = [(0, 1), (4294967295, 254), (70000, 12)]
    data = downlinks.backfill_request(asked)
    assert backfill.ranges(data) == asked
    rows = decode_downlink(4, data).rows
    assert [(row.values["first"], row.values["count"]) for row in rows] == asked
    assert backfill.ranges(data[:-1]) == asked[:2]
    assert backfill.ranges(b"\0\0\0\1\xff\0\0\0\2\xfe") == []
    assert backfill.RANGES_MAX == RANGES_MAX


def case_configuration_is_taken_whole_or_not_at_all():
    current = configuration.pack({1: 300, 32: 12000})
    data = downlinks.configuration({"interval": 600, "vacant_below": 7000})
    result, setting, after = configuration.apply(current, data, "parking")
    assert (result, setting) == (configuration.APPLIED, 0)
    assert configuration.entries(after) == {1: 600, 32: 12000, 33: 7000}
    replaced = configuration.apply(after, downlinks.configuration({"interval": 60}, True), "air")
    assert configuration.entries(replaced[2]) == {1: 60}
    refusals = (
        (b"", configuration.LENGTH, 0),
        (b"\1\1\1", configuration.LENGTH, 0),
        (b"\1" + b"\1\1\1" * (SETTINGS_MAX + 1), configuration.LENGTH, 0),
        (b"\0\1\2\x58", configuration.MODE, 0),
        (b"\3", configuration.MODE, 0),
        (b"\1\1\2\x58\xc8\0\1", configuration.UNKNOWN, 200),
        (b"\1\1\2\x58\x31\0\x46", configuration.KIND, 49),
        (b"\1\1\0\x3b", configuration.RANGE, 1),
        (b"\1\1\2\x58\1\2\x59", configuration.TWICE, 1),
        (b"\1\x21\x32\0", configuration.ORDER, 33),
        (b"\2\x21\x1c\x84", configuration.ORDER, 33),  # 7300, and 7200 is as it was made
    )
    for downlink, result, setting in refusals:
        assert configuration.apply(current, downlink, "parking") == (result, setting, current)


def case_every_setting_at_its_bounds():
    assert len(NODE_SETTINGS) == len(SETTINGS)
    for s in SETTINGS:
        for value, result in (
            (s.low, configuration.APPLIED),
            (s.high, configuration.APPLIED),
            (s.low - 1, configuration.RANGE),
            (s.high + 1, configuration.RANGE),
        ):
            if not 0 <= value <= 0xFFFF:
                continue
            downlink = bytes((1, s.number, value >> 8, value & 0xFF))
            kind = s.kind or "waste"
            for first, second in ORDERED:  # the other of the pair at the same end
                if s.number in (first, second) and result == configuration.APPLIED:
                    other = second if s.number == first else first
                    bounds = next((one.low, one.high) for one in SETTINGS if one.number == other)
                    there = max(value, bounds[0]) if s.number == first else min(value, bounds[1])
                    downlink += bytes((other, there >> 8, there & 0xFF))
            assert configuration.apply(b"", downlink, kind)[0] == result, (s.name, value)
    numbers = [s.number for s in SETTINGS]
    assert len(set(numbers)) == len(numbers)
    assert all(low in numbers and high in numbers for low, high in ORDERED)


def case_answer_echoes_hashes():
    downlink = downlinks.configuration({"interval": 600})
    result, setting, after = configuration.apply(b"", downlink, "air")
    values = configuration.answer(downlink, result, setting, after)
    decoded = decode(3, CONFIGURATION_ANSWER.encode(values))
    assert decoded.values["request_hash"] == configuration.hash_of(downlink)
    assert decoded.values["config_hash"] == configuration.hash_of(after)
    assert decoded.values["result"] == configuration.APPLIED
    # CRC-16/CCITT-FALSE: check value of the catalogue of parametrised CRC algorithms
    assert configuration.hash_of(b"123456789") == 0x29B1


def case_values_have_names_and_units():
    written = {
        "interval": "15 min",
        "report": "change",
        "dead_band": "2.5ug/m3",
        "report_max": 3600,
    }
    exact = {"interval": 900, "report": 2, "dead_band": 2500, "report_max": "1h"}
    assert downlinks.configuration(written) == downlinks.configuration(exact)
    assert downlinks.configuration({"empty": "1.2 m", "report": "3"})[3:] == b"\x03\x30\x04\xb0"
    assert downlinks.configuration({"vacant_below": 7300})


def case_outcome_is_told_by_name():
    downlink = downlinks.configuration({"interval": 600, "report": "each"})
    for kind, result, setting, held in (
        ("air", "applied", "", {"interval": 600, "report": 1}),
        ("waste", "refused_kind", "report", {}),
    ):
        values = configuration.answer(downlink, *configuration.apply(b"", downlink, kind))
        told = downlinks.outcome_of(downlink, CONFIGURATION_ANSWER.encode(values))
        assert (told.result, told.setting) == (result, setting)
        assert told.applied == (result == "applied")
        assert told.config_hash == downlinks.config_hash(held)
        assert downlinks.outcome_of(downlink + b"\0", CONFIGURATION_ANSWER.encode(values)) is None
    assert downlinks.outcome_of(downlink, b"") is None


def case_downlinks_that_a_node_would_refuse():
    for call, argument in (
        (downlinks.configuration, {"interval": 59}),
        (downlinks.configuration, {"no_such": 1}),
        (downlinks.configuration, {"report_min": 600, "report_max": 300}),
        (lambda some: downlinks.configuration(some, True), {"vacant_below": 7300}),
        (downlinks.configuration, {"interval": "15 mm"}),
        (downlinks.configuration, {"interval": "90.5"}),
        (downlinks.configuration, {"interval": "1.5.0"}),
        (downlinks.configuration, {"interval": "min"}),
        (downlinks.configuration, {"interval": ""}),
        (downlinks.configuration, {"report": "never"}),
        (downlinks.backfill_request, []),
        (downlinks.backfill_request, [(0, 1)] * (RANGES_MAX + 1)),
        (downlinks.backfill_request, [(0, 255)]),
        (downlinks.backfill_request, [(-1, 1)]),
    ):
        try:
            call(argument)
        except ValueError:
            continue
        raise AssertionError(argument)


def case_node_decoders_take_any_bytes():
    """Nothing raises; the answers' check sum is the same on every interpreter."""
    chance = Chance(9)
    current = configuration.pack({1: 300, 33: 7000})
    digest = taken = 0
    for n in range(3000):
        data = bytes([chance.below(256) for _ in range(chance.below(24) if n % 9 else 255)])
        if n % 3 == 0:  # nearly right: of known settings, in bounds
            data = b"\1"
            for _ in range(chance.below(4)):
                number, _, _, _, low, high = NODE_SETTINGS[chance.below(len(NODE_SETTINGS))][:6]
                value = low + chance.below(high - low + 1)
                data += bytes((number, value >> 8, value & 0xFF))
        result, setting, after = configuration.apply(current, data, "parking")
        assert (result == configuration.APPLIED) or after == current
        taken += result == configuration.APPLIED
        asked = backfill.ranges(data)
        assert len(asked) <= RANGES_MAX
        digest = (digest * 31 + result * 7 + setting + sum([a + b for a, b in asked])) % 65521
    assert taken > 100
    return digest
