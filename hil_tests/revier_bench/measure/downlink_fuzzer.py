# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Downlinks with a right MIC and any contents, and mutations of valid ones, against the MAC.

Runs on CPython and, as a flat file, on MicroPython; it imports the MAC and nothing of the bench:

    micropython downlink_fuzzer.py SEED FRAMES

A round is one device with a session of its own; its seed makes it again. What must hold after every
frame stands in broken(). A frame whose MIC is wrong must leave the whole session record as it was.
L2 = LoRaWAN L2 1.0.4, RP = RP002-1.0.4.
"""

# ruff: noqa: S311 - repeatable randomness is the point

import random
import sys

from revier_mac import actions as act
from revier_mac import device as automaton
from revier_mac.frames import Key
from revier_mac.session import Session

if 0:  # for the type checker; MicroPython has no typing
    from typing import Any

DEV_ADDR = b"\x04\x03\x02\x01"
NWK_S_KEY = bytes(range(16))
APP_S_KEY = bytes(range(16, 32))
ROUND_FRAMES = 500
FAILURES_MAX = 10
PAYLOAD_MAX = {(12, 125000): 51, (11, 125000): 51, (10, 125000): 51, (9, 125000): 115}  # RP 2.4.6
REQUEST_BYTES = {2: 2, 3: 4, 4: 1, 5: 4, 6: 0, 7: 5, 8: 1, 9: 1, 10: 4, 13: 5}  # L2 5
ANSWER_BYTES = {3: 1, 4: 0, 5: 1, 6: 2, 7: 1, 8: 0, 10: 1}
# Where counters may go wrong: the start, 16 bits, the sign of 32 bits, shortly before the end.
F_CNT_STARTS = (-1, -1, 0xFFF0, 0x7FFFFF00, 0xFFFEFF00)
MUTATIONS = ("bit", "bits", "cut", "extended", "address", "replay", "direction", "noise")


class FuzzError(Exception):
    """What must hold does not."""


def broken(device: "Any") -> str:
    """What does not hold in this device's session; an empty text if all does."""
    s = device.session
    defined = 0
    for i in range(16):
        frequency, dr_range = s.channels[i], s.dr_ranges[i]
        if not frequency:
            continue
        defined |= 1 << i
        if i < 3 and (frequency, dr_range) != (8681000 + 2000 * i, 0x50):
            return "a default channel has changed"
        if not 8630000 <= frequency <= 8700000 or not dr_range & 15 <= dr_range >> 4 <= 6:
            return f"channel {i} is not one of EU868"
    usable = [
        i for i in range(16)
        if s.mask >> i & 1 and s.dr_ranges[i] & 15 <= s.dr <= s.dr_ranges[i] >> 4
    ]  # fmt: skip
    ranges = (
        ("mask", defined & 7 == 7 and s.mask & ~defined == 0 and s.mask != 0),
        ("dr", 0 <= s.dr <= 6 and bool(usable)),
        ("tx_power", 0 <= s.tx_power <= 7),
        ("nb_trans", 1 <= s.nb_trans <= 15),
        ("rx1_dr_offset", 0 <= s.rx1_dr_offset <= 5),
        ("rx2_dr", 0 <= s.rx2_dr <= 6),
        ("rx2_frequency", 8630000 <= s.rx2_frequency <= 8700000),
        ("rx1_delay_s", 1 <= s.rx1_delay_s <= 15),
        ("max_d_cycle", 0 <= s.max_d_cycle <= 15),
        ("rx1_frequencies", all(f == 0 or 8630000 <= f <= 8700000 for f in s.rx1_frequencies)),
        ("answers_sent", 0 <= s.answers_sent <= len(s.answers) <= 28),
        ("payload_max", 0 <= device.payload_max() <= 242),
        ("answers", _whole(s.answers)),
    )
    for name, holds in ranges:
        if not holds:
            return name
    record = s.pack()
    if len(record) > 256:
        return "the record is longer than 256 bytes"
    again = Session.unpack(record)
    if again is None or again.pack() != record:
        return "the record does not come back"
    return ""


def _whole(answers: "bytes | bytearray") -> bool:
    at = 0
    while at < len(answers):
        if answers[at] not in ANSWER_BYTES:
            return False
        at += 1 + ANSWER_BYTES[answers[at]]
    return at == len(answers)


def _bytes(count: int) -> bytes:
    return bytes([random.getrandbits(8) for _ in range(count)])


def _commands(size: int, channels: "list[int]") -> bytes:
    """At most `size` bytes: noise, or commands as a network might send them, the last one cut.

    channels: indices that are defined, so that commands meet what earlier ones have made.
    """
    if random.getrandbits(2) == 0:
        return _bytes(random.randrange(size + 1))
    data = bytearray()
    end = random.randrange(size + 1)
    while len(data) < end:
        cid = random.choice((2, 3, 3, 3, 4, 5, 6, 7, 7, 8, 9, 10, 13, random.getrandbits(8)))
        body = bytearray(_bytes(REQUEST_BYTES.get(cid, 0)))
        if cid == 3 and random.getrandbits(2):
            mask = random.choice((7, 0xFF, 1 << random.choice(channels)))
            body[1:4] = bytes((mask & 0xFF, mask >> 8, random.choice((1, 2, 0x61))))
        if cid in (5, 10) and random.getrandbits(1):
            body[1:4] = (8695250).to_bytes(3, "little")
        if cid == 7 and random.getrandbits(2):
            index = random.choice((random.getrandbits(4), random.choice(channels)))
            frequency = random.choice((0, 8671000, 8680500, 8635000, 8695250))
            body = bytearray(bytes((index,)) + frequency.to_bytes(3, "little"))
            body.append(random.choice((0x50, 0x60, 0x66, 0x22)))
        data.append(cid)
        data.extend(body)
    return bytes(data[:size])


class Round:
    """One device, its downlinks and what is known of it from outside."""

    def __init__(self, new_aes: "Any", seed: int, counts: "dict[str, int]") -> None:
        random.seed(seed)
        self.counts = counts
        self.nwk = Key(new_aes, NWK_S_KEY)
        self.app = Key(new_aes, APP_S_KEY)
        session = Session()
        session.start(DEV_ADDR, NWK_S_KEY, APP_S_KEY, random.randrange(6))
        session.joined = True
        session.f_cnt_down = random.choice(F_CNT_STARTS)
        for i in range(3, random.randrange(3, 17)):
            session.add_channel(i, 8671000 + 500 * i, 0x50)
        identity = act.Identity(bytes(8), bytes(8), bytes(16), 0)
        self.device = automaton.Device(identity, new_aes, session)
        self.f_cnt_down = session.f_cnt_down
        self.now_ms = 1000
        self.last = b""  # the last frame that was taken
        self.sent = b""  # the uplink
        self.window: Any = None
        self.frame = b""

    def run(self, frames: int) -> None:
        self.frames = self.counts["frames"] + frames
        while self.counts["frames"] < self.frames and self.f_cnt_down < 0xFFFF0000:
            self._exchange()

    def _exchange(self) -> None:
        device = self.device
        actions = self._send()
        up = device.session.f_cnt_up
        while True:
            self.sent = actions[-1].payload
            self.now_ms += 1 + actions[-1].airtime_us // 1000
            actions = self._windows()
            if device.state != automaton.PAUSE:
                break
            self.now_ms = device.deadline_ms() or 0
            actions = device.handle(act.TIMER, self.now_ms)
        if type(actions[-1]) is not act.Done or device.session.f_cnt_up != up:
            raise FuzzError("the exchange has not ended as it should")

    def _send(self) -> "list[Any]":
        device = self.device
        draw = random.getrandbits(8)
        device.adr = draw & 15 != 0
        if draw & 0x70 == 0:
            device.request_link_check()
            device.request_device_time()
        port = None if draw & 0x80 else 1 + random.randrange(223)
        data = b"" if port is None else _bytes(random.randrange(min(device.payload_max(), 30) + 1))
        for _ in range(3):
            actions: list[Any] = device.send(
                port, data, draw & 1 == 0, self.now_ms, random.getrandbits(16)
            )
            if type(actions[0]) is not act.Refused:
                return actions
            if actions[0].retry_ms is None or actions[0].retry_ms <= self.now_ms:
                raise FuzzError(f"an uplink is refused for ever: {actions[0]}")
            self.now_ms = actions[0].retry_ms
        raise FuzzError("an uplink is put off again and again")

    def _windows(self) -> "list[Any]":
        """A frame in each window until one is taken; the actions after FINISH."""
        device = self.device
        actions: list[Any] = device.handle(act.TX_DONE, self.now_ms)
        for _ in range(2):
            if type(actions[0]) is not act.Window:
                break
            self.window = actions[0]
            actions = self._hear()
        if type(actions[0]) is not act.Finish:
            raise FuzzError("the windows do not end")
        before = device.session.pack()
        adr_ack_cnt = device.session.adr_ack_cnt
        self.now_ms += 3000
        heard = actions[0].heard
        result: list[Any] = device.handle(act.FINISH, self.now_ms)
        if not heard and adr_ack_cnt < 95:
            now = device.session.adr_ack_cnt
            device.session.adr_ack_cnt = adr_ack_cnt
            if device.session.pack() != before:
                raise FuzzError("FINISH without a frame has changed the session")
            device.session.adr_ack_cnt = now
        if heard:
            if device.session.f_cnt_down != self.f_cnt_down:
                raise FuzzError("the counter is not the frame's")
            self._check()
        return result

    def _hear(self) -> "list[Any]":
        if random.getrandbits(1):
            self.counts["right_mic"] += 1
            self.frame, f_cnt, takeable = self._valid()
        else:
            self.counts["wrong_mic"] += 1
            self.frame, f_cnt, takeable = self._mutation(), -1, False
        self.counts["frames"] += 1
        before = self.device.session.pack()
        length = len(self.frame)
        buffer = bytearray(255)
        buffer[:length] = self.frame
        snr_db = random.randrange(-40, 40)
        actions: list[Any] = self.device.received(buffer, length, -120, snr_db)
        taken = type(actions[0]) is act.Finish and actions[0].heard
        if taken != takeable:
            raise FuzzError("taken, and must not be" if taken else "not taken, and must be")
        if self.device.session.pack() != before:
            raise FuzzError("a frame has changed the session within its window")
        if taken:
            self.counts["taken"] += 1
            self.last, self.f_cnt_down = self.frame, f_cnt
        else:
            self._check()
        return actions

    def _check(self) -> None:
        text = broken(self.device)
        if not text and self.device.session.f_cnt_down < self.f_cnt_down:
            text = "f_cnt_down goes back"
        if text:
            raise FuzzError(text)

    # -- frames --

    def _valid(self) -> "tuple[bytes, int, bool]":
        """(frame, counter, whether the MAC must take it): right MIC, any contents."""
        draw = random.getrandbits(10)
        leap = 1 + random.randrange(4)
        if draw & 0x3F0 == 0:
            leap = random.randrange(1, 0x10000)
        f_cnt = self.f_cnt_down + leap
        channels = [i for i in range(16) if self.device.session.channels[i]]
        port = None
        data = b""
        if draw & 6 == 6:
            port, data = random.getrandbits(8), _bytes(random.randrange(self._room() + 1))
        elif draw & 6:
            port, data = 0, _commands(self._room(), channels)
        f_opts = b""
        if draw & 1 and (port or draw & 0xC0 == 0):
            f_opts = _commands(15, channels)
        takeable = not (port == 0 and f_opts)  # L2 4.3.1.6
        f_ctrl = random.getrandbits(8) & 0xF0
        m_hdr = 0xA0 if draw & 8 else 0x60
        return self._seal(m_hdr, DEV_ADDR, f_ctrl, f_cnt, f_opts, port, data), f_cnt, takeable

    def _room(self) -> int:
        """RP 2.4.6: the longest payload in the open window, FOpts of 15 bytes taken off."""
        window = self.window
        return PAYLOAD_MAX.get((window.spreading_factor, window.bandwidth_hz), 222) - 15

    def _seal(
        self, m_hdr: int, dev_addr: bytes, f_ctrl: int, f_cnt: int, f_opts: bytes,
        port: "int | None", data: bytes, direction: int = 1,
    ) -> bytes:  # fmt: skip
        frame = bytearray((m_hdr,)) + dev_addr
        frame.extend(bytes((f_ctrl | len(f_opts), f_cnt & 0xFF, f_cnt >> 8 & 0xFF)))
        frame.extend(f_opts)
        block = bytearray(16)
        block[5] = direction
        block[6:10] = dev_addr
        block[10:14] = f_cnt.to_bytes(4, "little")
        if port is not None:
            block[0] = 1
            sealed = bytearray(data)
            (self.app if port else self.nwk).apply_keystream(block, sealed, 0, len(sealed))
            frame.append(port)
            frame.extend(sealed)
        block[0] = 0x49
        block[15] = len(frame)
        frame.extend(self.nwk.cmac(block, frame, 0, len(frame))[:4])
        return bytes(frame)

    def _mutation(self) -> bytes:
        kind = random.choice(MUTATIONS)
        if kind == "noise":
            return _bytes(random.randrange(256))
        if kind == "replay":
            return self.last or self.sent
        if kind == "direction":  # our own uplink comes back, or one signed as an uplink
            if random.getrandbits(1):
                return self.sent
            return self._seal(0x60, DEV_ADDR, 0, self.f_cnt_down + 1, b"\x06", None, b"", 0)
        if kind == "address":
            address = bytearray(DEV_ADDR)
            address[random.randrange(4)] ^= 1 << random.getrandbits(3)
            return self._seal(0x60, bytes(address), 0, self.f_cnt_down + 1, b"\x04\x05", 0, b"")
        frame = bytearray(self._valid()[0])
        if kind == "cut":
            return bytes(frame[: random.randrange(len(frame))])
        if kind == "extended":
            return bytes(frame + _bytes(1 + random.randrange(255 - len(frame) + 1)))[:255]
        bits = {random.randrange(8 * len(frame)) for _ in range(1 if kind == "bit" else 6)}
        for bit in bits:
            frame[bit >> 3] ^= 1 << (bit & 7)
        return bytes(frame)


def run(new_aes: "Any", seed: int, frames: int) -> "tuple[dict[str, int], list[str]]":
    """(counts, failures); each failure names the seed of its round and the frame."""
    counts = {"frames": 0, "right_mic": 0, "wrong_mic": 0, "taken": 0, "rounds": 0}
    failures: list[str] = []
    while counts["frames"] < frames and len(failures) < FAILURES_MAX:
        this = Round(new_aes, seed + counts["rounds"], counts)
        counts["rounds"] += 1
        try:
            this.run(min(ROUND_FRAMES, frames - counts["frames"]))
        except Exception as error:  # noqa: BLE001 - an exception of the MAC is what is looked for
            where = f"seed {seed + counts['rounds'] - 1}, frame {counts['frames']}"
            shown = "".join([f"{byte:02x}" for byte in this.frame])
            failures.append(f"{type(error).__name__}: {error} ({where}: {shown})")
    return counts, failures


def _main(seed: int, frames: int) -> int:
    import cryptolib  # type: ignore[import-not-found]

    counts, failures = run(lambda key: cryptolib.aes(key, 1), seed, frames)
    for failure in failures:
        print(failure)  # noqa: T201
    print(" ".join([f"{name}={counts[name]}" for name in sorted(counts)]))  # noqa: T201
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(_main(int(sys.argv[1]), int(sys.argv[2])))
