# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Does the broker keep what it must: a queue for who is away, and sessions over its own restart?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from revier_gateway.config import Config, Feed, Source
from revier_gateway.data_dir import hand_over
from revier_gateway.doctor import probe
from revier_gateway.doctor.findings import Checked, ok, skipped, wrong
from revier_gateway.mqtt.link import LinkLost, Outgoing

# Mosquitto's default is 1,000 queued and 20 in flight: 29,000 of 30,000 were dropped silently.
QUEUE_PROBE = 2000
IDLE_S = 2.0
SESSION_S = 600
MARK_S = 7 * 86_400
MARKS_FILE = "doctor.json"

ACL_CURE = (
    "Let the gateway's user read and write revier/doctor/# there "
    "(gateway/deploy/mosquitto/revier.acl)"
)
QUEUE_CURE = (
    "Set max_queued_messages 100000000 and a max_queued_bytes in mosquitto.conf "
    "(gateway/deploy/mosquitto/); other brokers have a like limit of a session's queue"
)
SESSION_CURE = "Let the broker keep sessions: session expiry above 0 must be allowed"
MARK_CURE = (
    "Set persistence true, persistence_location and autosave_interval in mosquitto.conf "
    "(gateway/deploy/mosquitto/mosquitto.conf)"
)


def topic_of(config: Config, what: str) -> str:
    return f"revier/doctor/{config.gateway.id}/{what}"


async def queue(config: Config, name: str, leg: Source | Feed) -> list[Checked]:
    """A session that is away while QUEUE_PROBE messages come: are they there afterwards?"""
    check, topic = f"{name}-queue", topic_of(config, f"{name}-queue")
    client_id = f"revier-doctor-{config.gateway.id}-{name}-queue"
    kept = probe.settings(leg, client_id, SESSION_S)
    try:
        await _forget(leg, client_id)
        if not await probe.takes(probe.settings(leg, f"{client_id}-pub"), topic):
            return [wrong(check, f"{name}: the probe was refused", ACL_CURE)]
        async with probe.session(kept) as link:
            await link.subscribe([topic])
        async with probe.session(probe.settings(leg, f"{client_id}-pub")) as link:
            messages = [Outgoing(topic, str(n).encode()) for n in range(QUEUE_PROBE)]
            await probe.publish(link, messages)
        async with probe.session(kept) as link:
            if not link.session_present:
                return [wrong(f"{name}-session", f"{name}: no session is kept", SESSION_CURE)]
            got = await probe.receive_for(link, IDLE_S, QUEUE_PROBE)
    finally:
        await _forget(leg, client_id)
    if len(got) == 0:
        return [wrong(check, f"{name}: nothing of the probe came back", ACL_CURE)]
    if len(got) < QUEUE_PROBE:
        what = f"{name}: of {QUEUE_PROBE} messages for one who was away only {len(got)} came"
        return [wrong(check, what, QUEUE_CURE)]
    return [
        ok(f"{name}-session", f"{name}: the broker keeps sessions"),
        ok(check, f"{name}: {QUEUE_PROBE} messages for one who was away came, all of them"),
    ]


async def _forget(leg: Source | Feed, client_id: str) -> None:
    async with probe.session(probe.settings(leg, client_id)):
        pass


async def mark(config: Config, name: str, leg: Source | Feed, now_s: float) -> list[Checked]:
    """A session that the doctor left behind last time: has the broker still got it?"""
    check = f"{name}-restart"
    client_id = f"revier-doctor-{config.gateway.id}-{name}-mark"
    key = f"{name} {leg.host}:{leg.port}"
    marks = read_marks(config.data_dir)
    try:
        async with probe.session(probe.settings(leg, client_id, MARK_S)) as link:
            present = link.session_present
            await link.subscribe([topic_of(config, f"{name}-mark")])
    except LinkLost as error:
        return [wrong(check, f"{name}: {error}", ACL_CURE)]
    left_s = marks.get(key)
    try:
        write_marks(config.data_dir, {**marks, key: now_s})
    except OSError as error:
        what = f"{name}: does a session survive a restart? {config.data_dir}: {error.strerror}"
        return [skipped(check, what, "Call the doctor as root or as the gateway's user")]
    if left_s is None or now_s - left_s > MARK_S:
        cure = "Restart the broker at a quiet time, and run the doctor again"
        return [skipped(check, f"{name}: a session was left; does it survive a restart?", cure)]
    ago_min = (now_s - left_s) / 60
    if not present:
        what = f"{name}: the session that the doctor left {ago_min:.0f} min ago is gone"
        return [wrong(check, what, MARK_CURE)]
    return [ok(check, f"{name}: the session of {ago_min:.0f} min ago is still there")]


def read_marks(data_dir: Path) -> Mapping[str, float]:
    try:
        return msgspec.json.decode((data_dir / MARKS_FILE).read_bytes(), type=dict[str, float])
    except (OSError, msgspec.DecodeError):
        return {}


def write_marks(data_dir: Path, marks: Mapping[str, float]) -> None:
    data_dir.mkdir(parents=True, exist_ok=True)
    (data_dir / MARKS_FILE).write_bytes(msgspec.json.encode(dict(marks)))
    hand_over(data_dir / MARKS_FILE)
