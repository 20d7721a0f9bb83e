# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Measurement to feed messages: what the data platform gets.

docs/protocol/feed.md describes topics and fields; these types are the truth it is checked against.
"""

from __future__ import annotations

from typing import Literal, cast

import msgspec

from revier_gateway import __version__
from revier_gateway.decode_values import Coded
from revier_gateway.enrich import ALARM, Measurement
from revier_gateway.gaps.causes import Cause
from revier_gateway.outcomes import FeedMessage
from revier_gateway.values import Value, instant_of_ms
from revier_inventory import DOMAIN_BY_KIND, Asset

SCHEMA_MAJOR = "v1"
SCHEMA_VERSION = "1.0.0"


class Point(msgspec.Struct, frozen=True, gc=False, tag_field="type", tag="Point"):
    coordinates: tuple[float, float]  # longitude, latitude


class Provenance(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    net: str
    dev_eui: str
    f_cnt: int
    f_port: int
    dr: int
    gw_n: int
    codec: str
    gwsw: str
    rssi: int | None = None
    snr: float | None = None
    epoch: str = "0"  # "0": seq is the node's own whole sequence
    t_clamped: bool = False


class Observation(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The message of the kinds obs and state."""

    schema: str
    id: str
    asset: str
    device: str
    seq: int
    rev: int
    t: str
    t_src: Literal["node", "network", "gateway"]
    rx: str
    late: bool
    loc: Point
    m: dict[str, Value]
    prov: Provenance
    flags: tuple[str, ...] = ()


class Gap(msgspec.Struct, frozen=True, omit_defaults=True):
    """The message of the kind gap: frames of a device that nobody heard, and what is known of it.

    It comes again with a higher rev when more is known, and with the state filled when nothing is
    missing any more.
    """

    schema: str
    id: str
    rev: int
    asset: str
    device: str
    state: Literal["missing", "filled"]
    cause: Cause
    t_from: str  # the frame before was received then
    t_to: str  # and the frame after
    f_cnt: tuple[int, int] | None  # the first and the last; None: the device joined anew meanwhile
    frames: int  # still missing; 0 where f_cnt is None: not known
    readings: int | None = None  # still missing; absent: not known
    seq: tuple[int, int] | None = None  # of the readings among which they are
    confirmed: bool = False  # the node's own log was asked, and has no more of them


class CommandFate(msgspec.Struct, frozen=True, omit_defaults=True):
    """The message of the kind command: what became of one, at each change."""

    schema: str
    id: str
    asset: str
    device: str
    command: str  # configure, backfill, downlink
    state: Literal["waiting", "queued", "sent", "acknowledged", "failed", "expired"]
    t: str  # of the change
    attempts: int
    reason: str = ""


class GatewayStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """Retained on {root}/_gateway/{id}/status, and the last will with status offline."""

    status: Literal["online", "offline"]
    gateway: str
    gwsw: str
    source: Literal["", "online", "offline"] = ""  # online: subscribed to ChirpStack's events
    since: str = ""
    reason: str = ""
    problem: str = ""  # why no event is taken from ChirpStack's broker now
    waiting: int = 0  # messages that are still to come, while a long outbox is being emptied
    caught_up_at: str = ""  # when that will be over, as far as is known


def topic_of(root: str, ags: str, domain: str, asset: str, kind: str) -> str:
    return f"{root}/{ags}/{domain}/{asset}/{kind}"


def status_topic(root: str, gateway_id: str) -> str:
    return f"{root}/_gateway/{gateway_id}/status"


def asset_urn(ags: str, domain: str, asset: str) -> str:
    return f"urn:revier:{ags}:{domain}:{asset}"


def device_urn(dev_eui: str) -> str:
    return f"urn:dev:mac:{dev_eui}"


def schema_of(domain: str) -> str:
    return f"urn:revier:schema:obs-{domain}:{SCHEMA_VERSION}"


def gap_message(root: str, ags: str, domain: str, asset: str, gap: Gap, t_ms: int) -> FeedMessage:
    return FeedMessage(topic_of(root, ags, domain, asset, "gap"), _encode(gap), "gap", asset, t_ms)


def command_message(
    root: str, ags: str, domain: str, asset: str, fate: CommandFate, t_ms: int
) -> FeedMessage:
    topic = topic_of(root, ags, domain, asset, "command")
    return FeedMessage(topic, _encode(fate), "command", asset, t_ms)


_encode = msgspec.json.Encoder().encode
PLACES_KEPT_MAX = 50_000


class _Place(msgspec.Struct, frozen=True, gc=False):
    """What all observations of an asset have in common."""

    asset: Asset
    root: str
    schema: str
    urn: str
    loc: Point  # in JSON
    obs_topic: str
    state_topic: str


_places: dict[str, _Place] = {}
_codecs = {kind: f"revier-{kind}@1" for kind in (*DOMAIN_BY_KIND, ALARM)}


def _place_of(asset: Asset, root: str) -> _Place:
    """An inventory that was read again has other records."""
    place = _places.get(asset.asset)
    if place is None or place.asset is not asset or place.root != root:
        where = (asset.ags, asset.domain, asset.asset)
        place = _Place(
            asset,
            root,
            schema_of(asset.domain),
            asset_urn(*where),
            cast(Point, _encoded(Point((asset.lon, asset.lat)))),
            topic_of(root, *where, "obs"),
            topic_of(root, *where, "state"),
        )
        if len(_places) >= PLACES_KEPT_MAX:
            _places.clear()
        _places[asset.asset] = place
    return place


def _encoded(part: object) -> msgspec.Raw:
    """Goes into a message as it is: the encoder looks at what a field holds, not at its type."""
    return msgspec.Raw(_encode(part))


def messages_of(
    measurement: Measurement, reading_id: str, root: str, newest_ms: int | None
) -> tuple[FeedMessage, ...]:
    """The observation, and the asset's retained state where nothing newer was measured.

    newest_ms is the time of the asset's newest observation so far.
    """
    asset, t_ms = measurement.asset, measurement.measured_ms
    late = newest_ms is not None and t_ms < newest_ms
    place, name = _place_of(asset, root), asset.asset
    payload = _encode(_observation(measurement, reading_id, late, place))
    if measurement.reading.kind == ALARM:
        topic = topic_of(root, asset.ags, asset.domain, name, ALARM)
        return (FeedMessage(topic, payload, ALARM, name, t_ms),)
    obs = FeedMessage(place.obs_topic, payload, "obs", name, t_ms)
    if late:
        return (obs,)
    return obs, FeedMessage(place.state_topic, payload, "state", name, t_ms, True)


def _observation(
    measurement: Measurement, reading_id: str, late: bool, place: _Place
) -> Observation:
    reading, identity, values = measurement.reading, measurement.identity, measurement.values
    uplink = reading.uplink
    in_json = msgspec.Raw(values.to_json()) if isinstance(values, Coded) else values
    return Observation(
        schema_of(ALARM) if reading.kind == ALARM else place.schema,
        reading_id,
        place.urn,
        device_urn(uplink.dev_eui),
        identity.seq,
        0,
        instant_of_ms(measurement.measured_ms),
        "node" if reading.node_time else uplink.heard_src,
        instant_of_ms(uplink.received_ms),
        late,
        place.loc,
        cast("dict[str, Value]", in_json),
        Provenance(
            "lorawan",
            uplink.dev_eui,
            uplink.f_cnt,
            uplink.f_port,
            uplink.dr,
            len(uplink.gateways),
            _codecs[reading.kind],
            __version__,
            uplink.rssi_dbm,
            uplink.snr_db,
            identity.epoch,
            uplink.heard_clamped,
        ),
        reading.flags,
    )
