# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Randomness of the network server, drawn from one seed under names, so that runs repeat."""

import random
import uuid
from collections.abc import Sequence
from typing import Protocol, TypeVar

DEV_ADDR_BITS = 25  # NetID 000000 leaves 25 bits of the DevAddr free (L2 6.1.1)

Item = TypeVar("Item")


class Chance(Protocol):
    def uuid(self, name: str) -> str: ...
    def dev_addr(self) -> bytes: ...
    def downlink_id(self) -> int: ...
    def pick(self, items: Sequence[Item], weights: Sequence[int]) -> Item: ...


class SeededChance:
    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._sources: dict[str, random.Random] = {}

    def _source(self, name: str) -> random.Random:
        if name not in self._sources:
            self._sources[name] = random.Random(f"{self._seed}:network-server:{name}")  # noqa: S311
        return self._sources[name]

    def uuid(self, name: str) -> str:
        return str(uuid.UUID(int=self._source(name).getrandbits(128), version=4))

    def dev_addr(self) -> bytes:
        return self._source("dev_addr").getrandbits(DEV_ADDR_BITS).to_bytes(4, "big")

    def downlink_id(self) -> int:
        return self._source("downlink_id").getrandbits(32)

    def pick(self, items: Sequence[Item], weights: Sequence[int]) -> Item:
        return self._source("gateway").choices(items, weights)[0]
