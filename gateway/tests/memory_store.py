# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
from __future__ import annotations

from collections.abc import Sequence

from revier_gateway.identity import DeviceState
from revier_gateway.work import Seen, Work


class Memory:
    """The store's side of a unit of work, in memory."""

    def __init__(self) -> None:
        self.seen: dict[bytes, Seen] = {}
        self.states: dict[str, DeviceState] = {}
        self.latest: dict[str, int] = {}

    def seen_before(self, key: bytes) -> Seen | None:
        return self.seen.get(key)

    def seen_among(self, keys: Sequence[bytes]) -> dict[bytes, Seen]:
        return {key: self.seen[key] for key in keys if key in self.seen}

    def device_state(self, dev_eui: str) -> DeviceState:
        return self.states.get(dev_eui, DeviceState())

    def latest_ms(self, asset: str) -> int | None:
        return self.latest.get(asset)

    def commit(self, work: Work) -> None:
        self.seen.update(work.seen)
        self.states.update(work.states)
        self.latest.update({asset: t_ms for asset, (t_ms, _) in work.latest.items()})
