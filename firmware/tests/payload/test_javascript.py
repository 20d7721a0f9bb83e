# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""codec.js as a network server calls it (TS013): odd input, commands there and back."""

import json

import pytest
import quickjs

from revier_bench.payload import runtimes
from revier_payload.codec import decode_downlink
from revier_payload.downlinks import backfill_request, configuration
from revier_payload.physical import object_of
from revier_payload.schema.remote import SETTINGS


@pytest.fixture(scope="module")
def call():
    """call(function, JSON-able input or JavaScript text) -> answer."""
    context = quickjs.Context()
    context.eval(runtimes.CODEC_FILE.read_text(encoding="utf-8"))

    def evaluate(function, value):
        text = value if isinstance(value, str) else json.dumps(value)
        return json.loads(context.eval(f"JSON.stringify({function}({text}))"))

    return evaluate


@pytest.mark.parametrize("function", ["decodeUplink", "decodeDownlink"])
@pytest.mark.parametrize(
    "value",
    [
        "", "null", "{}", '{"bytes": [], "fPort": 10}', '{"bytes": [1, 2]}',
        '{"bytes": [1, 2], "fPort": 0}', '{"bytes": [1, 2], "fPort": null}', '{"fPort": 10}',
        '{"bytes": null, "fPort": 10}',
    ],
)  # fmt: skip
def test_frames_without_data_give_an_empty_object(call, function, value):
    """ChirpStack runs the codec for frames of MAC commands too."""
    assert call(function, value) == {"data": {}}


def test_an_unknown_port_is_an_error_and_throws_not(call):
    assert call("decodeUplink", {"bytes": [1], "fPort": 99}) == {
        "errors": ["no message on fPort 99"]
    }
    assert call("decodeDownlink", {"bytes": [1], "fPort": 10}) == {
        "errors": ["no message on fPort 10"]
    }


def test_warnings_are_said(call):
    answer = call("decodeUplink", {"bytes": [0x59, 0x23, 1, 2, 3], "fPort": 20})
    assert answer["warnings"] == ["1 B after the end were not read"]
    assert answer["data"]["state"] == "occupied"


@pytest.mark.parametrize("mode", ["keep", "default"])
def test_a_configuration_there_and_back(call, mode):
    some = {s.name: s.high for s in SETTINGS}
    some["report"] = "batch"
    data = {"message": "configuration", "mode": mode, "settings": some}
    sent = call("encodeDownlink", {"data": data})
    assert sent["fPort"] == 2
    assert bytes(sent["bytes"]) == configuration(some, default=mode == "default")
    assert call("decodeDownlink", sent) == {"data": data}
    assert object_of(decode_downlink(2, bytes(sent["bytes"]))) == data


def test_a_backfill_request_there_and_back(call):
    ranges = [{"first": 0, "count": 1}, {"first": 4294967295, "count": 254}]
    data = {"message": "backfill_request", "ranges": ranges}
    sent = call("encodeDownlink", {"data": data})
    assert bytes(sent["bytes"]) == backfill_request([(0, 1), (4294967295, 254)])
    assert call("decodeDownlink", sent) == {"data": data}


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("", "data.message is none of"),
        ({}, "data.message is none of"),
        ({"data": {"message": "air"}}, "data.message is none of"),
        ({"data": {"settings": {"interval": 59}}}, "interval must be 60 to 43200"),
        ({"data": {"settings": {"interval": 60.5}}}, "interval must be 60 to 43200"),
        ({"data": {"settings": {"interval": "60"}}}, "interval must be 60 to 43200"),
        ({"data": {"settings": {"interval": None}}}, "interval must be 60 to 43200 s"),
        ({"data": {"settings": {"report": "never"}}}, "report must be one of each, change, batch"),
        ({"data": {"settings": {"report": 4}}}, "report must be one of each, change, batch"),
        ({"data": {"settings": {"no_such": 1}}}, "unknown setting no_such"),
        ({"data": {"settings": {"toString": 1}}}, "unknown setting toString"),
        ({"data": {"settings": {}, "mode": "all"}}, "mode must be keep or default"),
        ({"data": {"settings": {"report_min": 900, "report_max": 300}}}, "must not exceed"),
        (
            {"data": {"settings": {"vacant_below": 7300}, "mode": "default"}},
            "vacant_below must not exceed occupied_above",
        ),
        ({"data": {"settings": {f"s{n}": 1 for n in range(17)}}}, "at most 16 settings"),
        ({"data": {"ranges": []}}, "1 to 8 ranges"),
        ({"data": {"ranges": [{"first": 1, "count": 1}] * 9}}, "1 to 8 ranges"),
        ({"data": {"ranges": [{"first": -1, "count": 1}]}}, "a range is a sequence"),
        ({"data": {"ranges": [{"first": 1, "count": 255}]}}, "a range is a sequence"),
        ({"data": {"ranges": [None]}}, "a range is a sequence"),
        ({"data": {"ranges": 5}}, "1 to 8 ranges"),
    ],
)
def test_commands_that_a_node_would_refuse_are_errors(call, value, error):
    answer = call("encodeDownlink", value)
    assert list(answer) == ["errors"]
    assert error in " ".join(answer["errors"])


def test_the_file_is_of_the_oldest_dialect_that_servers_run():
    """ES5: no arrow, let, const, template, class, import; nothing that a server does not have."""
    text = runtimes.CODEC_FILE.read_text(encoding="utf-8")
    code = "\n".join(line.split("//")[0] for line in text.splitlines())
    for word in ("=>", "let ", "const ", "`", "class ", "import ", "require(", "console."):
        assert word not in code
    for function in ("decodeUplink", "encodeDownlink", "decodeDownlink"):
        assert f"\nfunction {function}(input) {{" in text
