# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""With what is shipped the doctor finds nothing; with any setting less it names it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from gateway.tests import support
from gateway.tests.doctor.conftest import (
    DEPLOY,
    PASSWORD,
    Site,
    Sites,
    chirpstack,
    chirpstack_toml,
    without_key,
)
from typer.testing import CliRunner

from revier_gateway.cli import app
from revier_gateway.doctor import files
from revier_gateway.doctor.examine import Options, examine
from revier_gateway.doctor.findings import Checked, wrong_ones

pytestmark = pytest.mark.mosquitto

MOSQUITTO_CONF = (DEPLOY / "mosquitto" / "mosquitto.conf").read_text()


def examined(site: Site, settings: str | None = None, **options: object) -> list[Checked]:
    """With ChirpStack publishing meanwhile, and a municipality's login."""
    site.folder.joinpath("chirpstack.toml").write_text(settings or chirpstack_toml())
    chosen: dict[str, object] = {
        "listen_s": 10.0,
        "municipality": support.AGS,
        "password": PASSWORD.encode(),
        "chirpstack_toml": site.folder / "chirpstack.toml",
        "mosquitto_conf": site.conf,
        **options,
    }

    async def work() -> list[Checked]:
        return [one async for one in examine(site.config(), Options(**chosen))]  # type: ignore[arg-type]

    with chirpstack(site, settings or chirpstack_toml()):
        return asyncio.run(work())


def named(results: list[Checked]) -> set[str]:
    return {one.check for one in wrong_ones(results)}


def test_with_the_shipped_settings_nothing_is_wrong_even_after_a_restart(site: Sites) -> None:
    made = site()
    assert wrong_ones(examined(made)) == []
    made.stop()
    made.start()
    results = examined(made)
    assert wrong_ones(results) == []
    seen = {one.check for one in results if one.state == "ok"}
    assert {
        *("inventory", "source-qos", "source-silent", "source-queue", "source-session", "clock"),
        *("source-restart", "feed-restart", "feed-queue", "feed-anonymous", "certificate"),
        *("feed-foreign-read", "feed-foreign-write", "feed-own-read", "feed-own-write"),
        *("feed-write", "feed-read", "source-commands"),
    } <= seen


# What a live probe finds when the setting is gone, beside the file's own finding.
PROBED: dict[str, set[str]] = {
    "persistence": {"source-restart", "feed-restart"},
    "max_queued_messages": {"source-queue", "feed-queue"},
    "acl_file": {"feed-foreign-read", "feed-foreign-write"},
}


def test_a_queue_without_a_limit_is_named(site: Sites) -> None:
    """Mosquitto 2.0.16 to 2.0.21 takes it for a queue that is always full where it refuses one."""
    path = site().conf
    path.write_text(re.sub(r"(max_queued_messages) \d+", r"\1 0", path.read_text()))
    (found,) = wrong_ones(files.mosquitto(path))
    assert found.check == "max_queued_messages"
    assert "cuts off" in found.what


@pytest.mark.parametrize("key", [setting.key for setting in files.MOSQUITTO])
def test_each_setting_of_mosquitto_less_is_named(site: Sites, key: str) -> None:
    if key == "allow_anonymous":  # Mosquitto's own default since 2.0: only the file tells
        path = site().conf
        path.write_text(without_key(path.read_text(), key))
        assert {one.check for one in wrong_ones(files.mosquitto(path))} == {key}
        return
    if key == "password_file":  # then nobody comes in at all, and the doctor says so
        made = site(lambda text: without_key(text, key).replace("false", "true"))
        assert {"feed-anonymous", key} <= named(examined(made))
        return
    made = site(lambda text: without_key(text, f"{key} " if key == "persistence" else key))
    if key == "persistence":
        examined(made)
        made.stop()
        made.start()
    assert named(examined(made)) == {key} | PROBED.get(key, set())


@pytest.mark.parametrize("setting", files.CHIRPSTACK, ids=lambda one: one.key)
def test_each_setting_of_chirpstack_less_is_named(site: Sites, setting: files.Setting) -> None:
    key = setting.key.rpartition(".")[2]
    found = named(examined(site(), chirpstack_toml(without=key)))
    assert found == ({key, "source-qos"} if key == "qos" else {key})


ACL = (DEPLOY / "mosquitto" / "revier.acl").read_text()
# What the doctor has a login for; of ChirpStack's, a platform's and a radio gateway's own rights it
# sees what comes of them, or nothing.
NAMED_BY: dict[str, set[str]] = {
    "topic read application/+/device/+/event/+": {"source-silent"},
    "topic write application/+/device/+/command/+": {"source-commands"},
    "topic readwrite revier/v1/#": {"feed-write", "feed-own-read"},
    "topic readwrite revier/doctor/#": {"source-queue", "feed-queue"},
    "topic write application/+/device/+/event/+": {"source-silent"},
    "pattern readwrite revier/v1/%u/#": {"feed-own-read", "feed-own-write"},
}
NOT_SEEN = {
    *("topic readwrite revier/v1-mp/#", "topic read application/+/device/+/command/+"),
    *("topic readwrite eu868/gateway/#", "topic read revier/v1/#", "topic read revier/v1-mp/#"),
    *("pattern readwrite revier/v1-mp/%u/#", "pattern readwrite eu868/gateway/%u/#"),
    "pattern read revier/v1/_gateway/+/status",
}


def test_every_right_of_the_access_list_is_looked_at_or_known_as_not_seen() -> None:
    rights = {line for line in ACL.splitlines() if line.startswith(("topic", "pattern"))}
    assert rights == set(NAMED_BY) | NOT_SEEN


@pytest.mark.parametrize("right", NAMED_BY)
def test_each_right_less_is_named(site: Sites, right: str) -> None:
    made = site(acl=lambda text: text.replace(f"{right}\n", "", 1))
    assert named(examined(made, listen_s=1.5)) == NAMED_BY[right]


def test_a_municipality_that_could_command_every_node_is_named(site: Sites) -> None:
    """Who may write _gateway/{id}/request is the administrator."""
    results = examined(site(acl=lambda text: f"{text}pattern readwrite revier/v1/_gateway/#\n"))
    assert named(results) == {"feed-foreign-write"}
    assert any("can write revier/v1/_gateway" in one.what for one in wrong_ones(results))


def changed(pattern: str, text: str) -> Callable[[str], str]:
    return lambda conf: re.sub(pattern, text, conf)


def test_anybody_may_come_in(site: Sites) -> None:
    made = site(changed("allow_anonymous false", "allow_anonymous true"))
    assert named(examined(made)) == {"allow_anonymous", "feed-anonymous"}


def test_a_silent_topic(site: Sites) -> None:
    made = site()
    config = made.config()

    async def work() -> list[Checked]:
        return [one async for one in examine(config, Options(listen_s=1.0))]

    assert named(asyncio.run(work())) == {"source-silent"}


def test_a_clock_that_is_off(site: Sites, monkeypatch: pytest.MonkeyPatch) -> None:
    made = site()

    async def work() -> list[Checked]:
        return [one async for one in examine(made.config(), Options(listen_s=10.0))]

    with chirpstack(made, chirpstack_toml(), ahead_s=60):
        results = asyncio.run(work())
    assert named(results) == {"clock"}
    assert any("differ by -" in one.what for one in results)


def test_a_certificate_that_expires(site: Sites) -> None:
    assert named(examined(site(days=5))) == {"certificate"}


def test_a_broker_that_is_not_there_and_a_wrong_login(site: Sites) -> None:
    made = site()
    found = examined(made, password=b"wrong")
    assert named(found) == {"feed-login"}
    config = made.config()
    made.stop()

    async def work() -> list[Checked]:
        return [one async for one in examine(config, Options(listen_s=1.0))]

    assert {"source-link", "feed-link"} <= named(asyncio.run(work()))


def test_the_command_says_what_is_wrong_and_the_cure(site: Sites, tmp_path: Path) -> None:
    made = site(lambda text: without_key(text, "max_queued_messages"))
    made.config()
    with chirpstack(made, chirpstack_toml(without="qos")):
        done = CliRunner().invoke(
            app,
            ["doctor", "--config", str(tmp_path / "gateway.toml"), "--listen", "10"],
            env={"COLUMNS": "200"},
        )
    assert done.exit_code == 1
    assert "of 2000 messages for one who was away only 1" in done.output
    assert "Set max_queued_messages 100000000" in done.output
    assert "Set qos = 1 in [integration.mqtt]" in done.output
    assert "3 things are wrong." in done.output
    assert PASSWORD not in done.output
