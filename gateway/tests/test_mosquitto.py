# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The gateway with a real Mosquitto that ends, dies, refuses and forgets."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Coroutine
from contextlib import closing
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from gateway.tests import mosquitto, support
from gateway.tests.mosquitto import PERSISTENT
from gateway.tests.test_service import FILTER, SOURCE_CLIENT, events, gateway, ids, online
from paho.mqtt.enums import CallbackAPIVersion

from revier_gateway.feed import Publisher
from revier_gateway.mqtt.link import LinkRefused, LinkSettings
from revier_gateway.mqtt.session import connect
from revier_gateway.outcomes import FeedMessage
from revier_gateway.store import Store
from revier_gateway.work import Work

pytestmark = [
    pytest.mark.mosquitto,
    pytest.mark.xdist_group("mosquitto"),
    pytest.mark.usefixtures("each_mosquitto"),
]


def log_of(folder: Path) -> str:
    return (folder / "gateway.log").read_text()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_the_source_s_broker_ends_and_comes_back(how: signal.Signals, tmp_path: Path) -> None:
    """It keeps our session over its restart: what comes while we are away comes to us later, and
    what we had not acknowledged comes again."""
    config_folder, feed_folder = tmp_path / "gateway", tmp_path / "feed"
    config_folder.mkdir()
    made = events(120)
    with (
        mosquitto.running(tmp_path / "source", PERSISTENT) as source,
        mosquitto.running(feed_folder, "max_queued_messages 0\n") as feed,
        support.listening(feed.port, "revier/v1/#") as listener,
    ):
        config = support.gateway_toml(config_folder, source.port, feed.port)
        with gateway(config):
            support.wait_until(lambda: online(listener))
            support.publish(source.port, made[:41])
            support.wait_until(lambda: len(ids(listener)) == 40)
        support.publish(source.port, made[41:81])  # the gateway is dead: the broker keeps them
        time.sleep(2.5)  # an autosave
        source.end(how)
        source.start()
        with gateway(config):
            support.wait_until(lambda: len(ids(listener)) == 80)
            time.sleep(2.5)
            source.end(how)  # while the gateway lives
            source.start()
            support.wait_until(lambda: log_of(config_folder).count('"link is back"') == 1, 40)
            support.publish(source.port, made[81:])
            support.wait_until(lambda: len(ids(listener)) == 120)
    assert len(ids(listener)) == 120  # a killed gateway repeats some, under the same ids
    assert {message["seq"] for message in listener.of_kind("obs")} == set(range(100, 220))
    present = [
        entry["session_present"]
        for entry in map(json.loads, log_of(config_folder).splitlines())
        if entry["event"] == "subscribed"
    ]
    assert present == [False, True, True]


def test_a_broker_without_persistence_forgets_us_and_we_subscribe_again(tmp_path: Path) -> None:
    with mosquitto.running(tmp_path / "broker", "") as broker:
        config = support.gateway_toml(tmp_path, broker.port, broker.port)
        with gateway(config):
            support.wait_until(lambda: "subscribed" in log_of(tmp_path))
            broker.end(signal.SIGKILL)
            broker.start()
            support.wait_until(lambda: log_of(tmp_path).count('"event": "subscribed"') == 2, 40)
            with support.listening(broker.port, "revier/v1/#") as listener:
                support.wait_until(lambda: online(listener), 40)
                support.publish(broker.port, events(5))
                support.wait_until(lambda: len(ids(listener)) == 5)


def test_a_refused_topic_goes_to_quarantine_and_the_others_go_on(tmp_path: Path) -> None:
    """PUBACK 0x87 by the access list; after its correction the rows are replayed."""
    acl = tmp_path / "acl"
    towns = "topic readwrite #\n"
    acl.write_text("topic read #\ntopic write revier/v1/_gateway/#\ntopic write application/#\n")
    folder = tmp_path / "gateway"
    folder.mkdir()
    with (
        mosquitto.running(tmp_path / "broker", f"acl_file {acl}\n") as broker,
        support.listening(broker.port, "revier/v1/#") as listener,
    ):
        config = support.gateway_toml(folder, broker.port, broker.port)
        with gateway(config):
            support.wait_until(lambda: online(listener))
            support.publish(broker.port, events(3))
            support.wait_until(lambda: _quarantined(folder, "refused") >= 4)
            assert not listener.of_kind("obs")
            acl.write_text(towns)
            broker.reload()
            time.sleep(0.5)
            _replay(config)
            support.wait_until(lambda: len(ids(listener)) == 3)
    assert _quarantined(folder, "refused") == 0


def _replay(config: Path) -> None:
    from typer.testing import CliRunner

    from revier_gateway.cli import app

    result = CliRunner().invoke(
        app, ["quarantine", "replay", "--reason", "refused", "-c", str(config)]
    )
    assert result.exit_code == 0, result.output


def _quarantined(folder: Path, reason: str) -> int:
    from revier_gateway.data_dir import database_of, open_to_read

    with closing(open_to_read(database_of(folder / "data"))) as db:
        sql = "SELECT count(*) FROM quarantine WHERE reason = ?"
        return int(db.execute(sql, (reason,)).fetchone()[0])


def test_a_subscription_that_the_access_list_forbids_is_an_error_with_its_cure(
    tmp_path: Path,
) -> None:
    """Mosquitto grants it and delivers nothing unless told to check subscriptions: a user that may
    not connect is what it refuses."""
    passwords = tmp_path / "passwords"
    passwords.write_text("")
    conf = f"allow_anonymous false\npassword_file {passwords}\n"
    with mosquitto.running(tmp_path / "broker", conf) as broker:

        async def work() -> None:
            settings = LinkSettings("127.0.0.1", broker.port, "x", "nobody", b"secret")
            with pytest.raises(LinkRefused, match=r"not_authorized.*password_env"):
                await connect(settings)

        asyncio.run(work())


def test_a_broker_that_queues_too_little_loses_and_nothing_stalls(tmp_path: Path) -> None:
    """max_queued_messages of the source's broker: what it drops is gone (gap detection finds it),
    what it keeps comes."""
    conf = PERSISTENT.replace("max_queued_messages 0", "max_queued_messages 30")
    with (
        mosquitto.running(tmp_path / "broker", conf) as broker,
        support.listening(broker.port, "revier/v1/#") as listener,
    ):
        support.persistent_session(broker.port, SOURCE_CLIENT, FILTER)
        made = events(100)
        support.publish(broker.port, made)
        config = support.gateway_toml(tmp_path, broker.port, broker.port)
        with gateway(config):
            support.wait_until(lambda: online(listener))
            support.wait_until(lambda: len(ids(listener)) >= 10)
            time.sleep(0.5)
            kept = len(ids(listener))
            assert kept < 100
            more = events(110)[101:]
            support.publish(broker.port, more)
            support.wait_until(lambda: len(ids(listener)) == kept + 10)


# -- the pace of a catch-up, and why it is there


class Slow:
    """A subscriber that takes a millisecond and more for each message, in a session of its own."""

    def __init__(self, port: int, per_s: int) -> None:
        self.received: set[bytes] = set()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, "slow", protocol=paho.MQTTv5)

        def take(_client: Any, _userdata: Any, message: paho.MQTTMessage) -> None:
            self.received.add(message.payload)
            time.sleep(1 / per_s)

        subscribed: list[int] = []
        self._client.on_message = take
        self._client.on_subscribe = lambda *_: subscribed.append(1)
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("t/#", 1)
        self._client.loop_start()
        support.wait_until(lambda: bool(subscribed))

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.mark.parametrize(("per_s", "complete"), [(0, False), (100, True)])
def test_a_paced_catch_up_loses_nothing_at_a_broker_s_queue_limit(
    per_s: int, complete: bool, tmp_path: Path
) -> None:
    """A subscriber that handles 250 messages/s and a broker that queues 300 for it: three seconds
    in which a busy machine may not run it."""
    rows = 1000
    store = Store(tmp_path / "data")
    work = Work(store)
    work.outbox += [FeedMessage(f"t/{n}", b"%d" % n, "obs", "a", n) for n in range(rows)]
    store.commit(work)
    conf = "max_queued_messages 300\nmax_inflight_messages 20\n"
    with mosquitto.running(tmp_path / "broker", conf) as broker:
        slow = Slow(broker.port, 250)
        publisher = Publisher(store, per_s=per_s)
        asyncio.run(_deliver(publisher, broker.port, rows))
        support.wait_until(lambda: _is_quiet(slow))
        slow.close()
    assert publisher.delivered == rows  # every PUBACK said success
    assert (len(slow.received) == rows) is complete, len(slow.received)
    store.close()


def _is_quiet(slow: Slow) -> bool:
    before = len(slow.received)
    time.sleep(0.5)
    return len(slow.received) == before


async def _deliver(publisher: Publisher, port: int, rows: int) -> None:
    link = await connect(LinkSettings("127.0.0.1", port, "feed", clean_start=True))
    using: Coroutine[Any, Any, None] = publisher.use(link)
    task = asyncio.create_task(using)
    async with asyncio.timeout(60):
        while publisher.delivered < rows:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await link.close()
