# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The other side of the air for the MAC's tests: a network that signs and encrypts by itself.

Uses only AES and Key.cmac (which the published vectors check), not the MAC's frames.
"""

from aes import decrypt, new_aes

from revier_mac import actions as act
from revier_mac.device import Device
from revier_mac.frames import Key

APP_KEY = bytes(range(16))
DEV_EUI = b"\x70\xb3\xd5\x00\x00\x00\x00\x01"
JOIN_EUI = b"\x00" * 8
CF_LIST = b"\x18\x4f\x84\xe8\x56\x84\xb8\x5e\x84\x88\x66\x84\x58\x6e\x84\x00"  # ChirpStack's


def identity(next_dev_nonce=0):
    return act.Identity(DEV_EUI, JOIN_EUI, APP_KEY, next_dev_nonce)


class Context:
    """What commands.apply() wants to know, without a device."""

    def __init__(self, snr_db=0, tx_end_ms=0, battery=255, adr=True):
        self.snr_db = snr_db
        self.tx_end_ms = tx_end_ms
        self.battery = battery
        self.adr = adr
        self.news = []
        self.counts = bytearray(16)

    def count(self, what, times=1):
        self.counts[what] += times


def only(actions, kind):
    """The action of this kind, which must be there once."""
    found = [a for a in actions if type(a) is kind]
    assert len(found) == 1, (kind, actions)
    return found[0]


def kinds(actions):
    return " ".join(type(a).__name__ for a in actions)


class Network:
    def __init__(self):
        self.key = Key(new_aes, APP_KEY)
        self.dev_addr = b"\x04\x03\x02\x01"
        self.join_nonce = 0
        self.f_cnt_down = 0
        self.dev_nonces = []

    def accept(self, request, dl_settings=0, rx_delay=1, cf_list=CF_LIST):
        """A join accept for this join request, as on the air."""
        assert len(request) == 23
        assert request[0] == 0
        assert bytes(self.key.cmac(None, request, 0, 19)[:4]) == request[19:]
        dev_nonce = request[17:19]
        assert dev_nonce not in self.dev_nonces
        self.dev_nonces.append(dev_nonce)
        nonce = self.join_nonce.to_bytes(3, "little")
        net_id = b"\x00\x00\x00"
        body = nonce + net_id + self.dev_addr + bytes((dl_settings, rx_delay)) + cf_list
        plain = b"\x20" + body
        mic = bytes(self.key.cmac(None, plain, 0, len(plain))[:4])
        self.nwk_s_key = self._derive(1, nonce + net_id + dev_nonce)
        self.app_s_key = self._derive(2, nonce + net_id + dev_nonce)
        self.nwk = Key(new_aes, self.nwk_s_key)
        self.app = Key(new_aes, self.app_s_key)
        self.f_cnt_down = 0
        self.join_nonce += 1
        sealed = body + mic
        blocks = [decrypt(APP_KEY, sealed[i : i + 16]) for i in range(0, len(sealed), 16)]
        return b"\x20" + b"".join(blocks)

    def _derive(self, first, rest):
        block = bytearray(16)
        block[0] = first
        block[1 : 1 + len(rest)] = rest
        target = bytearray(16)
        self.key.encrypt(block, target)
        return bytes(target)

    def read(self, frame, f_cnt):
        """(MHDR, FCtrl, FOpts, port or None, data) of an uplink whose MIC is right."""
        mic = self.nwk.cmac(_block(0x49, 0, self.dev_addr, f_cnt, len(frame) - 4), frame, 0,
                            len(frame) - 4)  # fmt: skip
        assert bytes(mic[:4]) == frame[-4:], "wrong MIC"
        assert frame[1:5] == self.dev_addr
        assert frame[6] | frame[7] << 8 == f_cnt & 0xFFFF
        end = 8 + (frame[5] & 15)
        port, data = None, b""
        if end < len(frame) - 4:
            port = frame[end]
            data = self.crypt(frame[end + 1 : -4], 0, port, f_cnt)
        return frame[0], frame[5] & 0xF0, frame[8:end], port, data

    def crypt(self, data, direction, port, f_cnt):
        result = bytearray(data)
        key = self.app if port else self.nwk
        key.apply_keystream(_block(1, direction, self.dev_addr, f_cnt, 0), result, 0, len(result))
        return bytes(result)

    def downlink(self, f_opts=b"", port=None, data=b"", confirmed=False, ack=False, pending=False,
                 f_cnt=None):  # fmt: skip
        if f_cnt is None:
            f_cnt = self.f_cnt_down
            self.f_cnt_down += 1
        f_ctrl = 0x80 | ack << 5 | pending << 4 | len(f_opts)
        frame = bytes((0xA0 if confirmed else 0x60,)) + self.dev_addr
        frame += bytes((f_ctrl, f_cnt & 0xFF, f_cnt >> 8 & 0xFF)) + f_opts
        if port is not None:
            frame += bytes((port,)) + self.crypt(data, 1, port, f_cnt)
        mic = self.nwk.cmac(_block(0x49, 1, self.dev_addr, f_cnt, len(frame)), frame, 0, len(frame))
        return frame + bytes(mic[:4])


def _block(first, direction, dev_addr, f_cnt, last):
    block = bytearray(16)
    block[0] = first
    block[5] = direction
    block[6:10] = dev_addr
    block[10:14] = f_cnt.to_bytes(4, "little")
    block[15] = last
    return block


class Bench:
    """A device, its network and the node's part between them, with a clock that only goes on."""

    def __init__(self, session=None, next_dev_nonce=0):
        self.device = Device(identity(next_dev_nonce), new_aes, session)
        self.network = Network()
        self.now_ms = 1000
        self.rnd = 0
        self.saved = None

    def join(self, **settings):
        """A whole join in RX1; returns the last actions."""
        actions = self.request_join()
        frame = only(actions, act.Transmit).payload
        self.tx_done()
        return self.hear(self.network.accept(frame, **settings))

    def request_join(self):
        self.rnd += 1
        self.now_ms = self.device.next_tx_ms(self.now_ms)
        actions = self.device.join(self.now_ms, self.rnd)
        if type(actions[0]) is act.Refused:  # the data rate was drawn after next_tx_ms was asked
            self.now_ms = actions[0].retry_ms
            actions = self.device.join(self.now_ms, self.rnd)
        return actions

    def send(self, port=10, data=b"\x01\x02", confirmed=False, wait=True):
        self.rnd += 1
        if wait:
            self.now_ms = self.device.next_tx_ms(self.now_ms, len(data))
        return self.device.send(port, data, confirmed, self.now_ms, self.rnd)

    def tx_done(self):
        self.now_ms += 60
        return self.device.handle(act.TX_DONE, self.now_ms)

    def hear(self, frame, snr_db=7):
        """A frame in the open window, and FINISH if that ended the exchange."""
        buffer = bytearray(255)
        buffer[: len(frame)] = frame
        return self._on(self.device.received(buffer, len(frame), -90, snr_db))

    def silence(self):
        """Nothing in the open window, and FINISH if that was RX2."""
        return self._on(self.device.handle(act.WINDOW_EMPTY, self.now_ms))

    def _on(self, actions):
        if actions and type(actions[0]) is act.Finish:
            self.now_ms += 2000
            return self.device.handle(act.FINISH, self.now_ms)
        return actions

    def exchange(self, downlink=None, window=1, **send):
        """One uplink, with a downlink (a frame) or none: the actions after FINISH."""
        only(self.send(**send), act.Transmit)
        self.tx_done()
        if window == 2 or downlink is None:
            self.silence()
        return self.silence() if downlink is None else self.hear(downlink)

    def command(self, f_opts):
        """A downlink with MAC commands; returns the FOpts of the next uplink."""
        self.exchange(self.network.downlink(f_opts))
        return self.sent()[2]

    def sent(self, **send):
        """An uplink with its repeats, as the network reads it; nothing is answered."""
        f_cnt = self.device.session.f_cnt_up
        frame = only(self.send(**send), act.Transmit).payload
        self.unanswered()
        return self.network.read(frame, f_cnt)

    def unanswered(self):
        """All transmissions of the frame that is being sent, without an answer."""
        while True:
            self.tx_done()
            self.silence()
            actions = self.silence()
            if self.device.deadline_ms() is None:
                return only(actions, act.Done)
            self.now_ms = self.device.deadline_ms()
            only(self.device.handle(act.TIMER, self.now_ms), act.Transmit)


def joined(**settings):
    bench = Bench()
    bench.join(**settings)
    assert bench.device.joined
    return bench
