# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The settings a device should have, and the hash that it reports of those it has."""

from __future__ import annotations

from typing import Literal

import msgspec

from revier_payload.configuration import DEFAULT, entries
from revier_payload.downlinks import BY_NAME, config_hash, configuration

NAMES = {setting.number: name for name, setting in BY_NAME.items()}
AGAIN_AFTER_MS = 24 * 3_600_000  # settings that went away are sent again, once in this time

REVERTED = "settings_reverted"

Status = Literal["unknown", "none", "pending", "in_force", "refused", "differs"]


class Settings(msgspec.Struct, frozen=True, array_like=True):
    desired: dict[str, int] = {}
    is_whole: bool = False  # every setting that is not named is as the node was made
    command: str = ""  # the last that carried them
    desired_ms: int = 0
    accepted_hash: int | None = None  # the node's, when it had taken them over
    reported_hash: int | None = None
    reported_ms: int = 0
    refusal: str = ""


def wanted(before: Settings, data: bytes, command: str, now_ms: int) -> Settings:
    """data: a downlink of configuration, the command's."""
    default = data[0] == DEFAULT
    changes = {NAMES[number]: value for number, value in entries(data[1:]).items()}
    return Settings(
        desired={**({} if default else before.desired), **changes},
        is_whole=default or before.is_whole,
        command=command,
        desired_ms=now_ms,
        reported_hash=before.reported_hash,
        reported_ms=before.reported_ms,
    )


def downlink(changes: dict[str, int | str], default: bool, kind: str) -> bytes:
    """Raises ValueError for what a node of this kind would refuse."""
    for name in changes:
        setting = BY_NAME.get(name)
        if setting is not None and setting.kind not in ("", kind):
            raise ValueError(f"{name} is a setting of {setting.kind} nodes; this one is {kind}")
    return configuration(changes, default)


def whole_downlink(settings: Settings) -> bytes:
    return configuration(_given(settings), settings.is_whole)


def hash_wanted(settings: Settings) -> int | None:
    """Of the node's settings when all is as desired; None: some may be set that we do not know."""
    if not settings.is_whole:
        return None
    return config_hash(_given(settings))


def answered(
    settings: Settings, command: str, config_hash: int | None, refusal: str, at_ms: int
) -> Settings:
    """The answer to a command; only that to the last one says whether all is as desired."""
    change = msgspec.structs.replace
    now = _told(settings, config_hash, at_ms)
    if command != settings.command:
        return now
    now = change(now, refusal=refusal)
    return now if refusal else change(now, accepted_hash=config_hash)


def sent_again(settings: Settings, command: str, at_ms: int) -> Settings:
    return msgspec.structs.replace(settings, command=command, desired_ms=at_ms)


def reported(settings: Settings, config_hash: int, is_reverted: bool, at_ms: int) -> Settings:
    """is_reverted: the node died of them and took them back: they are not sent to it again."""
    now = _told(settings, config_hash, at_ms)
    if now is not settings and is_reverted and config_hash != settings.accepted_hash is not None:
        return msgspec.structs.replace(now, refusal=REVERTED)
    return now


def _told(settings: Settings, config_hash: int | None, at_ms: int) -> Settings:
    """at_ms: the network server had it then. What came late, out of its log, is not what the node
    has now: then the settings are those given."""
    if at_ms < settings.reported_ms:
        return settings
    return msgspec.structs.replace(settings, reported_hash=config_hash, reported_ms=at_ms)


def status_of(settings: Settings) -> Status:
    if not settings.desired and not settings.is_whole:
        return "unknown" if settings.reported_hash is None else "none"
    if settings.refusal:
        return "refused"
    if settings.accepted_hash is None:
        hashed = hash_wanted(settings)
        return "in_force" if hashed is not None and hashed == settings.reported_hash else "pending"
    return "in_force" if settings.reported_hash == settings.accepted_hash else "differs"


def is_to_be_sent_again(settings: Settings, now_ms: int) -> bool:
    """The node had them, and has others now: it was replaced, or lost its memory."""
    is_due = now_ms >= settings.desired_ms + AGAIN_AFTER_MS
    return is_due and status_of(settings) == "differs"


def _given(settings: Settings) -> dict[str, int | str]:
    return dict(settings.desired)
