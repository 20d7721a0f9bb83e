# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""relay: event in -> committed row -> one feed message acknowledged, per second on this machine.

A backlog of 20,000 events of 2 kB waits at a broker under a persistent session. Ours takes it with
the gateway's own session, store (WAL, synchronous=FULL) and publisher; the peer is a plain paho
relay as people write one (automatic acknowledgement, nothing durable). Both decode the JSON and
publish 400 bytes at QoS 1 through the same broker, one after the other, each in its own process.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

BUDGET_PER_S = 40_000
EVENTS = 20_000
EVENT_BYTES = 2_075
FEED_BYTES = 400
RUNS = 3
DEVICES = 200
RECEIVE_MAX = 2_000
TOPIC = "application/2d38308d-7c27-4fa2-adff-5f80a2056210/device/{eui}/event/up"
FILTER = "application/+/device/+/event/+"
COMMAND = "revier-bench measure relay --json"
MOSQUITTO_PLACES = ("mosquitto", "/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto")
MOSQUITTO_CONF = """
listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_queued_messages 0
max_inflight_messages 2000
set_tcp_nodelay true
log_type error
"""


def measure() -> dict[str, Any]:
    """Median of three runs of each, interleaved; about 20 s."""
    started_s = time.monotonic()
    mosquitto = _mosquitto()
    ours: list[dict[str, float]] = []
    plain: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory(prefix="revier-relay-") as folder:
        for number in range(RUNS):
            ours.append(_one("ours", number, Path(folder), mosquitto))
            plain.append(_one("paho", number, Path(folder), mosquitto))
    value = statistics.median(run["per_s"] for run in ours)
    peer = statistics.median(run["per_s"] for run in plain)
    broker = "mosquitto" if mosquitto else "iotcore (rumqttd; itself below 25,000/s)"
    return {
        "name": "relay",
        "value": round(value),
        "unit": "messages/s",
        "budget": f">= {BUDGET_PER_S}",
        "holds": value >= BUDGET_PER_S,
        "n": {"events": EVENTS, "event_bytes": EVENT_BYTES, "runs": RUNS, "cpus": os.cpu_count()},
        "seconds": round(time.monotonic() - started_s, 1),
        "peer": {"paho relay, automatic acknowledgement": round(peer), "broker": broker},
        "command": COMMAND,
        "rows": [
            _row("revier gateway, durable", ours, broker),
            _row("paho, not durable", plain, broker),
        ],
    }


def _row(name: str, runs: Sequence[dict[str, float]], broker: str) -> dict[str, Any]:
    return {
        "relay": name,
        "messages_per_s": round(statistics.median(run["per_s"] for run in runs)),
        "cpu_us_per_message": round(statistics.median(run["cpu_us"] for run in runs), 1),
        "runs": [round(run["per_s"]) for run in runs],
        "broker": broker,
    }


def _one(relay: str, number: int, folder: Path, mosquitto: str | None) -> dict[str, float]:
    """One relay drains one backlog, in a process of its own, from a fresh broker."""
    port = _free_port()
    client_id = f"relay-{relay}"
    with _broker(mosquitto, folder, port):
        _backlog(port, client_id)
        command = [sys.executable, "-m", __name__, relay, str(port), client_id]
        work_dir = folder / f"{relay}-{number}"
        done = subprocess.run(
            [*command, str(work_dir)], capture_output=True, text=True, timeout=120, check=False
        )
    if done.returncode != 0:
        raise RuntimeError(f"the {relay} relay failed:\n{done.stderr[-2000:]}")
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


# -- brokers and the backlog


def _mosquitto() -> str | None:
    return next((found for place in MOSQUITTO_PLACES if (found := shutil.which(place))), None)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _broker(mosquitto: str | None, folder: Path, port: int) -> AbstractContextManager[Any]:
    if mosquitto is None:
        from revier_bench.broker import start_broker

        return start_broker(folder, port)
    conf = folder / f"mosquitto-{port}.conf"
    conf.write_text(MOSQUITTO_CONF.format(port=port))
    return _Process([mosquitto, "-c", str(conf)], port)


class _Process(AbstractContextManager["_Process"]):
    def __init__(self, command: list[str], port: int) -> None:
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        deadline_s = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
            except OSError:
                if time.monotonic() > deadline_s:
                    self._process.kill()
                    raise
                time.sleep(0.02)
            else:
                return

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)


def _client(client_id: str, expiry_s: int = 0) -> tuple[paho.Client, Properties]:
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=paho.MQTTv5)
    client.max_queued_messages_set(0)
    client.max_inflight_messages_set(1000)
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    if expiry_s:
        properties.SessionExpiryInterval = expiry_s
        properties.ReceiveMaximum = RECEIVE_MAX
    return client, properties


def _event(number: int) -> tuple[str, bytes]:
    """An event with the fields and the size of a real one with three radio gateways."""
    eui = f"70b3d57e{number % DEVICES:08x}"
    event: dict[str, Any] = {
        "deduplicationId": f"a8ea8112-6f12-49cc-b149-{number:012x}",
        "time": "2026-11-23T12:51:14.344719+00:00",
        "deviceInfo": {
            "tenantId": "52f14cd4-c6f1-4fbd-8f87-4025e1d49242",
            "tenantName": "Kreis",
            "applicationId": "2d38308d-7c27-4fa2-adff-5f80a2056210",
            "applicationName": "district",
            "deviceProfileName": "air",
            "deviceName": f"air-{number % DEVICES}",
            "devEui": eui,
            "tags": {"ags": "05562032", "asset": f"aq-{number % DEVICES:04d}"},
        },
        "devAddr": "00558158",
        "adr": True,
        "dr": 5,
        "fCnt": number // DEVICES,
        "fPort": 10,
        "confirmed": False,
        "data": "EI85HrwHDoPoGAo=",
        "rxInfo": [
            {
                "gatewayId": f"0016c001f10000{gateway:02x}",
                "uplinkId": number,
                "gwTime": "2026-11-23T12:51:14.344719+00:00",
                "nsTime": "2026-11-23T12:51:14.385679717+00:00",
                "rssi": -97,
                "snr": -3.25,
                "location": {"latitude": 51.614, "longitude": 7.197, "altitude": 90.0},
                "context": "AAAAAQ==",
                "crcStatus": "CRC_OK",
            }
            for gateway in (0xAA, 0xBB, 0xCC)
        ],
        "object": {"pm25": 11.8, "temperature": 12.4},
        "regionConfigId": "eu868",
    }
    bare = len(json.dumps(event).encode())
    event["novelty"] = "x" * max(0, EVENT_BYTES - bare - len(', "novelty": ""'))
    return TOPIC.format(eui=eui), json.dumps(event).encode()


def _backlog(port: int, client_id: str) -> None:
    """Leave a persistent subscription behind, then publish for it."""
    subscriber, properties = _client(client_id, expiry_s=3600)
    subscribed: list[bool] = []
    subscriber.on_subscribe = lambda *_: subscribed.append(True)
    subscriber.connect("127.0.0.1", port, clean_start=False, properties=properties)
    subscriber.subscribe(FILTER, 1)
    _loop_until(subscriber, lambda: bool(subscribed))
    subscriber.disconnect()
    publisher, _ = _client("backlog")
    publisher.connect("127.0.0.1", port)
    publisher.loop_start()
    sent = [publisher.publish(*_event(number), qos=1) for number in range(EVENTS)]
    for info in sent:
        info.wait_for_publish(60)
    publisher.disconnect()
    publisher.loop_stop()


def _loop_until(client: paho.Client, condition: Callable[[], bool], timeout_s: float = 60) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        client.loop(0.05)
        if time.monotonic() > deadline_s:
            raise TimeoutError("the relay did not finish")


# -- the two relays


def _result(seconds: float, cpu_s: float) -> dict[str, float]:
    return {"per_s": EVENTS / seconds, "cpu_us": cpu_s / EVENTS * 1e6, "seconds": seconds}


def _relay_paho(port: int, client_id: str) -> dict[str, float]:
    """What people write: decode, publish, let paho acknowledge."""
    client, properties = _client(client_id, expiry_s=3600)
    acknowledged: list[int] = []

    def on_message(_client: paho.Client, _userdata: object, message: paho.MQTTMessage) -> None:
        event = json.loads(message.payload)
        topic = f"feed/{event['deviceInfo']['devEui']}/obs"
        body = {"id": event["deduplicationId"], "f_cnt": event["fCnt"], "data": event["data"]}
        client.publish(topic, json.dumps(body).encode().ljust(FEED_BYTES), qos=1)

    client.on_message = on_message
    client.on_publish = lambda *arguments: acknowledged.append(arguments[2])
    started_s, cpu_s = time.perf_counter(), time.process_time()
    client.connect("127.0.0.1", port, clean_start=False, properties=properties)
    _loop_until(client, lambda: len(acknowledged) >= EVENTS)
    return _result(time.perf_counter() - started_s, time.process_time() - cpu_s)


async def _relay_ours(port: int, client_id: str, work_dir: Path) -> dict[str, float]:
    """The gateway's source, store and feed, with a handler that decodes and makes one message."""
    from revier_gateway.feed import Publisher
    from revier_gateway.mqtt.link import LinkSettings
    from revier_gateway.mqtt.session import connect
    from revier_gateway.service import tune_memory
    from revier_gateway.source import Intake
    from revier_gateway.store import Store

    store = Store(work_dir)
    publisher = Publisher(store)
    intake = Intake(FILTER, 1, _handle, store, lambda *_: publisher.wake())
    tune_memory()
    started_s, cpu_s = time.perf_counter(), time.process_time()
    source = await connect(
        LinkSettings("127.0.0.1", port, client_id, session_expiry_s=3600, receive_max=RECEIVE_MAX)
    )
    feed = await connect(
        LinkSettings("127.0.0.1", port, "relay-feed", clean_start=True, window_max=2000)
    )
    tasks = [asyncio.create_task(intake.use(source)), asyncio.create_task(publisher.use(feed))]
    while publisher.delivered < EVENTS:
        for task in tasks:
            if task.done():
                task.result()
        await asyncio.sleep(0.005)
    result = _result(time.perf_counter() - started_s, time.process_time() - cpu_s)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    store.settle()
    assert store.outbox_rows() == 0, store.outbox_rows()
    store.close()
    return result


def _handle(batch: Sequence[Any], work: Any) -> list[Any]:
    import hashlib

    from revier_gateway import events
    from revier_gateway.outcomes import FeedMessage

    made = []
    for raw in batch:
        event = events.parse(events.name_in_topic(raw.topic), raw.payload)
        assert isinstance(event, events.UplinkEvent)
        eui = event.device_info.dev_eui
        key = hashlib.blake2b(f"{eui}/{event.f_cnt}".encode(), digest_size=16).digest()
        body = b'{"id":"%s","f_cnt":%d}' % (event.deduplication_id.encode(), event.f_cnt)
        feed = FeedMessage(f"feed/{eui}/obs", body.ljust(FEED_BYTES), "obs", eui, 0)
        made.append((key, feed))
    work.ask_seen([key for key, _ in made])
    for key, feed in made:
        if work.seen_before(key) is None:
            work.seen[key] = (0, 0)
            work.outbox.append(feed)
    return []


def _main(relay: str, port: str, client_id: str, work_dir: str) -> None:
    if relay == "paho":
        result = _relay_paho(int(port), client_id)
    else:
        result = asyncio.run(_relay_ours(int(port), client_id, Path(work_dir)))
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    _main(*sys.argv[1:5])
