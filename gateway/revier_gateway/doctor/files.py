# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The two configuration files that the gateway relies on, read where they lie."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from revier_gateway.doctor.findings import Checked, ok, wrong

HISTORY_MIN = 100  # events of a device: eight hours of an air node that speaks every five minutes
EXPIRY_MIN_S = 3600
QUEUE_MIN = 100_000
AUTOSAVE_MAX_S = 300
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class Setting(NamedTuple):
    """cure: the line to write."""

    key: str
    is_right: Callable[[Any], bool]
    why: str
    cure: str


CHIRPSTACK = (
    Setting(
        "integration.mqtt.qos", lambda v: v in (1, 2),
        "with QoS 0 every event that comes while the gateway is away is lost", "qos = 1",
    ),
    Setting(
        "integration.mqtt.client_id", bool,
        "under a new name at each start the broker cannot keep ChirpStack's commands",
        'client_id = "chirpstack"',
    ),
    Setting(
        "integration.mqtt.session_expiry_interval", lambda v: _seconds(v) >= EXPIRY_MIN_S,
        "commands that come while ChirpStack is away are lost", 'session_expiry_interval = "24h"',
    ),
    Setting(
        "monitoring.per_device_event_log_max_history", lambda v: (v or 0) >= HISTORY_MIN,
        "what was missed is fetched from this history first; by default it has ten events",
        "per_device_event_log_max_history = 300",
    ),
)  # fmt: skip

MOSQUITTO = (
    Setting(
        "persistence", lambda v: v == "true",
        "sessions and what they wait for are lost when the broker restarts", "persistence true",
    ),
    Setting(
        "persistence_location", bool,
        "the queue would lie wherever the broker was started", "persistence_location /var/lib/...",
    ),
    Setting(
        "autosave_interval", lambda v: 0 < _int(v) <= AUTOSAVE_MAX_S,
        "what came since the last save is lost when the broker is killed; default half an hour",
        "autosave_interval 60",
    ),
    Setting(
        "max_queued_messages", lambda v: _int(v) >= QUEUE_MIN,
        "what waits for the gateway is dropped from the 1001st message on; with 0 Mosquitto 2.0.16 "
        "to 2.0.21 cuts off whoever sends one message that the access list refuses",
        "max_queued_messages 100000000",
    ),
    Setting(
        "max_queued_bytes", lambda v: _int(v) > 0,
        "one session that never comes back would fill the memory", "max_queued_bytes 2147483648",
    ),
    Setting(
        "persistent_client_expiration", bool,
        "sessions of programs that never come back would be kept for ever",
        "persistent_client_expiration 14d",
    ),
    Setting(
        "message_size_limit", lambda v: _int(v) > 0,
        "one message of 256 MB is taken", "message_size_limit 1048576",
    ),
    Setting(
        "allow_anonymous", lambda v: v == "false",
        "who does not say who he is must not come in", "allow_anonymous false",
    ),
    Setting("password_file", bool, "there are no logins", "password_file /etc/mosquitto/..."),
    Setting(
        "acl_file", bool,
        "every municipality reads and writes every other's data", "acl_file /etc/mosquitto/...",
    ),
)  # fmt: skip


def chirpstack(path: Path) -> list[Checked]:
    """chirpstack.toml, or the part of it that holds these settings."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        return [wrong("chirpstack.toml", f"{path}: {error}", "Name the right file")]
    values = {setting.key: _within(content, setting.key) for setting in CHIRPSTACK}
    return _judged(path, CHIRPSTACK, values)


def mosquitto(path: Path) -> list[Checked]:
    """mosquitto.conf; the last of several equal keys counts, as with Mosquitto."""
    try:
        text = path.read_text("utf-8")
    except (OSError, ValueError) as error:
        return [wrong("mosquitto.conf", f"{path}: {error}", "Name the right file")]
    pairs = re.findall(r"^[ \t]*([a-z_]+)[ \t]+(.*?)[ \t]*$", text, re.MULTILINE)
    return _judged(path, MOSQUITTO, dict(pairs))


def _judged(path: Path, settings: tuple[Setting, ...], values: dict[str, Any]) -> list[Checked]:
    results = []
    for setting in settings:
        value = values.get(setting.key)
        name = setting.key.rpartition(".")[2]
        if setting.is_right(value):
            results.append(ok(name, f"{path.name}: {setting.key} is {value}"))
        else:
            now = "is not set" if value is None else f"is {value}"
            what = f"{path.name}: {setting.key} {now}: {setting.why}"
            results.append(wrong(name, what, f"Write {setting.cure}"))
    return results


def _within(content: Any, key: str) -> Any:
    for part in key.split("."):
        content = content.get(part) if isinstance(content, dict) else None
    return content


def _seconds(text: object) -> int:
    """'24h' or '1h 30m', as humantime writes it."""
    found = re.findall(r"(\d+)\s*([smhd])", str(text or ""))
    return sum(int(number) * _UNITS_S[unit] for number, unit in found)


def _int(text: object) -> int:
    return int(str(text)) if re.fullmatch(r"\d+", str(text or "")) else 0
