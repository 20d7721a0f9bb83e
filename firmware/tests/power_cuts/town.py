# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The other side of the air, with a memory that no cut touches: it finds whatever comes twice."""

import peer
from aes import new_aes

from revier_mac.frames import Key


class FaultError(Exception):
    """What must not happen."""


class Town:
    def __init__(self):
        self.keys = []  # every AppKey that the node may have
        self.nonces = ()
        self.sessions = ()  # (NwkSKey, AppSKey), newest last
        self.join_nonce = 0
        self.sent = {}  # (NwkSKey, FCntUp) -> exchange
        self.readings = {}  # sequence -> exchange
        self.newest = {}  # NwkSKey -> FCntUp and sequence of the newest reading
        self.effects = {}  # (NwkSKey, FCntDown)
        self.f_cnt_down = {}  # NwkSKey -> next
        self.last_downlink = None
        self.exchange = 0
        self.told = None, b""  # port and data of the last uplink
        self.seq = None  # of the reading that is being sent, where the frame does not say it whole
        self._seen = self._copy = None

    def copy(self):
        other = Town()
        for name in ("nonces", "sessions", "join_nonce", "last_downlink", "exchange"):
            setattr(other, name, getattr(self, name))
        other.keys = self.keys
        for name in ("sent", "readings", "newest", "effects", "f_cnt_down"):
            setattr(other, name, dict(getattr(self, name)))
        return other

    def snapshot(self):
        """A copy to keep; the same one as long as nothing has happened."""
        seen = (
            self.exchange, len(self.nonces), len(self.sessions), self.join_nonce, len(self.sent),
            len(self.readings), len(self.effects), sum(self.f_cnt_down.values()),
        )  # fmt: skip
        if seen != self._seen:
            self._seen = seen
            self._copy = self.copy()
        return self._copy

    def join(self, frame, answer=True):
        nonce = frame[17] | frame[18] << 8
        if nonce in self.nonces:
            raise FaultError("DevNonce %d twice" % nonce)
        self.nonces += (nonce,)
        for app_key in self.keys:
            key = Key(new_aes, app_key)
            if bytes(key.cmac(None, frame, 0, 19)[:4]) == frame[19:]:
                break
        else:
            raise FaultError("unknown key")
        if not answer:
            return None
        net = peer.Network()
        peer.APP_KEY = app_key
        net.key = key
        net.join_nonce = self.join_nonce
        accept = net.accept(frame)
        self.join_nonce = net.join_nonce
        self.sessions += ((net.nwk_s_key, net.app_s_key),)
        return accept

    def network(self, session):
        net = peer.Network()
        net.nwk_s_key, net.app_s_key = session
        net.nwk = Key(new_aes, session[0])
        net.app = Key(new_aes, session[1])
        return net

    def uplink(self, frame):
        """Returns the session's network."""
        f_cnt = frame[6] | frame[7] << 8  # these stories stay below 65,536 frames
        for session in reversed(self.sessions):
            net = self.network(session)
            try:
                _, _, _, port, data = net.read(frame, f_cnt)
            except AssertionError:
                continue
            break
        else:
            raise FaultError("an uplink that no session explains")
        self._once(self.sent, (session[0], f_cnt), "FCntUp %d" % f_cnt)
        self.told = port, data
        self.last = session[0], f_cnt
        if port == 10:
            self.once_reading(int.from_bytes(data, "little"))
        return net

    def once_reading(self, seq):
        self._once(self.readings, seq, "reading %d" % seq)

    def in_step(self, seq):
        """The sequence moves no further than FCntUp (store.py)."""
        nwk_s_key, f_cnt = self.last
        newest = self.newest.get(nwk_s_key)
        if newest is None or seq > newest[1]:
            if newest and seq - newest[1] > f_cnt - newest[0]:
                raise FaultError("sequence further than FCntUp")
            self.newest[nwk_s_key] = f_cnt, seq

    def same_reading(self, seq, data):
        """It may go out again, in another frame; what it says stays."""
        if self.readings.setdefault(seq, data) != data:
            raise FaultError("reading %d says something else" % seq)

    def next_f_cnt_down(self, net):
        f_cnt = self.f_cnt_down.get(net.nwk_s_key, 0)
        self.f_cnt_down[net.nwk_s_key] = f_cnt + 1
        return f_cnt

    def _once(self, seen, key, what):
        if seen.setdefault(key, self.exchange) != self.exchange:
            raise FaultError(what + " twice")

    def effect(self, nwk_s_key, f_cnt):
        key = (nwk_s_key, f_cnt)
        if key in self.effects:
            raise FaultError("FCntDown %d takes effect twice" % f_cnt)
        self.effects[key] = True
