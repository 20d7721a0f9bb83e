# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from revier_bench.demo.options import SEEDED_START, OptionError, parse, parse_duration_s


@pytest.mark.parametrize(("text", "seconds"), [("60s", 60), ("5m", 300), ("1h", 3600), ("90", 90)])
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "0s", "-5s", "5 days", "s", "1e3"])
def test_wrong_durations_say_what_to_write(text: str) -> None:
    with pytest.raises(OptionError, match="60s"):
        parse_duration_s(text)


def test_a_seed_alone_repeats_a_run() -> None:
    one, other = parse(seed="7"), parse(seed="7")
    assert one == other
    assert one.start == SEEDED_START


def test_the_repeat_command_names_everything_that_decides() -> None:
    options = parse(seed="7", start="2026-05-04T10:00:00+02:00", hours=2, for_="60s")
    assert options.start == datetime(2026, 5, 4, 8, tzinfo=UTC)
    assert (
        options.repeat_command
        == 'make demo ARGS="--seed 7 --start 2026-05-04T08:00:00Z --hours 2 --for 60s"'
    )


def test_without_a_seed_history_ends_now() -> None:
    options = parse(hours=24)
    age_s = (datetime.now(UTC) - options.start).total_seconds()
    assert age_s == pytest.approx(86400, abs=5)


def test_headless_needs_an_end() -> None:
    with pytest.raises(OptionError, match="--for"):
        parse(headless=True)


@pytest.fixture
def external(tmp_path: Path) -> dict[str, Any]:
    token_file = tmp_path / "token"
    token_file.write_text("t0ken")
    return {
        "network_server": "external",
        "mqtt": "127.0.0.1:1883",
        "grpc": "127.0.0.1:8080",
        "token_file": token_file,
    }


def test_an_external_network_server_has_no_history(external: dict[str, Any]) -> None:
    options = parse(**external)
    assert options.external
    assert options.history_s == 0
    assert options.mqtt == ("127.0.0.1", 1883)


def test_the_repeat_command_names_the_external_network_server(external: dict[str, Any]) -> None:
    options = parse(**external, seed="7", for_="60s")
    where = f"--mqtt 127.0.0.1:1883 --grpc 127.0.0.1:8080 --token-file {external['token_file']}"
    assert (
        options.repeat_command
        == f'make demo ARGS="--network-server external {where} --seed 7 --for 60s"'
    )


def test_a_missing_token_file_is_said_at_once(external: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="no such file"):
        parse(**{**external, "token_file": Path("nowhere")})


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ({"network_server": "chirpstack"}, "external"),
        ({"network_server": "external"}, "--mqtt"),
        ({"mqtt": "127.0.0.1:1883"}, "--network-server external"),
        ({"start": "yesterday"}, "2026-05-04"),
        ({"mqtt": "localhost"}, "HOST:PORT"),
        ({"grpc": "host:99999"}, "HOST:PORT"),
    ],
)
def test_wrong_options_say_what_to_write(wrong: dict[str, str], hint: str) -> None:
    with pytest.raises(OptionError, match=hint):
        parse(**wrong)  # type: ignore[arg-type]
