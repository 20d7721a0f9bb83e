# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A radio chip, the air and a network server, small enough for a check on the interpreter.

The server's cryptography is its own (RFC 4493 and LoRaWAN L2 1.0.4 with cryptolib), not the MAC's.
"""

import os
import struct
import sys
import time

import esp32
import machine
import micropython
import vfs
from cryptolib import aes

from revier_mac.airtime import airtime_us

DEV_EUI = bytes(range(1, 9))
JOIN_EUI = bytes(range(17, 25))
APP_KEY = bytes(range(32, 48))
DEV_ADDR = b"\x04\x03\x02\x01"  # as on the wire


class Chip:
    """SX1262 at bus level, on time: frames leave and arrive after their airtime."""

    def __init__(self, network):
        self.network = network
        self.registers = {}
        self.buffer = bytearray(256)
        self.length = 0
        self.modulation = b"\x07\x04\x01\x00"
        self.downlinks = []  # (start_us, payload)
        self.mode = 2
        self.errors = 0
        self.pending = (0, 0)  # time, irq
        self.heard = b""
        self.asleep = False
        self.deaf = False
        self.watch = None  # called with each transfer's bytes, with the heap as it is

    def write_readinto(self, out, into):
        """The firmware may have locked the heap; this chip needs some."""
        if self.watch:
            self.watch(out)
        locked = heap_is_locked()
        if locked:
            micropython.heap_unlock()
        try:
            self._exchange(bytes(out), into)
        finally:
            if locked:
                micropython.heap_lock()

    def _exchange(self, sent, into):
        op = sent[0]
        if op == 0x84:
            self.asleep = True
        elif op == 0xC0:
            self.asleep = False
        for i in range(1, len(sent)):
            into[i] = self.mode << 4
        reads = {
            0x12: self._irq(),
            0x17: self.errors.to_bytes(2, "big"),
            0x13: bytes((len(self.heard), 0)),
            0x14: b"\xa0\x28\xa0",
        }
        if op in reads:
            for i, byte in enumerate(reads[op]):
                into[2 + i] = byte
        elif op == 0x1E:
            for i in range(3, len(sent)):
                at = sent[1] + i - 3
                into[i] = self.heard[at] if at < len(self.heard) else 0
        elif op == 0x1D:
            into[4] = self.registers.get(sent[1] << 8 | sent[2], 0)
        else:
            self._write(op, sent)

    def _write(self, op, sent):
        if op == 0x80:
            self.mode = 3 if sent[1] else 2
        elif op == 0x0D:
            self.registers[sent[1] << 8 | sent[2]] = sent[3]
        elif op == 0x0E:
            self.buffer[sent[1] : sent[1] + len(sent) - 2] = sent[2:]
        elif op == 0x8C:
            self.length = sent[4]
        elif op == 0x8B:
            self.modulation = sent[1:]
        elif op == 0x83:
            self._transmit()
        elif op == 0x82:
            self._receive()

    def _irq(self):
        at_us, irq = self.pending
        return (irq if not self.deaf and time.now_us >= at_us else 0).to_bytes(2, "big")

    def _transmit(self):
        end_us = time.now_us + 305 + airtime_us(self.length, self.modulation[0], 125_000)
        self.pending = (end_us, 0x0001)
        self.mode = 2
        answers = self.network.hear(bytes(self.buffer[: self.length]))
        self.downlinks = [(end_us + delay_us, data) for delay_us, data in answers]

    def _receive(self):
        """A frame is found if at least six symbols of its preamble fall into the window."""
        symbol_us = 8 << self.modulation[0]
        code = self.registers[0x0706]
        open_us = time.now_us + 62
        close_us = open_us + ((code >> 3) << (2 * (code & 7) + 1)) * symbol_us
        self.mode = 2
        for start_us, data in self.downlinks:
            seen_us = min(start_us + 8 * symbol_us, close_us) - max(start_us, open_us)
            if seen_us >= 5 * symbol_us:
                self.heard = data
                length_us = airtime_us(len(data), self.modulation[0], 125_000)
                self.pending = (start_us + length_us, 0x0002)
                return
        self.pending = (close_us, 0x0200)


class Network:
    """Accepts joins, checks each frame's MIC and counter, keeps what it got."""

    def __init__(self):
        self.join_answers = self.time_answers = True
        self.nonces = []
        self.frames = []  # (f_cnt, f_port, data)
        self.join_nonce = -1
        self.nwk_s_key = self.app_s_key = None
        self.last_f_cnt = -1
        self.f_cnt_down = 0
        self.gps_s = 1_480_000_000
        self.joins = 0

    def hear(self, frame):
        if frame[0] == 0x00:
            return self._join(frame)
        return self._data(frame)

    def _join(self, frame):
        assert len(frame) == 23
        assert frame[1:9] == bytes(reversed(JOIN_EUI))
        assert frame[9:17] == bytes(reversed(DEV_EUI))
        assert cmac(APP_KEY, frame[:19])[:4] == frame[19:]
        nonce = frame[17] | frame[18] << 8
        assert nonce not in self.nonces, "DevNonce used twice"
        self.nonces.append(nonce)
        if not self.join_answers:
            return []
        self.joins += 1
        self.join_nonce += 1
        self.last_f_cnt = -1
        self.f_cnt_down = 0
        seed = self.join_nonce.to_bytes(3, "little") + bytes(3) + frame[17:19] + bytes(7)
        self.nwk_s_key = aes(APP_KEY, 1).encrypt(b"\x01" + seed)
        self.app_s_key = aes(APP_KEY, 1).encrypt(b"\x02" + seed)
        body = self.join_nonce.to_bytes(3, "little") + bytes(3) + DEV_ADDR + b"\x00\x01"
        mic = cmac(APP_KEY, b"\x20" + body)[:4]
        return [(5_000_000, b"\x20" + aes(APP_KEY, 1).decrypt(body + mic))]

    def _data(self, frame):
        assert frame[0] in (0x40, 0x80)
        assert frame[1:5] == DEV_ADDR
        low = frame[6] | frame[7] << 8
        f_cnt = low  # these checks stay below 65,536 frames
        block = b"\x49\0\0\0\0\0" + DEV_ADDR + struct.pack("<I", f_cnt)
        assert (
            cmac(self.nwk_s_key, block + bytes((0, len(frame) - 4)) + frame[:-4])[:4]
            == (frame[-4:])
        )
        assert f_cnt > self.last_f_cnt, "frame counter used twice"
        self.last_f_cnt = f_cnt
        opts = frame[5] & 15
        answers = []
        if 0x0D in frame[8 : 8 + opts] and self.time_answers:
            answers.append((1_000_000, self._device_time()))
        if len(frame) > 12 + opts:
            data = frame[9 + opts : -4]
            stream = b""
            for i in range(1, len(data) // 16 + 2):
                a = b"\x01\0\0\0\0\0" + DEV_ADDR + struct.pack("<I", f_cnt) + bytes((0, i))
                stream += aes(self.app_s_key, 1).encrypt(a)
            plain = bytes([data[i] ^ stream[i] for i in range(len(data))])
            self.frames.append((f_cnt, frame[8 + opts], plain))
        return answers

    def _device_time(self):
        body = b"\x60" + DEV_ADDR + b"\x06" + struct.pack("<H", self.f_cnt_down)
        body += b"\x0d" + struct.pack("<IB", self.gps_s, 0)
        block = b"\x49\0\0\0\0\x01" + DEV_ADDR + struct.pack("<I", self.f_cnt_down)
        self.f_cnt_down += 1
        return body + cmac(self.nwk_s_key, block + bytes((0, len(body))) + body)[:4]


def cmac(key, message):
    """RFC 4493."""
    cipher = aes(key, 1)

    def double(block):
        n = int.from_bytes(block, "big") << 1
        if n >> 128:
            n = n & (1 << 128) - 1 ^ 0x87
        return n.to_bytes(16, "big")

    def xor(a, b):
        return bytes([a[i] ^ b[i] for i in range(16)])

    k1 = double(cipher.encrypt(bytes(16)))
    k2 = double(k1)
    x = bytes(16)
    while len(message) > 16:
        x = cipher.encrypt(xor(x, message[:16]))
        message = message[16:]
    if len(message) == 16:
        return cipher.encrypt(xor(x, xor(message, k1)))
    padded = message + b"\x80" + bytes(15 - len(message))
    return cipher.encrypt(xor(x, xor(padded, k2)))


def heap_is_locked():
    try:
        bytearray(64)
    except MemoryError:
        return True
    return False


class _Blocks:
    def __init__(self, count):
        self.data = bytearray(count * 512)

    def readblocks(self, n, buf, off=0):
        at = n * 512 + off
        buf[:] = self.data[at : at + len(buf)]

    def writeblocks(self, n, buf, off=0):
        at = n * 512 + off
        self.data[at : at + len(buf)] = buf

    def ioctl(self, op, arg):
        return len(self.data) // 512 if op == 4 else 512 if op == 5 else 0


def mount_flash():
    """An empty flash at /; the host's files move to /.host, modules are still found there."""
    here = os.getcwd()
    blocks = _Blocks(128)
    vfs.VfsLfs2.mkfs(blocks)
    vfs.umount("/")
    vfs.mount(vfs.VfsPosix("/"), "/.host")
    vfs.mount(vfs.VfsLfs2(blocks), "/")
    for i, entry in enumerate(sys.path):
        if entry and not entry.startswith("."):
            full = entry if entry.startswith("/") else here + "/" + entry
            sys.path[i] = "/.host" + full
    for module in sys.modules.values():
        if hasattr(module, "__path__"):
            module.__path__ = "/.host" + module.__path__
    os.chdir("/")


def provision():
    """Identity and keys in NVS, as the technician's tool writes them."""
    nvs = esp32.NVS("lorawan")
    nvs.set_blob("dev_eui", DEV_EUI)
    nvs.set_blob("join_eui", JOIN_EUI)
    nvs.set_blob("app_key", APP_KEY)
    nvs.commit()


def write_file(path, text):
    with open(path, "w") as file:
        file.write(text)


def remove_file(path):
    try:
        os.remove(path)
    except OSError:
        pass


def deep_sleep(run):
    """Run one wake; the milliseconds of the deep sleep that ends it. The clock goes on."""
    machine.slept.clear()
    try:
        run()
    except machine.DeepSleepError as error:
        time.sleep_ms(error.args[0])
        return error.args[0]
    raise AssertionError("a wake that does not end in deep sleep")
