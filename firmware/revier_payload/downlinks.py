# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Downlinks, packed by who sends them, and what a node answers. What it would refuse raises
ValueError, in words for whoever asked for it.

    data = configuration({"interval": "15 min", "report": "change", "dead_band": 2500})
    ...                                       # sent on fPort 2; on fPort 3 comes `answer`
    outcome = outcome_of(data, answer)        # None: of another downlink
"""

from revier_payload import codec
from revier_payload.configuration import hash_of, pack
from revier_payload.schema.remote import (
    CONFIGURATION_ANSWER,
    ORDERED,
    RANGES_MAX,
    RESULTS,
    SETTINGS,
    SETTINGS_MAX,
    Setting,
)

KEEP, DEFAULT = 1, 2
BY_NAME = {setting.name: setting for setting in SETTINGS}
# Of the table's unit: what else may be written, and how many of it that is
UNITS = {
    "s": {"min": 60, "h": 3600},
    "mm": {"cm": 10, "m": 1000},
    "ng/m3": {"ug/m3": 1000},
    "nT": {"uT": 1000},
}


class Outcome:
    """result: of schema.remote.RESULTS. setting: the name of the refused one, "" if none.

    config_hash: of the settings in force now; None if the answer was cut before it.
    """

    def __init__(self, result: str, setting: str, config_hash: "int | None") -> None:
        self.result = result
        self.setting = setting
        self.config_hash = config_hash

    @property
    def applied(self) -> bool:
        return self.result == RESULTS[0]


def configuration(settings: "dict[str, int | str]", default: bool = False) -> bytes:
    """default: every setting that is not named goes back to what the node was made with.

    A value is a whole number in the table's unit, or text: a number, with or without a unit, or the
    name of a choice.
    """
    numbers = _numbers(settings)
    if len(numbers) > SETTINGS_MAX:
        raise ValueError("at most %d settings" % SETTINGS_MAX)
    for first, second in ORDERED:
        low, high = _of(numbers, first, default), _of(numbers, second, default)
        if low is not None and high is not None and low > high:
            raise ValueError("%s must not exceed %s" % (_name(first), _name(second)))
    return bytes((DEFAULT if default else KEEP,)) + pack(numbers)


def config_hash(settings: "dict[str, int | str]") -> int:
    """What a node with just these settings says of itself: in answers and in the diagnosis."""
    return hash_of(pack(_numbers(settings)))


def outcome_of(downlink: bytes, answer: bytes) -> "Outcome | None":
    """What became of a configuration; None if `answer` (fPort 3) is not of this downlink."""
    values = codec.decode(CONFIGURATION_ANSWER.f_port, answer).values
    result = values.get("result")
    if values.get("request_hash") != hash_of(downlink) or not result:
        return None
    number = values.get("setting") or 0
    return Outcome(RESULTS[result - 1], _name(number) if number else "", values["config_hash"])


def backfill_request(ranges: "list[tuple[int, int]]") -> bytes:
    """ranges: (whole sequence of the first reading, how many: 1 to 254)."""
    if not 0 < len(ranges) <= RANGES_MAX:
        raise ValueError("1 to %d ranges" % RANGES_MAX)
    data = b""
    for first, count in ranges:
        if not 0 <= first <= 0xFFFFFFFF or not 1 <= count <= 254:
            raise ValueError("a range is a sequence of 32 bits and 1 to 254 readings")
        data += first.to_bytes(4, "big") + bytes((count - 1,))
    return data


def number_of(setting: Setting, given: "int | str") -> int:
    """The whole number that goes on the air."""
    if isinstance(given, str) and given in setting.choices:
        return setting.low + setting.choices.index(given)
    number = _measured(given, setting.unit) if isinstance(given, str) else given
    if number is None or number != int(number) or not setting.low <= number <= setting.high:
        raise ValueError("%s must be %s, not %s" % (setting.name, _bounds(setting), given))
    return int(number)


def _numbers(settings: "dict[str, int | str]") -> "dict[int, int]":
    numbers = {}
    for name, given in settings.items():
        setting = BY_NAME.get(name)
        if setting is None:
            raise ValueError("unknown setting " + name)
        numbers[setting.number] = number_of(setting, given)
    return numbers


def _measured(text: str, unit: str) -> "float | None":
    """A number with its unit ("15min", "2.5 ug/m3", "900") in `unit`; None: it is none."""
    factors = {unit: 1, "": 1}
    factors.update(UNITS.get(unit, {}))
    digits = text.strip()
    end = 0
    while end < len(digits) and digits[end] in "0123456789.":
        end += 1
    factor = factors.get(digits[end:].strip())
    if factor is None or not digits[:end].replace(".", "", 1).isdigit():
        return None
    return round(float(digits[:end]) * factor, 6)


def _bounds(setting: Setting) -> str:
    if setting.choices:
        return "one of " + ", ".join(setting.choices)
    unit = "" if setting.unit == "1" else " " + setting.unit
    return "%d to %d%s" % (setting.low, setting.high, unit)


def _of(numbers: "dict[int, int]", number: int, default: bool) -> "int | None":
    """What the node will have; None: nobody here knows."""
    made = next(setting.default for setting in SETTINGS if setting.number == number)
    return numbers.get(number, made if default else None)


def _name(number: int) -> str:
    names = [setting.name for setting in SETTINGS if setting.number == number]
    return names[0] if names else "setting %d" % number
