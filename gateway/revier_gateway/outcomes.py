# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What may become of an event: published, ignored with a reason, quarantined with a reason.

A stage that cannot go on raises Ignored or Refused; the pipeline turns both into an Outcome. The
reasons are a closed list, because they are counters, table rows and documentation.
"""

from __future__ import annotations

from typing import Literal

import msgspec

DETAIL_CHARS_MAX = 300  # text of a peer that is kept

IGNORED_REASONS: dict[str, str] = {
    "mac_only": "a frame without application data: the device lives",
    "clock_request": "a node asks the network server for the time",
    "diagnosis": "a node's diagnosis: its reading sequence is known again",
    "answer": "a node's answer to a configuration",
    "duplicate_frame": "the same frame came before",
    "duplicate_reading": "the same reading came before in another frame",
    "unknown_event": "an event that this version does not know",
    "not_an_event": "a message that is not an integration event",
    "join": "a device joined",
    "ack": "fate of a confirmed downlink",
    "txack": "a radio gateway took a downlink",
    "log": "ChirpStack wrote to the device's log",
    "status": "battery and link margin by ChirpStack",
    "location": "position by a resolver",
}

QUARANTINE_REASONS: dict[str, str] = {
    "bad_json": "Look whether something else publishes to the event topic",
    "bad_protobuf": "Look whether something else publishes to the event topic",
    "bad_field": "Look at the raw event: a field has a value that ChirpStack never sends",
    "encrypted": "ChirpStack has no application key of this device: correct its join server",
    "oversize": "Look whether something else publishes to the event topic",
    "unknown_f_port": "Update the gateway, or remove a device that is not ours",
    "bad_payload": "Look whether the node's firmware and this gateway fit together",
    "unknown_device": "Give the device to an asset: revier-provision, then replay",
    "invalid_asset": "Correct the device's tag 'asset' in ChirpStack",
    "asset_taken": "Another device serves the asset that the tag names: correct tag or inventory",
    "unknown_ags": "Add the municipality to owners.toml, or correct the device's tag 'ags'",
    "foreign_ags": "The device's tenant or application may not write for this municipality",
    "ags_mismatch": "The device's tag 'ags' and the inventory name different municipalities",
    "wrong_kind": "The device measures another thing than its asset is: correct the inventory",
    "time_unknown": "Readings from the memory of a node that had no clock: nothing says when",
    "identity_clash": "Two readings claim one identity: report both raw events as a defect",
    "internal_error": "A defect of the gateway: report it with the raw event",
    "invalid_topic": "The feed's topic cannot be written to: correct the inventory",
    "refused": "The feed's broker refused the message: look at its access list",
    "message_too_large": "The feed's broker takes only smaller messages: raise its limit",
    "hangs_up": "The feed's broker closes the connection on this message: read its log",
}


class NotPublished(Exception):  # noqa: N818 - an end of the line, not a defect
    """A stage ends the event's way; reason is a key of the lists above."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail[:DETAIL_CHARS_MAX]
        super().__init__(f"{reason}: {self.detail}" if detail else reason)


class Ignored(NotPublished):
    """Nothing is wrong, and nothing is to be published."""

    def __init__(self, reason: str, detail: str = "") -> None:
        assert reason in IGNORED_REASONS, reason
        super().__init__(reason, detail)


class Refused(NotPublished):
    """Something is wrong: the raw event goes to quarantine."""

    def __init__(self, reason: str, detail: str = "") -> None:
        assert reason in QUARANTINE_REASONS, reason
        super().__init__(reason, detail)


class FeedMessage(msgspec.Struct, gc=False):
    """One message for the feed's broker: what the pipeline makes, and then a row of the outbox."""

    topic: str
    payload: bytes
    kind: str  # obs, state, alarm, availability, canary
    asset: str
    t_ms: int
    retain: bool = False
    id: int = 0  # of its row, once it has one; below 0: a copy that goes early


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """The end of one event's way through the pipeline."""

    kind: Literal["published", "ignored", "quarantined"]
    event: str  # up, join, ...; "?" where the name is unknown
    reason: str = ""
    detail: str = ""
    messages: tuple[FeedMessage, ...] = ()
    readings: int = 1  # of a published event
