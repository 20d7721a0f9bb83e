# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Clock synchronisation over application messages on port 202, without I/O.

TS003 = LoRaWAN Application Layer Clock Synchronization, 1.0.0 and 2.0.0: the bytes are the same but
for the version in PackageVersionAns. For networks that answer no DeviceTimeReq.

    sync = ClockSync()
    data = sync.uplink(gps_s, True)           send on PORT; b"": nothing to say
    correction_s = sync.downlink(data)        of a Downlink on PORT; None: no correction in it

gps_s is the node's clock, GPS time in whole seconds, when the message leaves: build it late. What
must outlast a sleep: `token` and `asked` (an answer may come with a later uplink), `period_s`.
"""

import struct

PORT = 202
_PACKAGE = 1  # TS003 3.1: PackageIdentifier
# CID of a downlink -> bytes behind it: PackageVersionReq, AppTimeAns, DeviceAppTimePeriodicityReq,
# ForceDeviceResyncReq (2.0.0: ...Cmd)
_LENGTHS = {0: 0, 1: 5, 2: 1, 3: 1}


class ClockSync:
    def __init__(self, token: int = 0, asked: bool = False, version: int = 1) -> None:
        self.token = token & 15  # TS003 3.2: of the next AppTimeReq; one more after each answer
        self.version = version
        self.period_s: "int | None" = None  # between two requests, as the network wishes it
        self.requests_due = 0  # that ForceDeviceResyncReq asked for
        self.asked = asked  # a request with `token` has left
        self._version_due = False
        self._period_due = False

    def uplink(self, gps_s: int, ask: bool, ans_required: bool = False) -> bytes:
        """Answers that are due, then, if `ask` or if the network wants one, an AppTimeReq.

        ans_required: the server answers even if the clock is right, which a new clock must know.
        """
        data = bytearray()
        time = struct.pack("<I", gps_s & 0xFFFFFFFF)
        if self._version_due:
            data.extend(bytes((0, _PACKAGE, self.version)))
        if self._period_due:
            data.extend(b"\x02\x00" + time)  # Status: the periodicity is taken
        self._version_due = self._period_due = False
        if ask or self.requests_due:
            data.append(1)
            data.extend(time)
            data.append(ans_required << 4 | self.token)
            self.asked = True
            self.requests_due = max(0, self.requests_due - 1)
        return bytes(data)

    def downlink(self, data: bytes) -> "int | None":
        """Seconds to add to the clock, or None. An unknown or cut command ends the walk."""
        correction_s = None
        at = 0
        while at < len(data):
            cid = data[at]
            at += 1
            if cid not in _LENGTHS or at + _LENGTHS[cid] > len(data):
                break
            if cid == 0:
                self._version_due = True
            elif cid == 1:
                if self.asked and data[at + 4] & 15 == self.token:
                    correction_s = struct.unpack("<i", data[at : at + 4])[0]
                    self.token = (self.token + 1) & 15
                    self.asked = False
                    self.requests_due = 0
            elif cid == 2:
                self.period_s = 128 << (data[at] & 15)  # TS003 3.3: +- 30 s, drawn by the node
                self._period_due = True
            else:
                self.requests_due = data[at] & 7  # TS003 3.4: until a time comes; 0: none
            at += _LENGTHS[cid]
        return correction_s
