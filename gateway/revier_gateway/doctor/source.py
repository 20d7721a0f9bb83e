# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What ChirpStack really sends: listened to for a while."""

from __future__ import annotations

from datetime import UTC, datetime

from revier_gateway import event_topic, events, uplink
from revier_gateway.alerts.rules import CLOCK_OFF_S
from revier_gateway.config import Config
from revier_gateway.doctor import probe
from revier_gateway.doctor.findings import Checked, ok, wrong
from revier_gateway.mqtt.link import LinkLost, LinkRefused, Message
from revier_gateway.outcomes import NotPublished
from revier_gateway.values import unix_ms

QOS_CURE = (
    "Set qos = 1 in [integration.mqtt] of chirpstack.toml (gateway/deploy/chirpstack/) and "
    "restart ChirpStack: with QoS 0 every event that comes while the gateway is away is lost"
)
SILENT_CURE = (
    "Does ChirpStack hear anything (its page Gateways)? Does event_topic of [integration.mqtt] fit "
    "[source] topic? May the gateway's user read application/#? Or listen longer: --listen 600"
)
CLOCK_CURE = "Set the clock: timedatectl set-ntp true, here and on ChirpStack's machine"
COMMANDS_CURE = (
    "Let the gateway's user write application/+/device/+/command/+ "
    "(gateway/deploy/mosquitto/revier.acl), or configure [chirpstack]"
)
NO_APPLICATION, NO_DEVICE = "00000000-0000-0000-0000-000000000000", "0000000000000000"
SUBSCRIBE_CURE = "Let the gateway's user read application/# (gateway/deploy/mosquitto/revier.acl)"


async def listen(config: Config, seconds: float, now: datetime | None = None) -> list[Checked]:
    """Events of this time: their QoS, and how far the clocks differ. Raises LinkLost."""
    client_id = f"revier-doctor-{config.gateway.id}-listen"
    async with probe.session(probe.settings(config.source, client_id)) as link:
        try:
            topic = event_topic.parse(config.source.topic).filter
            await link.subscribe([topic], config.source.qos)
        except LinkRefused as error:
            return [wrong("source-subscription", f"source: {error}", SUBSCRIBE_CURE)]
        try:
            got = await probe.receive_for(link, seconds, 1)
        except LinkLost as error:
            return [wrong("source-silent", f"source: {error}", SILENT_CURE)]
    if not got:
        return [wrong("source-silent", f"source: no event within {seconds:.0f} s", SILENT_CURE)]
    return [
        ok("source-silent", "source: events come"),
        _qos(got),
        *_clock(got, now or datetime.now(UTC)),
    ]


async def commands(config: Config) -> list[Checked]:
    """May the gateway write ChirpStack's command topic? With [chirpstack] it need not. The probe is
    for no device, and no command that ChirpStack knows. Raises LinkLost."""
    if config.chirpstack is not None:
        return []
    topic = config.commands.topic.format(application_id=NO_APPLICATION, dev_eui=NO_DEVICE)
    topic = topic.removesuffix("/down") + "/doctor"
    client_id = f"revier-doctor-{config.gateway.id}-commands"
    if not await probe.takes(probe.settings(config.source, client_id), topic):
        return [wrong("source-commands", "source: the gateway cannot send commands", COMMANDS_CURE)]
    return [ok("source-commands", "source: the gateway can send commands")]


def _qos(got: list[Message]) -> Checked:
    if any(message.packet_id is None for message in got):
        return wrong("source-qos", "source: ChirpStack publishes with QoS 0", QOS_CURE)
    return ok("source-qos", "source: ChirpStack publishes with QoS 1")


def _clock(got: list[Message], now: datetime) -> list[Checked]:
    """By the youngest event that says when the network server had it."""
    ages_s = []
    for message in got:
        try:
            event = events.parse(events.name_in_topic(message.topic), message.payload)
            if isinstance(event, events.UplinkEvent):
                received_ms = uplink.uplink_of(event, unix_ms(now)).received_ms
                ages_s.append((unix_ms(now) - received_ms) / 1000)
        except NotPublished:
            continue
    if not ages_s:
        return []
    age_s = min(ages_s, key=abs)
    if abs(age_s) > CLOCK_OFF_S:
        what = f"this clock and the network server's differ by {age_s:+.1f} s"
        return [wrong("clock", what, CLOCK_CURE)]
    return [ok("clock", f"this clock and the network server's differ by {age_s:+.1f} s")]
