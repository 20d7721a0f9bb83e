# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A wrong configuration is told with its line and its cure."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from revier_gateway import config, event_topic
from revier_gateway.config import ConfigError, load, parse, password_of

EXAMPLE = Path(__file__).parents[1] / "deploy" / "gateway.example.toml"
GOOD = """[gateway]
id = "demo"
data_dir = "data"
[source]
host = "127.0.0.1"
port = 1883
[feed]
host = "127.0.0.1"
[inventory]
dir = "/srv/inventory"
"""
PLACE = Path("/etc/revier/gateway.toml")


def test_defaults_and_folders() -> None:
    settings = parse(GOOD, PLACE)
    assert event_topic.parse(settings.source.topic).filter == "application/+/device/+/event/+"
    assert settings.feed.root == "revier/v1"
    assert settings.console.port == 8088
    assert settings.data_dir == Path("/etc/revier/data")
    assert settings.inventory_dir == Path("/srv/inventory")


def test_the_example_is_valid_and_shows_every_key() -> None:
    load(EXAMPLE)
    text = EXAMPLE.read_text()
    uncommented = re.sub(r"^# (\[|\w+ = )", r"\1", text, flags=re.MULTILINE)
    full = parse(uncommented, PLACE)
    for table in full.__struct_fields__:
        if table == "base_dir":
            continue
        for name in getattr(full, table).__struct_fields__:
            if name not in ("tls", "password"):
                assert re.search(rf"^(# )?{name} = ", text, re.MULTILINE), (table, name)


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (("port = 1883", "port = 99999"), 6, ["[source] port", "65535"]),
        (("port = 1883", "prot = 1883"), 6, ["prot", "unknown field", "known are host, port"]),
        (("port = 1883", 'port = "x"'), 6, ["[source] port", "int"]),
        (('id = "demo"', 'id = "De mo"'), 2, ["[gateway] id"]),
        (('id = "demo"\n', ""), 1, ["Add id to [gateway]"]),
        (("[inventory]\n", "[inventary]\n"), 9, ["inventary", "unknown field"]),
        (
            ("port = 1883", 'topic = "a/{{dev_eui}}"'),
            6,
            ["[source] topic", "{{event}} once", "event_topic"],
        ),
        (('[inventory]\ndir = "/srv/inventory"\n', ""), 1, ["Add a table [inventory]"]),
        (("[gateway]\n", 'base_dir = "/"\n[gateway]\n'), 1, ["base_dir", "unknown"]),
    ],
)
def test_an_error_names_line_and_cure(change: tuple[str, str], line: int, words: list[str]) -> None:
    text = GOOD.replace(*change)
    assert text != GOOD
    with pytest.raises(ConfigError) as caught:
        parse(text, PLACE)
    message = str(caught.value)
    assert f"{PLACE}: line {line}:" in message, message
    assert all(word in message for word in words), message


@pytest.mark.parametrize("root", ["", "a/#", "a/+/b", "/a", "a/", "a b", "x" * 101])
def test_a_feed_root_that_cannot_be_a_topic(root: str) -> None:
    with pytest.raises(ConfigError, match="root"):
        parse(GOOD.replace("[inventory]", f'root = "{root}"\n[inventory]'), PLACE)


@pytest.mark.parametrize("root", ["s", "a/b/c", "stadt/v1", "x" * 100])
def test_a_feed_root_that_can(root: str) -> None:
    text = GOOD.replace("[inventory]", f'root = "{root}"\n[inventory]')
    assert parse(text, PLACE).feed.root == root


def test_broken_toml_and_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="line 1"):
        parse("[gateway\n", PLACE)
    with pytest.raises(ConfigError, match=r"gateway\.example\.toml"):
        load(tmp_path / "none.toml")


def test_a_password_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    source = config.Source(host="h", password_env="REVIER_TEST_SECRET")
    with pytest.raises(ConfigError, match="REVIER_TEST_SECRET"):
        password_of(source)
    monkeypatch.setenv("REVIER_TEST_SECRET", "s3cret")
    assert password_of(source) == b"s3cret"
    assert password_of(config.Source(host="h")) is None
