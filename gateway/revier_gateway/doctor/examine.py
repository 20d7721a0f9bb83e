# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""All checks, one after the other, in the order in which one leads to the next."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec

from revier_gateway import inventory_dir
from revier_gateway.alerts.rules import CERTIFICATE_DAYS
from revier_gateway.config import Config, Feed, Source
from revier_gateway.doctor import access, broker, files, network_server, source
from revier_gateway.doctor.findings import Checked, ok, skipped, wrong
from revier_gateway.mqtt.link import LinkLost
from revier_gateway.watch import certificates
from revier_inventory import Inventory, InventoryError

LINK_CURE = "Is the broker there? Host, port, login and certificate in the configuration"
CERTIFICATE_CURE = "Renew it: docs/runbooks/certificate-expiring.md"


class Options(msgspec.Struct, frozen=True):
    listen_s: float = 30.0
    municipality: str = ""
    password: bytes | None = None
    chirpstack_toml: Path | None = None
    mosquitto_conf: Path | None = None


async def examine(config: Config, options: Options) -> AsyncIterator[Checked]:
    """Each result as soon as it is known."""
    inventory = Inventory()
    try:
        inventory = inventory_dir.read(config.inventory_dir)
        yield ok("inventory", f"inventory: {len(inventory.assets)} assets, without a fault")
    except (InventoryError, OSError) as error:
        yield wrong("inventory", f"inventory: {error}", "revier-provision inventory check")
    for one in _files(options):
        yield one
    feed = config.feed
    legs: dict[str, Source | Feed] = {"source": config.source, "feed": feed}
    if (config.source.host, config.source.port) == (feed.host, feed.port):
        del legs["source"]
        yield skipped("source-queue", "source: its broker is the feed's", "It is probed as such")
    async for one in _each(legs, config):
        yield one
    who, password = options.municipality, options.password
    for name, check in (
        ("source", partial(source.listen, config, options.listen_s)),
        ("source", partial(source.commands, config)),
        ("feed", partial(access.anonymous, config)),
        ("feed", partial(access.gateway, config, inventory)),
        ("feed", partial(access.municipality, config, inventory, who, password)),
    ):
        for one in await _or_lost(name, check):
            yield one
    for one in (*await network_server.look(config, inventory), *await _certificates(config)):
        yield one


async def _each(legs: dict[str, Source | Feed], config: Config) -> AsyncIterator[Checked]:
    for name, leg in legs.items():
        for check in (
            partial(broker.mark, config, name, leg, time.time()),
            partial(broker.queue, config, name, leg),
        ):
            for one in await _or_lost(name, check):
                yield one


async def _or_lost(name: str, check: Callable[[], Awaitable[list[Checked]]]) -> list[Checked]:
    try:
        return await check()
    except LinkLost as error:
        return [wrong(f"{name}-link", f"{name}: {error}", LINK_CURE)]


def _files(options: Options) -> list[Checked]:
    results = []
    if options.chirpstack_toml is not None:
        results += files.chirpstack(options.chirpstack_toml)
    else:
        what = "chirpstack.toml: QoS, session, history"
        results.append(skipped("chirpstack.toml", what, "Name it with --chirpstack-toml"))
    if options.mosquitto_conf is not None:
        results += files.mosquitto(options.mosquitto_conf)
    else:
        what = "mosquitto.conf: what cannot be seen from outside"
        results.append(skipped("mosquitto.conf", what, "Name it with --mosquitto-conf"))
    return results


async def _certificates(config: Config) -> list[Checked]:
    days_left = await certificates.look(config, datetime.now(UTC))
    if not days_left:
        return [skipped("certificate", "certificates: there are none", "[source.tls], [feed.tls]")]
    return [
        ok("certificate", f"{name}: the certificate is valid for {days:.0f} days")
        if days >= CERTIFICATE_DAYS
        else wrong(
            "certificate", f"{name}: the certificate ends in {days:.0f} days", CERTIFICATE_CURE
        )
        for name, days in days_left.items()
    ]
