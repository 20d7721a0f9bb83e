# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The subscriber of ours that reads the canary back, over a connection of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec

from revier_gateway import feed
from revier_gateway.config import Config
from revier_gateway.mqtt.keep import Ready
from revier_gateway.mqtt.link import Link, LinkSettings
from revier_gateway.watch.messages import Canary, canary_topic

_decode = msgspec.json.Decoder(Canary).decode


def link_settings(config: Config) -> LinkSettings:
    """The feed's, for a reader of its own. Raises LinkRefused as those do."""
    client_id = f"revier-gateway-{config.gateway.id}-canary"
    return replace(feed.link_settings(config), client_id=client_id, will=None)


class CanaryReader:
    def __init__(self, config: Config, came_back: Callable[[Canary], None]) -> None:
        self._topic = canary_topic(config.feed.root, config.gateway.id)
        self._came_back = came_back

    async def use(self, link: Link, ready: Ready) -> None:
        """For mqtt.keep."""
        await link.subscribe([self._topic])
        ready()
        while True:
            batch = await link.receive()
            for message in batch:
                try:
                    canary = _decode(message.payload)
                except msgspec.DecodeError:
                    continue  # somebody else's: nothing of ours came back
                self._came_back(canary)
            link.acknowledge(batch)
