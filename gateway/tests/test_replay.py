# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The whole recording of a real ChirpStack goes through, and every event is accounted for."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from gateway.tests import support
from typer.testing import CliRunner

from revier_gateway.cli import app
from revier_gateway.pipeline import Pipeline
from revier_gateway.recordings import RecordingError, read
from revier_gateway.replay import replay
from revier_gateway.store import Store

RECORDING = Path(__file__).parent / "data" / "chirpstack_v4_recording"


@pytest.mark.parametrize(
    ("folder", "files", "reasons"),
    [
        (
            "json",
            58,
            {
                "ignored.not_an_event": 11,
                "ignored.join": 3,
                "ignored.ack": 2,
                "ignored.txack": 5,
                "ignored.log": 11,
                "ignored.status": 1,
                "ignored.mac_only": 3,
                "quarantined.unknown_f_port": 20,
                "quarantined.bad_payload": 2,
            },
        ),
        (
            "protobuf",
            27,
            {
                "ignored.join": 3,
                "ignored.txack": 1,
                "ignored.log": 8,
                "ignored.status": 1,
                "ignored.mac_only": 3,
                "quarantined.unknown_f_port": 9,
                "quarantined.bad_payload": 2,
            },
        ),
    ],
)
def test_the_real_recording(
    pipeline: Pipeline, store: Store, folder: str, files: int, reasons: dict[str, int]
) -> None:
    report = replay(RECORDING / folder, pipeline, store)
    told = report.to_json()
    assert told["defects"] == 0
    assert told["events"] == files == len(list((RECORDING / folder).iterdir())) - 1
    assert told["reasons"] == reasons
    assert sum(reasons.values()) == files
    quarantined = [count for reason, count in reasons.items() if "quarantined" in reason]
    assert len(store.quarantine()) == sum(quarantined)


def test_the_recording_s_devices_with_our_payload_are_published(
    pipeline: Pipeline, store: Store, tmp_path: Path
) -> None:
    """The same real events, with only fPort and data replaced by a Revier node's."""
    pipeline.inventory = support.inventory()
    entries = []
    for number, path in enumerate(sorted((RECORDING / "json").glob("*_up.json"))):
        event = json.loads(path.read_text())
        if event["deviceInfo"]["devEui"] != support.AIR or not event["data"]:
            continue
        event["fPort"] = 10
        event["data"] = base64.b64encode(support.air_payload(number)).decode()
        event["deviceInfo"]["tags"]["ags"] = support.AGS
        (tmp_path / path.name).write_text(json.dumps(event))
        entries.append({"file": path.name, "topic": support.topic()})
    (tmp_path / "index.json").write_text(json.dumps(entries))
    report = replay(tmp_path, pipeline, store)
    assert report.by_kind["published"] >= 15
    assert report.by_kind["quarantined"] == 0


def capture(tmp_path: Path) -> Path:
    lines = [
        {"topic": support.topic(), "payload": support.uplink(support.air_payload(1))},
        {"topic": support.topic(), "payload": json.dumps(support.uplink(b"\x01", f_cnt=2))},
        {"topic": support.topic(), "payload_b64": base64.b64encode(b"\x00").decode()},
        {"topic": support.topic(event="novelty"), "payload": {}},
        {"topic": "eu868/gateway/0016c001f10000aa/event/up", "payload_b64": ""},
        {"topic": "somewhere/else", "payload": "x"},
    ]
    path = tmp_path / "capture.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)) + "\n\n")
    return path


def test_a_capture_in_json_lines(pipeline: Pipeline, store: Store, tmp_path: Path) -> None:
    report = replay(capture(tmp_path), pipeline, store)
    assert [(kind, reason) for _, kind, reason, _ in report.rows] == [
        ("published", "up"),
        ("quarantined", "bad_payload"),
        ("quarantined", "bad_protobuf"),
        ("ignored", "unknown_event"),
        ("ignored", "not_an_event"),
        ("ignored", "not_an_event"),
    ]


@pytest.mark.parametrize("suffix", ["json", "pb"])
def test_a_single_file(pipeline: Pipeline, store: Store, suffix: str) -> None:
    folder = {"json": "json", "pb": "protobuf"}[suffix]
    path = sorted((RECORDING / folder).glob(f"*_join.{suffix}"))[0]
    report = replay(path, pipeline, store)
    assert [row[1:3] for row in report.rows] == [("ignored", "join")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", "{not json\n"),
        ("a.jsonl", "[1]\n"),
        ("a.jsonl", '{"topic":"application/a/device/b/event/up","payload_b64":"*"}\n'),
        ("a.txt", "x"),
        ("index.json", "{}"),
    ],
)
def test_what_is_not_a_recording_is_said_so(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    path = tmp_path if name == "index.json" else tmp_path / name
    with pytest.raises(RecordingError):
        list(read(path))


def test_an_index_that_names_a_file_that_is_not_there(tmp_path: Path) -> None:
    index = [{"file": "gone.json", "topic": support.topic()}]
    (tmp_path / "index.json").write_text(json.dumps(index))
    with pytest.raises(RecordingError, match=r"gone\.json"):
        list(read(tmp_path))


# -- on the command line


def test_command_prints_a_table_and_the_sum() -> None:
    result = CliRunner().invoke(app, ["replay", str(RECORDING / "protobuf")])
    assert result.exit_code == 0, result.output
    assert "27 events: 0 published, 16 ignored, 11 in quarantine" in result.output


def test_command_as_json_and_its_exit_codes(tmp_path: Path) -> None:
    inventory = support.write_inventory(tmp_path / "inventory")
    arguments = ["replay", str(capture(tmp_path)), "--inventory", str(inventory), "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["events"], told["published"], told["quarantined"]) == (6, 1, 2)
    assert len(told["rows"]) == 6
    assert CliRunner().invoke(app, [*arguments, "--strict"]).exit_code == 3
    (tmp_path / "bad.jsonl").write_text("nonsense")
    assert CliRunner().invoke(app, ["replay", str(tmp_path / "bad.jsonl")]).exit_code == 2


def test_a_kept_data_dir_remembers(tmp_path: Path) -> None:
    inventory = support.write_inventory(tmp_path / "inventory")
    arguments = ["replay", str(capture(tmp_path)), "--inventory", str(inventory), "--json"]
    arguments += ["--data-dir", str(tmp_path / "data")]
    first = json.loads(CliRunner().invoke(app, arguments).stdout)
    second = json.loads(CliRunner().invoke(app, arguments).stdout)
    assert (first["published"], second["published"]) == (1, 0)
    assert second["reasons"]["ignored.duplicate_frame"] == 1
