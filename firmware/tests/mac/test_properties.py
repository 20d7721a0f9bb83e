# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Properties of the MAC for all bytes, all orders of events and all commands."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from mac_vectors_cases import f_cnt_after
from peer import Bench, Context, joined, only

from revier_mac import actions as act
from revier_mac import airtime as region
from revier_mac import device as automaton
from revier_mac.commands import apply
from revier_mac.session import ANSWERS_MAX, RECORD_MAX, Session

STATES = {key & 0xF0 for key in automaton.TABLE} | {automaton.IDLE}
CIDS = st.integers(0, 0x0F)
COMMANDS = st.lists(
    st.builds(lambda cid, rest: bytes((cid,)) + rest, CIDS, st.binary(max_size=5)), max_size=8
).map(b"".join)


def check(session):
    """What holds in every state of a session."""
    assert session.mask
    assert session.mask & ~session.defined_mask() == 0
    assert session.usable(session.mask, session.dr)
    assert 0 <= session.dr < len(region.DATA_RATES)
    assert 0 <= session.rx2_dr < len(region.DATA_RATES)
    assert 0 <= session.tx_power <= 7
    assert 0 <= session.rx1_dr_offset <= 5
    assert 1 <= session.nb_trans <= 15
    assert 1 <= session.rx1_delay_s <= 15
    assert session.channels[:3] == list(region.DEFAULT_CHANNELS)
    for i, frequency in enumerate(session.channels):
        assert frequency == 0 or region.sub_band(frequency) >= 0, i
    assert len(session.answers) <= ANSWERS_MAX
    assert len(session.pack()) <= RECORD_MAX
    assert Session.unpack(session.pack()).pack() == session.pack()


@given(COMMANDS, st.integers(-128, 127), st.booleans())
@settings(max_examples=500)
def test_any_commands(data, snr_db, with_adr):
    session = Session()
    session.dr = 5
    context = Context(snr_db=snr_db, adr=with_adr)
    at = apply(session, data, context)
    assert 0 <= at <= len(data)
    check(session)


@given(COMMANDS, COMMANDS)
def test_the_walk_is_the_same_in_one_piece_and_command_by_command(first, second):
    """The index always advances by whole commands: two walks meet where one walk goes."""
    one, two = Session(), Session()
    at = apply(one, first, Context())
    if at == len(first):
        rest = apply(one, second, Context())
        together = apply(two, first + second, Context())
        if not (first[-5:-4] == b"\x03" and second[:1] == b"\x03"):  # a block is atomic
            assert together >= at
            if rest == len(second) and together == at + rest and b"\x03" not in first + second:
                assert one.pack() == two.pack()


@given(st.binary(max_size=255), st.integers(0, 255))
def test_any_bytes_in_a_window(data, length):
    bench = BENCH
    before = bench.device.session.f_cnt_down, bytes(bench.device.session.answers)
    bench.send()
    bench.tx_done()
    (rx2,) = bench.device.received(data, length, -120, -20)
    assert rx2.number == 2
    (finish,) = bench.device.received(data, length, -120, -20)
    assert not finish.heard
    assert only(bench.device.handle(act.FINISH, bench.now_ms), act.Done).result == act.SENT
    assert (bench.device.session.f_cnt_down, bytes(bench.device.session.answers)) == before
    check(bench.device.session)


BENCH = joined()


@given(st.integers(-1, 0xFFFFFFFF), st.integers(0, 0xFFFF))
def test_the_counter_is_ahead(last, low):
    f_cnt = f_cnt_after(last, low)
    assert f_cnt == -1 or (f_cnt > last and f_cnt & 0xFFFF == low and f_cnt - last <= 0x10000)
    assert f_cnt != -1 or last > 0xFFFEFFFF


@given(st.binary(min_size=23, max_size=300))
def test_any_record(record):
    assert Session.unpack(record) is None


class Life(RuleBasedStateMachine):
    """Joins, uplinks, downlinks with random commands, noise, aborts, resets in any order."""

    def __init__(self):
        super().__init__()
        self.bench = Bench()
        self.nonces = []
        self.join_nonce = None
        self.f_cnt_up = -1
        self.f_cnt_down = -1
        self.transmit = None

    @property
    def state(self):
        return self.bench.device.state

    def look(self, actions):
        session = self.bench.device.session
        stored = None
        for action in actions:
            if type(action) is act.ReserveDevNonce:
                stored = "nonce"
                self.nonces.append(action.next_dev_nonce)
            elif type(action) is act.Save:
                assert Session.unpack(action.record) is not None
                stored = stored or "session"
            elif type(action) is act.Transmit:
                assert stored == (
                    "nonce" if len(action.payload) == 23 and not action.payload[0] else "session"
                )
                self.transmit = action
            elif type(action) is act.Joined:
                assert action.join_nonce != self.join_nonce
                self.join_nonce = action.join_nonce
                self.f_cnt_up = self.f_cnt_down = -1
                assert (session.f_cnt_up, session.f_cnt_down) == (0, -1)
            elif type(action) is act.Downlink:
                assert action.f_cnt > self.f_cnt_down
                self.f_cnt_down = action.f_cnt
        return actions

    @precondition(lambda self: self.state == automaton.IDLE)
    @rule()
    def join(self):
        self.look(self.bench.request_join())

    @precondition(lambda self: self.state == automaton.IDLE and self.bench.device.joined)
    @rule(
        port=st.sampled_from((None, 1, 10, 223)), size=st.integers(0, 60), confirmed=st.booleans()
    )
    def send(self, port, size, confirmed):
        before = self.bench.device.session.f_cnt_up
        actions = self.look(
            self.bench.send(port=port, data=b"d" * (size if port else 0), confirmed=confirmed)
        )
        if type(actions[0]) is act.Refused:
            assert actions[0].reason == act.TOO_LONG
            return
        assert before > self.f_cnt_up
        self.f_cnt_up = before
        if self.network_knows_us():
            self.bench.network.read(self.transmit.payload, before)

    def network_knows_us(self):
        """False after an accept with the last JoinNonce: the device keeps its old session."""
        return self.bench.network.nwk_s_key == self.bench.device.session.nwk_s_key

    @precondition(lambda self: self.state == automaton.IDLE)
    @rule()
    def join_at_once(self):
        self.join()
        self.bench.tx_done()
        self.accept(0, 1, (self.join_nonce or 0) + 1)

    @precondition(lambda self: self.state == automaton.IDLE and self.bench.device.joined)
    @rule()
    def send_at_once(self):
        self.send(10, 2, False)
        self.bench.tx_done()

    @precondition(lambda self: self.state == automaton.TX)
    @rule()
    def tx_done(self):
        self.bench.tx_done()

    def listening(self):
        return self.state in (automaton.RX1, automaton.RX2)

    def joining(self):
        return len(self.transmit.payload) == 23 and self.transmit.payload[0] == 0

    @precondition(listening)
    @rule()
    def silence(self):
        self.look(self.bench.silence())

    @precondition(listening)
    @rule(noise=st.binary(max_size=60))
    def noise(self, noise):
        self.look(self.bench.hear(noise))

    @precondition(lambda self: self.listening() and self.joining())
    @rule(settings=st.integers(0, 255), delay=st.integers(0, 255), nonce=st.integers(0, 3))
    def accept(self, settings, delay, nonce):
        network = self.bench.network
        if self.transmit.payload[17:19] in network.dev_nonces:
            return
        network.join_nonce = nonce
        accept = network.accept(self.transmit.payload, settings, delay)
        done = only(self.look(self.bench.hear(accept)), act.Done)
        assert (done.result == act.JOINED) == self.network_knows_us()

    @precondition(lambda self: self.listening() and not self.joining())
    @rule(
        commands=COMMANDS.map(lambda data: data[:15]),
        port=st.sampled_from((None, 0, 200)),
        data=st.binary(max_size=40),
        flags=st.tuples(st.booleans(), st.booleans(), st.booleans()),
        leap=st.sampled_from((0, 0, 0, 1, 1000, 70000)),
    )
    def downlink(self, commands, port, data, flags, leap):
        network = self.bench.network
        if not self.network_knows_us():
            return
        network.f_cnt_down += leap if leap < 0xFFFF else 0
        frame = network.downlink(b"" if port == 0 else commands, port, data, *flags)
        self.look(self.bench.hear(frame))

    @precondition(lambda self: self.state == automaton.PAUSE)
    @rule()
    def timer(self):
        self.bench.now_ms = self.bench.device.deadline_ms()
        self.look(self.bench.device.handle(act.TIMER, self.bench.now_ms))

    @rule()
    def abort(self):
        self.look(self.bench.device.handle(act.ABORT, self.bench.now_ms))
        assert self.state == automaton.IDLE

    @rule()
    def reset(self):
        """Power stays for the record: the session goes on where the last Save left it."""
        old = self.bench
        saved = Session.unpack(old.device.session.pack())
        self.bench = Bench(saved, old.device.next_dev_nonce)
        self.bench.network, self.bench.now_ms, self.bench.rnd = old.network, old.now_ms, old.rnd

    @invariant()
    def known_state(self):
        assert self.state in STATES
        assert self.nonces == sorted(set(self.nonces))
        check(self.bench.device.session)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
