# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Who may read and write what on the feed's broker, tried out with a municipality's own login."""

from __future__ import annotations

import dataclasses

from revier_gateway.config import Config
from revier_gateway.doctor import probe
from revier_gateway.doctor.findings import Checked, ok, skipped, wrong
from revier_gateway.mqtt.link import Link, LinkRefused, LinkSettings, Outgoing
from revier_inventory import Inventory

WAIT_S = 1.5
NAMED_MAX = 3
NOBODY = "00000000"  # no municipality has this key
ANONYMOUS_CURE = "Set allow_anonymous false and a password_file in mosquitto.conf"
ACL_CURE = "Set acl_file in mosquitto.conf to a copy of gateway/deploy/mosquitto/revier.acl"
OWN_CURE = "Let a municipality read and write its own tree: pattern readwrite {root}/%u/#"
GATEWAY_CURE = (
    "Let the gateway's user read and write {root}/# (gateway/deploy/mosquitto/revier.acl)"
)
HOW = "Give a municipality's login: --municipality 05562032 --password-env VARIABLE"


async def anonymous(config: Config) -> list[Checked]:
    """Does the feed's broker take one who does not say who he is?"""
    named = probe.settings(config.feed, f"revier-doctor-{config.gateway.id}-nobody")
    nobody = dataclasses.replace(named, username=None, password=None)
    try:
        async with probe.session(nobody):
            what = "feed: the broker takes anybody, without a login"
            return [wrong("feed-anonymous", what, ANONYMOUS_CURE)]
    except LinkRefused:
        return [ok("feed-anonymous", "feed: nobody comes in without a login")]


async def gateway(config: Config, inventory: Inventory) -> list[Checked]:
    """May the gateway itself write the trees of its municipalities and its own, and read its own,
    where canaries come back and requests come in? Raises LinkLost."""
    root = config.feed.root
    own = probe.settings(config.feed, f"revier-doctor-{config.gateway.id}-feed")
    trees = [f"{root}/{owner.ags}" for owner in inventory.owners] + [f"{root}/_gateway"]
    refused = [tree for tree in trees if not await probe.takes(own, _topic(tree, config))]
    cure = GATEWAY_CURE.replace("{root}", root)
    if refused:
        named = ", ".join(refused[:NAMED_MAX]) + (", ..." if len(refused) > NAMED_MAX else "")
        return [wrong("feed-write", f"feed: the gateway cannot write {named}", cure)]
    reader = dataclasses.replace(own, client_id=f"{own.client_id}-read")
    if not await _comes(own, reader, f"{root}/_gateway/#", f"{root}/_gateway", config):
        return [wrong("feed-read", f"feed: the gateway cannot read {root}/_gateway", cure)]
    return [
        ok("feed-write", f"feed: the gateway can write {len(trees)} trees"),
        ok("feed-read", f"feed: the gateway can read {root}/_gateway"),
    ]


async def municipality(
    config: Config, inventory: Inventory, ags: str, password: bytes | None
) -> list[Checked]:
    """Can this municipality read or write another's tree, and its own? Raises LinkLost."""
    if not ags:
        what = "feed: may one municipality read or write another's tree?"
        return [skipped("feed-access", what, HOW)]
    root = config.feed.root
    other = next((owner.ags for owner in inventory.owners if owner.ags != ags), NOBODY)
    own = probe.settings(config.feed, f"revier-doctor-{config.gateway.id}-access")
    theirs = dataclasses.replace(
        own, client_id=f"{own.client_id}-{ags}", username=ags, password=password
    )
    try:
        return [
            await _reads(own, theirs, f"{root}/#", f"{root}/{other}", config),
            await _writes(theirs, f"{root}/{other}", config),
            await _writes(theirs, f"{root}/_gateway", config),
            await _reads(own, theirs, f"{root}/{ags}/#", f"{root}/{ags}", config, wanted=True),
            await _writes(theirs, f"{root}/{ags}", config, wanted=True),
        ]
    except LinkRefused as error:
        return [wrong("feed-login", f"feed: {ags}: {error}", "Is the login right? Password file?")]


async def _reads(
    own: LinkSettings,
    theirs: LinkSettings,
    pattern: str,
    tree: str,
    config: Config,
    wanted: bool = False,
) -> Checked:
    got = await _comes(own, theirs, pattern, tree, config)
    return _judged("read", theirs.username, tree, got, wanted)


async def _comes(
    own: LinkSettings, theirs: LinkSettings, pattern: str, tree: str, config: Config
) -> bool:
    """A message of ours in the tree: does it come to them? Granted subscriptions prove nothing:
    Mosquitto grants and then keeps silent."""
    topic = _topic(tree, config)
    async with probe.session(theirs) as reader, probe.session(own) as writer:
        if not await _subscribed(reader, pattern):
            return False
        await probe.publish(writer, [Outgoing(topic, b"{}")])
        heard = await probe.receive_for(reader, WAIT_S)
        return any(message.topic == topic for message in heard)


async def _subscribed(reader: Link, pattern: str) -> bool:
    try:
        await reader.subscribe([pattern])
    except LinkRefused:
        return False
    return True


async def _writes(theirs: LinkSettings, tree: str, config: Config, wanted: bool = False) -> Checked:
    can = await probe.takes(theirs, _topic(tree, config))
    return _judged("write", theirs.username, tree, can, wanted)


def _topic(tree: str, config: Config) -> str:
    return f"{tree}/_doctor/{config.gateway.id}/probe"


def _judged(what: str, who: str | None, tree: str, can: bool, wanted: bool) -> Checked:
    check = f"feed-{'own' if wanted else 'foreign'}-{what}"
    said = f"feed: {who} can{'' if can else 'not'} {what} {tree}"
    if can == wanted:
        return ok(check, said)
    root = tree.rpartition("/")[0]
    return wrong(check, said, OWN_CURE.replace("{root}", root) if wanted else ACL_CURE)
