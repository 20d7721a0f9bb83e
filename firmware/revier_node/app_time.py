# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Clock synchronisation on port 202 (TS003), for networks that answer no DeviceTimeReq.

Imported when something comes on the port, and when the time is due though this wake has asked for
it: at the third start and every eighth from there, for the network may know neither way, or not
hear us at all.
What it must remember between two wakes is noted (notes.py) under "time":

    token    of the next AppTimeReq
    asked    the chip's clock (ms) when the last one left; 0: it has its answer, or there was none
    offset   of the clock that it told (ms, Unix); 0: the chip's own
    period   seconds, as the network wishes it; 0: ours
    due      requests that the network wants
    answer   bytes of answers that the next message carries
"""

from revier_mac.ts003 import PORT, ClockSync
from revier_node import notes, store
from revier_node.clock import COARSE, GPS_LEAP_S, GPS_UNIX_S, now_ms

MYPY = False
if MYPY:
    from revier_node.app import Node
    from revier_node.clock import Clock


_FRESH = {"token": 0, "asked": 0, "offset": 0, "period": 0, "due": 0, "answer": []}


def hear(data: bytes, clock: "Clock") -> None:
    """A downlink on PORT. The time takes effect at once, answers wait for speak()."""
    note = _load()
    sync = ClockSync(note["token"], note["asked"] > 0)
    correction_s = sync.downlink(data)
    same_clock = note["asked"] <= now_ms() and note["offset"] in (0, clock.state.unix_offset_ms)
    if correction_s is not None and same_clock:
        _correct(clock, note["offset"], correction_s)
    if not sync.asked:
        note["asked"] = note["due"] = 0
    note["token"] = sync.token
    if sync.requests_due or not data or _forced(data):
        note["due"] = sync.requests_due
    note["period"] = sync.period_s or note["period"]
    sync.requests_due = 0
    note["answer"] = list(sync.uplink(_gps_s(clock.state.unix_offset_ms), False))
    _save(clock.state, note)


def speak(node: "Node") -> None:
    """After a wake's messages: what the network is owed, and the question if it is time for it."""
    state, clock = node.state, node.clock
    note = _load()
    old_s = (now_ms() - max(state.clock_set_ms, note["asked"])) // 1000
    ask = clock.sync_due() or note["due"] > 0 or 0 < note["period"] <= old_s
    data = bytes(note["answer"])
    note["answer"] = []
    if ask:
        sync = ClockSync(note["token"])
        data += sync.uplink(_gps_s(state.unix_offset_ms), True, not state.unix_offset_ms)
        note["due"] = max(0, note["due"] - 1)
        note["asked"], note["offset"] = now_ms(), state.unix_offset_ms
    _save(state, note)  # before the answer can come
    if data:
        node.link().send(PORT, data, state.seq)


def _correct(clock: "Clock", offset_ms: int, correction_s: int) -> None:
    from revier_node import news

    gps_s = (_gps_s(offset_ms) + correction_s) & 0xFFFFFFFF
    parts = (now_ms() + offset_ms) % 1000 * 256 // 1000
    if news.set_gps(clock, gps_s, parts, clock.mac_ms(), COARSE):
        news.say_time(clock)


def _gps_s(offset_ms: int) -> int:
    """TS003 3.2: seconds since 1980-01-06, modulo 2^32."""
    return ((now_ms() + offset_ms) // 1000 - GPS_UNIX_S + GPS_LEAP_S) & 0xFFFFFFFF


def _forced(data: bytes) -> bool:
    """ForceDeviceResyncReq with no transmissions takes back an earlier one."""
    return len(data) == 2 and data[0] == 3


def _load() -> dict:
    note = dict(_FRESH)
    note.update(notes.load().get("time", {}))
    return note


def _save(state: "store.State", note: dict) -> None:
    notes.save("time", note)
    state.flags &= ~store.FLAG_APP_TIME
    if note["answer"] or note["due"] or note["period"] or notes.load().get("owed"):
        state.flags |= store.FLAG_APP_TIME
