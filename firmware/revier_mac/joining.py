# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""One try to join: its request, its pace, and the session that a join accept makes.

L2 = LoRaWAN L2 1.0.4; RP = RP002-1.0.4.
"""

from collections import namedtuple

from revier_mac import actions as act
from revier_mac import airtime as eu868
from revier_mac import counts
from revier_mac.frames import Key, same_mic

if 0:  # for the type checker; compiles to nothing
    from revier_mac.commands import Context
    from revier_mac.frames import NewAes
    from revier_mac.session import Session

# L2 6.2.6, as on the wire; nonces: JoinNonce and NetID
JoinAccept = namedtuple("JoinAccept", "nonces dev_addr dl_settings rx_delay cf_list")

SIZE = 23
MASK = 7  # RP 2.4.2: only on the three default channels
# The first tries reach ever farther. Seen with a real ChirpStack: a join accept arrives some 6 dB
# weaker than its request (16 dBm without the mast's antenna gain), so a node at the edge was heard
# at SF7 and SF8 eleven times before an accept came through.
_DR_FIRST = b"\x05\x03\x01"
# Data rates of the later tries are drawn from here: the mix of LoRa Basics Modem.
_DR_MIX = b"\x05\x05\x05\x05\x05\x05\x04\x04\x04\x04\x03\x03\x03\x02\x02\x02\x01\x01\x00\x00"


def data_rate(tries: int, draw: int) -> int:
    """The first try is the shortest, the next two reach farther, later ones now and then."""
    return _DR_FIRST[tries] if tries < len(_DR_FIRST) else _DR_MIX[draw % 20]


def not_before_ms(session: "Session", dr: int, now_ms: int) -> int:
    """When the next try may go out: the duty cycle and the back-off of the tries before."""
    at_ms = eu868.free_channels(session, MASK, dr, SIZE, now_ms, True)[1]
    return max(at_ms, session.join_not_before_s * 1000)


def count_try(session: "Session", now_ms: int, airtime_us: int) -> None:
    """L2 7: at most 36 s of join requests in the first hour, 36 s in the next ten, 8.7 s a day.

    Kept by a pause after each try, of so many times its airtime that also the longest request at
    the end of a phase (1.483 s) stays below: f >= phase / (limit - 1.483 s).
    """
    now_s = now_ms // 1000
    if not session.joins_tried:
        session.join_first_s = now_s
    session.joins_tried = min(session.joins_tried + 1, 255)
    since_s = now_s - session.join_first_s
    # a pause of 105.3, 1,053 or 12,048 times the airtime
    per_second = 9500 if since_s < 3600 else 950 if since_s < 39600 else 83
    # + 2: this division and now_s are rounded down
    session.join_not_before_s = now_s + airtime_us // per_second + 2


def start_cold(session: "Session", now_ms: int) -> None:
    """The ledger is lost, and this device has sent before: only a join's reserve may be used."""
    session.ledger = eu868.Ledger()
    session.ledger.assume_spent(now_ms)
    session.cold = True
    session.quiet_until_s = session.joins_tried = 0
    session.join_first_s = session.join_not_before_s = 0


def personalize(session: "Session", dev_addr: bytes, nwk_s_key: bytes, app_s_key: bytes) -> None:
    """ABP (L2 6.3), for benches: dev_addr as on the wire. The same session goes on counting.

    FCntUp never goes back, whatever the keys were before: none is used twice under one key. With
    other keys FCntDown begins anew; ABP cannot know older downlinks of these.
    """
    if not session.joined or (
        (session.dev_addr, session.nwk_s_key, session.app_s_key) != (dev_addr, nwk_s_key, app_s_key)
    ):
        f_cnt_up = session.f_cnt_up
        session.start(dev_addr, nwk_s_key, app_s_key, 0)
        session.f_cnt_up = f_cnt_up
        session.joined = True


class Join:
    """Same methods as device.Uplink."""

    is_join = True
    left = 0

    def __init__(
        self, session: "Session", new_aes: "NewAes", identity: act.Identity, dev_nonce: int, dr: int
    ) -> None:
        self._session = session
        self._dev_nonce = dev_nonce
        self.dr = dr
        self.f_cnt = None
        self._key = Key(new_aes, identity.app_key)
        self.sealed = SealedJoinAccept(self._key)
        self.frame = join_request(self._key, identity.join_eui, identity.dev_eui, dev_nonce)

    def over(self, heard: bool, context: "Context") -> act.Done:
        reason = counts.JOIN_SILENT
        if heard:
            opened = self.sealed.open()
            join_nonce = int.from_bytes(opened.nonces[:3], "little")
            if join_nonce != self._session.join_nonce:
                self._start_session(opened, join_nonce)
                dev_addr = int.from_bytes(opened.dev_addr, "little")
                net_id = int.from_bytes(opened.nonces[3:], "little")
                context.news.append(act.Joined(dev_addr, net_id, join_nonce))
                return act.Done(act.JOINED, None, False, False)
            reason = counts.JOIN_REPLAYED  # L2 6.2.5
        context.count(reason)
        return act.Done(act.NO_ACCEPT, None, False, False)

    def _start_session(self, opened: JoinAccept, join_nonce: int) -> None:
        """The ledger stays: the air does not forget."""
        session = self._session
        nwk_s_key, app_s_key = session_keys(self._key, opened.nonces, self._dev_nonce)
        session.start(opened.dev_addr, nwk_s_key, app_s_key, self.dr)
        session.joined = True
        session.join_nonce = join_nonce
        session.joins_tried = 0
        session.join_not_before_s = 0
        settings = opened.dl_settings
        if settings & 0x70 < 0x60:
            session.rx1_dr_offset = settings >> 4 & 7
        if settings & 15 <= eu868.DR_MAX:
            session.rx2_dr = settings & 15
        session.rx1_delay_s = opened.rx_delay & 15 or 1
        cf_list = opened.cf_list
        if cf_list and cf_list[15] == 0:  # RP 2.4.4: type 1 is not for EU868
            for i in range(5):
                frequency = int.from_bytes(cf_list[3 * i : 3 * i + 3], "little")
                if eu868.sub_band(frequency) >= 0:
                    session.add_channel(3 + i, frequency, eu868.DEFAULT_DR_RANGE)


class SealedJoinAccept:
    """A join accept from the air. The network decrypts it, so the device encrypts (L2 6.2.5)."""

    def __init__(self, app_key: "Key") -> None:
        self._app_key = app_key
        self._plain = bytearray(33)
        self._source = bytearray(16)
        self._target = bytearray(16)
        self._length = 0

    def read(self, buffer: "bytes | bytearray", length: int) -> bool:
        self._length = 0
        if length not in (17, 33) or length > len(buffer) or buffer[0] != 0x20:
            return False
        for i in range(length):
            self._plain[i] = buffer[i]
        self._length = length
        return True

    def authentic(self) -> bool:
        app_key, plain = self._app_key, self._plain
        source, target = self._source, self._target
        for at in range(1, self._length, 16):
            for i in range(16):
                source[i] = plain[at + i]
            app_key.encrypt(source, target)
            for i in range(16):
                plain[at + i] = target[i]
        end = self._length - 4
        return end > 0 and same_mic(app_key.cmac(None, plain, 0, end), plain, end)

    def open(self) -> JoinAccept:
        """The content. Only after authentic() was true."""
        assert self._length
        p = self._plain
        cf_list = bytes(p[13:29]) if self._length == 33 else b""
        return JoinAccept(bytes(p[1:7]), bytes(p[7:11]), p[11], p[12], cf_list)


def join_request(app_key: "Key", join_eui: bytes, dev_eui: bytes, dev_nonce: int) -> bytes:
    """L2 6.2.4. EUIs as printed (big endian)."""
    frame = bytearray(1)
    frame.extend(bytes(reversed(join_eui)))
    frame.extend(bytes(reversed(dev_eui)))
    frame.append(dev_nonce & 0xFF)
    frame.append(dev_nonce >> 8)
    frame.extend(app_key.cmac(None, frame, 0, len(frame))[:4])
    return bytes(frame)


def session_keys(app_key: "Key", nonces: bytes, dev_nonce: int) -> "list[bytes]":
    """NwkSKey, AppSKey (L2 6.2.5). nonces: JoinNonce and NetID as on the wire."""
    keys = []
    for first in b"\x01\x02":
        block = bytearray((first,)) + nonces + dev_nonce.to_bytes(2, "little") + bytes(7)
        app_key.encrypt(block, block)
        keys.append(bytes(block))
    return keys
