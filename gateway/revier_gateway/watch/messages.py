# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the watch puts into the feed: an asset's availability, and the canary."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import msgspec

from revier_gateway.feed_messages import SCHEMA_VERSION, topic_of
from revier_gateway.outcomes import FeedMessage
from revier_gateway.values import instant, unix_ms
from revier_gateway.watch.standing import Standing, State
from revier_inventory import Asset

AVAILABILITY: Final = "availability"
CANARY: Final = "canary"
_encode = msgspec.json.Encoder().encode


class Availability(msgspec.Struct, frozen=True, omit_defaults=True):
    """Retained, of the kind availability."""

    schema: str
    asset: str
    state: State
    since: str
    last_seen: str = ""
    cause: str = ""  # of unknown, and of an offline asset that was never heard


class Canary(msgspec.Struct, frozen=True):
    gateway: str
    run: str  # numbers begin again with each run of the gateway
    n: int
    sent: str


def availability_of(
    asset: Asset, standing: Standing, at: datetime, last_ms: int | None, root: str
) -> FeedMessage:
    """at: since when; last_ms: when a frame of its device was heard last."""
    message = Availability(
        schema=f"urn:revier:schema:{AVAILABILITY}:{SCHEMA_VERSION}",
        asset=f"urn:revier:{asset.ags}:{asset.domain}:{asset.asset}",
        state=standing.state,
        since=instant(at),
        last_seen="" if last_ms is None else instant(datetime.fromtimestamp(last_ms / 1000, UTC)),
        cause=standing.cause,
    )
    topic = topic_of(root, asset.ags, asset.domain, asset.asset, AVAILABILITY)
    payload = _encode(message)
    return FeedMessage(topic, payload, AVAILABILITY, asset.asset, unix_ms(at), retain=True)


def canary_topic(root: str, gateway_id: str) -> str:
    return f"{root}/_gateway/{gateway_id}/canary"


def canary_of(root: str, gateway_id: str, run: str, number: int, at: datetime) -> FeedMessage:
    message = Canary(gateway_id, run, number, instant(at))
    return FeedMessage(canary_topic(root, gateway_id), _encode(message), CANARY, "", unix_ms(at))
