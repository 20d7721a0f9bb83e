# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The firmware's MAC and the stand-in network server with an air between them that can lose frames.

Every exchange is checked while it happens: what one side says must arrive at the other as it was
said, once, in the window that both mean, under counters that agree. The two share no code.
"""

import json
import random
from dataclasses import dataclass, field
from typing import Any

from chirpstack_api import gw

from revier_bench.measure.downlink_fuzz import Aes
from revier_bench.network_server import mac_commands
from revier_bench.network_server.queue import QueueItem
from revier_bench.network_server.registry import Session as NetworkSession
from revier_bench.network_server.times import NS_PER_MS, NS_PER_S, gps_ns
from revier_mac import actions as act
from revier_mac.device import PAUSE, Device
from revier_mac.session import Session

from .rig import PROFILE, START_NS, Rig
from .simple_device import transmitted

RX1, RX2, ON_AIR, LATE = "taken in RX1", "taken in RX2", "lost on the air", "too late"
EXCHANGES_TO_SETTLE = 40
SETTINGS = {
    mac_commands.LINK_ADR, mac_commands.RX_PARAM_SETUP, mac_commands.NEW_CHANNEL,
    mac_commands.RX_TIMING_SETUP,
}  # fmt: skip
STATUSES = {
    RX1: (gw.OK, gw.IGNORED),
    RX2: (gw.TOO_LATE, gw.OK),
    ON_AIR: (gw.OK, gw.IGNORED),
    LATE: (gw.TOO_LATE, gw.TOO_LATE),
}


@dataclass(slots=True)
class Pair:
    chance: random.Random
    loss: float = 0.2
    rig: Rig = field(default_factory=Rig)
    device: Device = field(init=False)
    dev_eui: str = field(init=False)
    now_ms: int = 1000
    snr: int = 8
    heard_f_cnt: int = -1  # of the last uplink that the network had not heard before
    pending: QueueItem | None = None  # a confirmed downlink that was sent
    owed: bool = False  # the device has it, and its next uplink carries the ACK
    last: list[Any] = field(default_factory=list)  # actions at the end of the last transmission
    said: dict[str, int] = field(default_factory=dict)  # what has happened, for the test's own sake

    def __post_init__(self) -> None:
        there = self.rig.add_device()
        self.dev_eui = there.dev_eui.hex()
        identity = act.Identity(there.dev_eui, there.join_eui, there.app_key, 0)
        self.device = Device(identity, Aes)

    @property
    def network(self) -> NetworkSession:
        session = self.rig.server.registry.devices[self.dev_eui].session
        assert session is not None
        return session

    @property
    def calm(self) -> bool:
        """No setting is asked for, and no answer is on its way."""
        asked = SETTINGS & self.network.pending_mac.keys()
        return self.together and not asked and not self.device.session.answers

    def count(self, what: str) -> None:
        self.said[what] = self.said.get(what, 0) + 1

    # -- the air --

    def _lost(self) -> bool:
        return self.chance.random() < self.loss

    def _clock(self) -> None:
        """The network's clock catches up with the node's: both are the same world's."""
        at_ns = START_NS + self.now_ms * NS_PER_MS
        self.rig.wait(max(0, at_ns - self.rig.now_ns) / NS_PER_S)

    def _transmit(self, action: act.Transmit) -> tuple[list[Any], bool, gw.DownlinkFrame | None]:
        """(actions after TX_DONE, heard by a gateway, the network's answer)"""
        self.now_ms += action.airtime_us // 1000
        actions = self.device.handle(act.TX_DONE, self.now_ms)
        if self._lost():
            return actions, False, None
        self._clock()
        self.rig.events.clear()
        before = len(self.rig.downlinks)
        self.rig.hear_only(
            action.payload,
            frequency=action.frequency_hz,
            sf=action.spreading_factor,
            snr=self.snr,
        )
        self.rig.wait(15)  # the network lets the application answer until shortly before RX1
        down = self.rig.downlinks[before:]
        assert len(down) <= 1
        return actions, True, down[0] if down else None

    def _windows(self, actions: list[Any], frame: gw.DownlinkFrame | None) -> tuple[list[Any], str]:
        """(actions after FINISH, what became of the network's frame)"""
        fate = ""
        if frame is not None:
            fates = (ON_AIR, LATE) if self._lost() else (RX1, RX2)
            fate = self.chance.choice(fates)
        for number, name in ((0, RX1), (1, RX2)):
            (window,) = actions
            if frame is not None:
                self._agree(window, frame.items[number].tx_info)
            if fate == name and frame is not None:
                payload = frame.items[number].phy_payload
                actions = self.device.received(payload, len(payload), -100, self.snr)
                assert type(actions[0]) is act.Finish, f"the MAC did not take it in {name}"
                break
            actions = self.device.handle(act.WINDOW_EMPTY, self.now_ms)
        assert type(actions[0]) is act.Finish
        self.now_ms += 20000
        if frame is not None:
            self.rig.answer(transmitted(frame, *STATUSES[fate]))
        return self.device.handle(act.FINISH, self.now_ms), fate

    @staticmethod
    def _agree(window: act.Window, tx_info: gw.DownlinkTxInfo) -> None:
        lora = tx_info.modulation.lora
        ours = window.frequency_hz, window.spreading_factor, window.delay_us // 1_000_000
        theirs = tx_info.frequency, lora.spreading_factor, tx_info.timing.delay.delay.seconds
        assert ours == theirs, f"window {window.number}: the device means {ours}, they {theirs}"

    # -- what the two do --

    def join(self) -> bool:
        actions: list[Any] = []
        while not actions or type(actions[0]) is act.Refused:
            if actions:
                self.now_ms = actions[0].retry_ms
            actions = self.device.join(self.now_ms, self.chance.getrandbits(16))
        after, heard, frame = self._transmit(actions[-1])
        assert heard == (frame is not None), "every fresh join request is answered"
        actions, fate = self._windows(after, frame)
        if fate not in (RX1, RX2):
            assert actions[-1].result == act.NO_ACCEPT
            return False
        assert actions[-1].result == act.JOINED
        joined = next(a for a in actions if type(a) is act.Joined)
        session, network = self.device.session, self.network
        assert joined.dev_addr == int.from_bytes(network.dev_addr, "big")
        assert session.nwk_s_key == network.keys.nwk_s_key
        assert session.app_s_key == network.keys.app_s_key
        assert _channels(session) == set(network.enabled_channels)
        self.heard_f_cnt, self.owed = -1, False
        self.count("join")
        return True

    @property
    def together(self) -> bool:
        """False after a join accept that was lost: the network has forgotten the old session."""
        return self.device.session.nwk_s_key == self.network.keys.nwk_s_key

    def queue(self, f_port: int, data: bytes, confirmed: bool) -> None:
        item = QueueItem(f"item-{self.rig.uplinks}-{self.chance.random()}", self.dev_eui, f_port,
                         data, confirmed)  # fmt: skip
        self.rig.server.state.queue.enqueue(item)

    def send(self, f_port: int | None, data: bytes, confirmed: bool) -> str:
        """One uplink with its repeats; the result that the application is told."""
        fits = len(data) <= self.device.payload_max()
        actions: list[Any] = []
        while not actions or type(actions[0]) is act.Refused:
            if actions:
                assert actions[0].reason == act.DUTY, actions
                self.now_ms = actions[0].retry_ms
            actions = self.device.send(
                f_port, data, confirmed, self.now_ms, self.chance.getrandbits(16)
            )
        acked = False
        while True:
            acked |= self._transmission(actions[-1], f_port, data, confirmed)
            done = self.last[-1]
            if self.device.state != PAUSE:
                break
            self.now_ms = self.device.deadline_ms() or 0
            actions = self.device.handle(act.TIMER, self.now_ms)
        if self.heard_f_cnt != self.device.session.f_cnt_up - 1:
            self.owed = False  # the ACK went with this uplink, and is not said again
        assert not fits or done.result != act.DEFERRED
        if confirmed and done.result != act.DEFERRED:
            assert (done.result == act.ACKED) == acked, done
        self.count(done.result)
        return str(done.result)

    def _transmission(self, action: Any, port: int | None, data: bytes, confirmed: bool) -> bool:
        """True if the network's ACK arrived."""
        session = self.device.session
        f_cnt = session.f_cnt_up - 1
        port_at = 8 + (action.payload[5] & 15)
        is_on_port_0 = port_at < len(action.payload) - 4 and action.payload[port_at] == 0
        said = (0, b"") if is_on_port_0 or port is None else (port, data)
        after, heard, frame = self._transmit(action)
        first = heard and self.together and f_cnt > self.heard_f_cnt
        if heard:
            self._uplink_arrived(f_cnt, said, first)
        if first:
            self.heard_f_cnt = f_cnt
        waiting = self.rig.server.state.queue.of(self.dev_eui)
        self.last, fate = self._windows(after, frame)
        index = int(fate == RX2)
        if frame is not None and fate != LATE:
            payload = frame.items[index].phy_payload
            item = waiting[0] if waiting and _carries(payload) else None
            self.pending = item if item is not None and item.confirmed else None
            if fate != ON_AIR:
                self._downlink_arrived(payload, item)
        return fate in (RX1, RX2) and confirmed and not is_on_port_0

    def _uplink_arrived(self, f_cnt: int, said: tuple[int, bytes], first: bool) -> None:
        ups = [e.message for e in self.rig.events if e.kind == "up"]
        if not first:
            assert not ups, "a repeat, or a session that the network does not know"
            return
        (up,) = ups
        assert (up.f_cnt, up.f_port, up.data) == (f_cnt, *said)  # type: ignore[attr-defined]
        acks = [json.loads(e.payload(as_json=True)) for e in self.rig.events if e.kind == "ack"]
        wanted = [(self.pending.id, self.owed)] if self.pending else []
        assert [(a["queueItemId"], a.get("acknowledged", False)) for a in acks] == wanted
        if self.pending:
            self.count("confirmed downlink" if self.owed else "confirmed downlink lost")
        self.pending, self.owed = None, False
        self.count("uplink")

    def _downlink_arrived(self, payload: bytes, item: QueueItem | None) -> None:
        news = [a for a in self.last if type(a) is act.Downlink]
        if _carries(payload):
            assert item is not None
            (down,) = news
            assert (down.f_port, down.data) == (item.f_port, item.data)
            assert down.confirmed == item.confirmed
            self.owed = item.confirmed
            self.count("downlink")
        else:
            assert not news
        assert self.device.session.f_cnt_down == self.network.f_cnt_down - 1
        for action in self.last:
            if type(action) is act.DeviceTime:
                told_ns = action.gps_s * NS_PER_S + action.gps_256ths * NS_PER_S // 256
                right_ns = gps_ns(START_NS + action.tx_end_ms * NS_PER_MS)
                assert 0 <= right_ns - told_ns < NS_PER_S // 256 + NS_PER_MS
                self.count("device time")
            elif type(action) is act.LinkCheck:
                assert action.gateway_count == 1
                self.count("link check")

    def check(self) -> None:
        """Between two exchanges."""
        if not self.together:
            return
        session, network = self.device.session, self.network
        row = self.rig.server.registry.devices[self.dev_eui]
        assert session.f_cnt_up >= row.f_cnt_up
        assert session.f_cnt_down < network.f_cnt_down
        assert not self.rig.server.refused, self.rig.server.refused

    def settle(self) -> None:
        """Without losses both come to mean the same settings."""
        self.loss, self.device.adr = 0.0, True
        self.rig.server.registry.profiles[PROFILE].device_status_req_interval = 0
        while not self.together:
            self.join()
        waiting = self.rig.server.state.queue
        for number in range(EXCHANGES_TO_SETTLE):
            self.send(9, b"calm", True)
            self.check()
            answers = self.device.session.answers
            if number > 5 and not answers and not waiting.of(self.dev_eui):
                break
        else:
            raise AssertionError("they always have something to say to each other")
        session, network = self.device.session, self.network
        row = self.rig.server.registry.devices[self.dev_eui]
        assert (session.f_cnt_up, session.f_cnt_down) == (row.f_cnt_up, network.f_cnt_down - 1)
        assert _channels(session) == set(network.enabled_channels)
        ours = (session.rx1_delay_s, session.rx1_dr_offset, session.rx2_dr, session.nb_trans)
        theirs = (network.rx1_delay_s, network.rx1_dr_offset, network.rx2_dr, network.nb_trans)
        assert ours == theirs

    def reset(self) -> None:
        """Deep sleep: only the session record is left."""
        old = self.device
        session = Session.unpack(old.session.pack())
        assert session is not None
        identity = old.identity._replace(next_dev_nonce=old.next_dev_nonce)
        self.device = Device(identity, Aes, session)
        self.device.battery, self.device.adr = old.battery, old.adr


def _channels(session: Session) -> set[int]:
    return {i for i in range(16) if session.mask >> i & 1}


def _carries(payload: bytes) -> bool:
    """Application data is in the frame."""
    port_at = 8 + (payload[5] & 15)
    return port_at < len(payload) - 4 and payload[port_at] != 0
