# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The data rate of a node that does not leave it to the network's ADR. Pure: no clock, no radio.

A car above a node in the ground takes 10 to 25 dB of its link, within a second. A network that
takes the best SNR of the last 20 uplinks and never lowers the data rate (ChirpStack's default ADR
does both) would leave that node at a rate that only reaches it while the bay is empty. So the node
keeps a reserve over the demodulation floor: link checks tell the margin; down at once, up slowly.
"""

MYPY = False
if MYPY:
    from revier_mac.device import Device
    from revier_node.store import State


DR_HIGHEST = 5  # RP002-1.0.4 2.4: DR6 needs a channel of 250 kHz
CHECK_EVERY = 16  # uplinks between two link checks: a downlink costs the gateway more than us
UP_AFTER = 4  # link checks in a row that allow more
DOWN_SILENT = 2  # steps for the first request without an answer; the next goes to the floor
_STEP_HALF_DB = 5  # from one spreading factor to the next: 2.5 dB


def allowed(dr: int, margin_db: int, reserve_db: int) -> int:
    """The highest data rate that leaves the reserve, if this margin was seen at `dr`."""
    return min(DR_HIGHEST, dr + 2 * (margin_db - reserve_db) // _STEP_HALF_DB)


def answered(
    dr: int, good: int, margin_db: int, reserve_db: int, floor_dr: int
) -> "tuple[int, int]":
    """(data rate, good checks in a row) after a link check's answer."""
    most = max(floor_dr, allowed(dr, margin_db, reserve_db))
    if most <= dr:
        return most, 0
    good += 1
    return (dr + 1, 0) if good >= UP_AFTER else (dr, good)


def silent(dr: int, times: int, floor_dr: int) -> int:
    """The data rate after so many requests in a row without an answer: a car may have come."""
    return max(floor_dr, dr - DOWN_SILENT) if times == 1 else min(dr, floor_dr)


class Managed:
    """Around each uplink: sets the session's data rate. What it counts lives in the state."""

    def __init__(self, reserve_db: int, floor_dr: int) -> None:
        """floor_dr: the lowest data rate at which the duty cycle passes the kind's busiest hour."""
        self._reserve_db = reserve_db
        self._floor = floor_dr
        self._asked = False
        self.margin_db: "int | None" = None  # of the LinkCheckAns in this exchange

    def before(self, device: "Device", state: "State") -> None:
        """After silence and after a join, ask at once."""
        self._set(device, device.session.dr)
        self.margin_db = None
        self._asked = not state.link_uplinks or state.link_silent > 0
        if self._asked:
            device.request_link_check()
            state.unanswered = min(state.unanswered + 1, 0xFFFF)
        state.link_uplinks = (state.link_uplinks + 1) % CHECK_EVERY

    def after(self, device: "Device", state: "State", unacknowledged: bool) -> None:
        session = device.session
        before = dr = session.dr
        if self.margin_db is not None:
            state.link_silent = 0
            dr, state.link_good = answered(
                dr, state.link_good, self.margin_db, self._reserve_db, self._floor
            )
        elif self._asked or unacknowledged:
            state.link_good = 0
            state.link_silent = min(state.link_silent + 1, 255)
            dr = silent(dr, state.link_silent, self._floor)
        self._set(device, dr)
        if session.dr != before:
            state.session = session.pack()  # the MAC's own record is older

    def _set(self, device: "Device", dr: int) -> None:
        """Within floor and highest, as far as the network's channels have it."""
        session = device.session
        dr = max(self._floor, min(DR_HIGHEST, dr))
        while dr < DR_HIGHEST and not session.usable(session.mask, dr):
            dr += 1
        if session.usable(session.mask, dr):
            session.dr = dr
