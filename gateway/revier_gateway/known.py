# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What is known of a device: as its row has it, the usual frames since then, and what its next
frame will be if it is a usual one (usual_frame.py).

A usual frame changes five numbers, so nothing else is touched for it: the row's states are carried
on to now when somebody asks for them, which is when something else has happened.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from revier_gateway import identity, usual_frame
from revier_gateway.gaps import frames as counting
from revier_gateway.gaps.frames import FrameState, Hole
from revier_gateway.identity import DeviceState
from revier_gateway.uplink import Uplink
from revier_gateway.usual_frame import UsualFrame
from revier_gateway.values import device_id

States = tuple[DeviceState, FrameState]


class Head(msgspec.Struct, frozen=True, gc=False):
    """What the usual frames of a session have in common."""

    device: int  # values.device_id
    address: int
    dev_addr: str
    tenant_id: str
    application_id: str
    per_frame: int  # new readings in one frame, at most


class Expected(msgspec.Struct, frozen=True, gc=False):
    """The next usual frame."""

    head: Head
    f_cnt: int
    after_ms: int  # it is counted later than this (Uplink.counted_ms)
    anchored: int  # f_cnt of the frame that brought the newest reading
    seq: int  # that reading's


class Waiting(msgspec.Struct):
    """Usual frames of a device that are in the journal alone."""

    since: int  # the first one's row
    before: int  # frames that had gone into the journal before that row
    records: bytearray


class Known(msgspec.Struct, gc=False):
    """A device. The states are those of its row; waiting is what came since."""

    dev_eui: str
    device: DeviceState = DeviceState()
    frames: FrameState = FrameState()
    waiting: Waiting | None = None
    expected: Expected | None = None

    def now(self, more: bytes = b"") -> States:
        """The states after all usual frames; more: those of a batch that is not committed yet."""
        waiting = b"" if self.waiting is None else bytes(self.waiting.records)
        return carried_on(self.device, self.frames, list(usual_frame.unpack(waiting + more)))


def carried_on(device: DeviceState, frames: FrameState, since: Sequence[UsualFrame]) -> States:
    if not since:
        return device, frames
    steps = [(one.f_cnt, one.heard_ms, one.seq, one.content) for one in since]
    last = since[-1]
    return (
        identity.carry_on(device, steps),
        counting.count_on(frames, last.f_cnt, last.counted_ms) if frames.sessions else frames,
    )


def expected(dev_eui: str, device: DeviceState, frames: FrameState) -> Expected | None:
    """None where no next frame is a usual one: it will be looked at closely."""
    newest = identity.newest_whole(device)
    if newest is None or not frames.sessions:
        return None
    counted = frames.sessions[-1]
    dev_addr, f_cnt = device.sessions[-1].dev_addr, device.sessions[-1].newest_f_cnt
    if dev_addr != counted.dev_addr or f_cnt > counted.newest:
        return None
    if counted.holes and not _are_settled(counted.holes, newest[0], device, frames):
        return None
    owner = frames.tenant_id, frames.application_id
    head = Head(device_id(dev_eui), int(dev_addr, 16), dev_addr, *owner, device.per_frame)
    after_ms = max(frames.received_ms, counted.newest_ms, counted.began_ms)
    return Expected(head, counted.newest + 1, after_ms, *newest)


def _are_settled(
    holes: Sequence[Hole], anchored: int, device: DeviceState, frames: FrameState
) -> bool:
    """Will usual frames tell nothing more of the readings in them?"""
    if any(hole.seq_first < 0 and hole.last >= anchored for hole in holes):
        return False
    return counting.with_sequences(frames, device) == frames


def is_next(wanted: Expected, up: Uplink) -> bool:
    head, device = wanted.head, up.device
    return (
        up.f_cnt == wanted.f_cnt
        and up.counted_ms > wanted.after_ms
        and up.dev_addr == head.dev_addr
        and device.tenant_id == head.tenant_id
        and device.application_id == head.application_id
    )


def next_seq(wanted: Expected, seq_low: int, seq_bits: int) -> int | None:
    """The whole sequence of the reading in that frame; None: it is not the next one's."""
    frames = wanted.f_cnt - wanted.anchored
    return identity.next_seq(wanted.seq, seq_low, seq_bits, frames, wanted.head.per_frame)


def after(wanted: Expected, counted_ms: int, seq: int) -> Expected:
    """What follows on the usual frame that was expected."""
    f_cnt = wanted.f_cnt
    return Expected(wanted.head, f_cnt + 1, counted_ms, f_cnt, seq)
