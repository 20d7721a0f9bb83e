# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
from __future__ import annotations

from collections.abc import Sequence

from revier_gateway import known, usual_frame
from revier_gateway.gaps.frames import FrameState
from revier_gateway.identity import DeviceState
from revier_gateway.known import Known
from revier_gateway.usual_frame import Like, UsualFrame
from revier_gateway.work import Seen, Work


class Memory:
    """The store's side of a unit of work, in memory."""

    def __init__(self) -> None:
        self.seen: dict[bytes, Seen] = {}
        self.usual: dict[str, bytes] = {}
        self.frames: dict[str, FrameState] = {}
        self.states: dict[str, DeviceState] = {}
        self.latest: dict[str, int] = {}

    def seen_before(self, key: bytes) -> Seen | None:
        return self.seen.get(key)

    def seen_among(self, keys: Sequence[bytes]) -> dict[bytes, Seen]:
        return {key: self.seen[key] for key in keys if key in self.seen}

    def usual_frame(self, dev_eui: str, like: Like, since_ms: int) -> int | None:
        heard_ms = usual_frame.found(self._usual(dev_eui), like)
        return None if heard_ms is None or heard_ms < since_ms else heard_ms

    def usual_readings(self, dev_eui: str, first: int, last: int) -> list[UsualFrame]:
        return [one for one in self._usual(dev_eui) if first <= one.seq <= last]

    def _usual(self, dev_eui: str) -> list[UsualFrame]:
        return list(usual_frame.unpack(self.usual.get(dev_eui, b"")))

    def known(self, dev_eui: str) -> Known:
        states = self.states.get(dev_eui, DeviceState()), self.frames.get(dev_eui, FrameState())
        return Known(dev_eui, *states, None, known.expected(dev_eui, *states))

    def frame_state(self, dev_eui: str) -> FrameState:
        return self.known(dev_eui).frames

    def latest_ms(self, asset: str) -> int | None:
        return self.latest.get(asset)

    def commit(self, work: Work) -> None:
        self.seen.update(work.seen)
        usual = dict(work.usual)
        for dev_eui, run in work.runs.items():
            self.states[dev_eui], self.frames[dev_eui] = run.known.now(run.records)
            usual[dev_eui] = run.records
        for dev_eui, some in usual.items():
            self.usual[dev_eui] = self.usual.get(dev_eui, b"") + some
        self.frames.update(work.frames)
        self.states.update(work.states)
        self.latest.update(work.latest)
