# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What people bridge with today, on the gateway's own backlog: decode the event, publish 400 bytes
at QoS 1, let the client acknowledge. None of them keeps anything.

python -m revier_bench.measure.gateway_peers NAME PORT CLIENT_ID EVENTS prints the seconds and the
CPU seconds from the first connection to the last acknowledgement.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import aiomqtt
import msgspec
import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from revier_bench.measure import gateway_broker, gateway_node_red

FEED_BYTES = 400
WORKERS = 64  # of aiomqtt: publishing one after another takes twice as long


def feed_message(payload: bytes | bytearray) -> tuple[str, bytes]:
    event = msgspec.json.decode(payload)
    topic = f"feed/{event['deviceInfo']['devEui']}/obs"
    body = {"id": event["deduplicationId"], "f_cnt": event["fCnt"], "data": event["data"]}
    return topic, msgspec.json.encode(body).ljust(FEED_BYTES)


def relay_paho(port: int, client_id: str, events: int) -> None:
    client, properties = gateway_broker.client(client_id, expiry_s=3600)
    acknowledged: list[int] = []

    def on_message(_client: paho.Client, _userdata: object, message: paho.MQTTMessage) -> None:
        topic, payload = feed_message(message.payload)
        client.publish(topic, payload, qos=1)

    client.on_message = on_message
    client.on_publish = lambda *arguments: acknowledged.append(arguments[2])
    client.connect("127.0.0.1", port, clean_start=False, properties=properties)
    gateway_broker.loop_until(client, lambda: len(acknowledged) >= events, 300)


async def relay_aiomqtt(port: int, client_id: str, events: int) -> None:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 3600
    properties.ReceiveMaximum = gateway_broker.RECEIVE_MAX
    client = aiomqtt.Client(
        "127.0.0.1",
        port,
        identifier=client_id,
        protocol=aiomqtt.ProtocolVersion.V5,
        clean_start=False,
        properties=properties,
        max_queued_incoming_messages=0,
        max_queued_outgoing_messages=0,
        max_inflight_messages=1000,
    )
    left = events

    async def work() -> None:
        nonlocal left
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            await client.publish(*feed_message(message.payload), qos=1, timeout=300)
            left -= 1
            if left <= 0:
                raise _Done

    client.pending_calls_threshold = WORKERS + 1
    try:
        async with client, asyncio.TaskGroup() as group:
            for _ in range(WORKERS):
                group.create_task(work())
    except* _Done:
        pass


class _Done(Exception):  # noqa: N818 - an end, not an error
    pass


def timed(name: str, port: int, client_id: str, events: int) -> dict[str, float]:
    """seconds and cpu_s of one peer's relay of so many events."""
    if name == "node-red":
        return gateway_node_red.relay(port, client_id, events)
    started_s, cpu_s = time.perf_counter(), time.process_time()
    if name == "paho":
        relay_paho(port, client_id, events)
    else:
        asyncio.run(relay_aiomqtt(port, client_id, events))
    return {"seconds": time.perf_counter() - started_s, "cpu_s": time.process_time() - cpu_s}


def main(arguments: list[str]) -> dict[str, Any]:
    name, port, client_id, events = arguments
    return timed(name, int(port), client_id, int(events))


if __name__ == "__main__":
    try:
        sys.stdout.write(json.dumps(main(sys.argv[1:])) + "\n")
    except (gateway_node_red.PeerError, TimeoutError) as failed:
        sys.exit(f"{sys.argv[1]}: {failed}")
