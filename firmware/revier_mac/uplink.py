# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""One uplink with its repeats: made, sealed, its downlink judged and taken.

L2 = LoRaWAN L2 1.0.4.
"""

from revier_mac import actions as act
from revier_mac import airtime as eu868
from revier_mac import counts, frames

if 0:  # for the type checker; compiles to nothing
    from revier_mac.commands import Context
    from revier_mac.session import Session


class Uplink:
    """Same methods as joining.Join."""

    is_join = False

    def __init__(
        self, session: "Session", f_port: "int | None", data: bytes, confirmed: bool
    ) -> None:
        """Changes nothing: the frame may yet be refused. `size` of its PHYPayload."""
        self.session = session
        self.dr = session.dr
        self.left = session.nb_trans
        self.f_cnt = session.f_cnt_up
        self.confirmed = confirmed
        self.deferred = False  # the application's data had to stay behind
        self.f_port_data: "tuple[int, bytes] | None" = None
        room = eu868.PAYLOAD_MAX[session.dr] - len(data)
        answers, self.requests = session.beside(room)
        if len(answers) > min(room, 15):  # they go first, alone on port 0 (L2 5)
            self.deferred = f_port is not None
            self.confirmed = False
            f_port, data = 0, answers
            answers = self.requests = b""
        self.f_opts = answers + self.requests
        self.size = 12 + len(self.f_opts)
        if f_port is not None:
            self.f_port_data = f_port, data
            self.size += 1 + len(data)

    def seal(self, keys: "tuple[frames.Key, frames.Key]", adr: bool) -> None:
        """The session's counter, answers and acknowledgement count as sent."""
        session = self.session
        self.app = keys[1]
        self.answered = False
        self.pending = False
        self.adr = adr
        self.sealed = frames.SealedDownlink(keys[0], session.dev_addr, session.f_cnt_down + 1)
        f_ctrl = session.ack_due << 5
        if adr:
            f_ctrl |= 0xC0 if session.adr_ack_cnt >= 64 else 0x80
        self.frame = frames.uplink(
            *keys,
            session.dev_addr,
            0x80 if self.confirmed else 0x40,  # MHDR (L2 4.2)
            f_ctrl,
            session.f_cnt_up,
            self.f_opts,
            self.f_port_data,
        )
        session.f_cnt_up += 1
        session.ack_due = False
        if b"\x02" in self.requests:
            session.link_check_due = False
        if b"\x0d" in self.requests:
            session.device_time_due = False
        if session.answers:
            from revier_mac import commands

            commands.sent(session)

    def over(self, heard: bool, context: "Context") -> "act.Done | None":
        """Takes the downlink, adds its news to the context. None: the frame must be repeated."""
        session = self.session
        confirmed = self.confirmed
        acked = heard and self._take(context)
        wanted = self.left and not acked and (confirmed or not self.answered)
        # A downlink may just have taken all channels of the frame's data rate.
        if wanted and session.usable(session.mask, self.dr):
            return None
        if self.adr and not self.answered:
            session.unanswered()
        result = act.SENT
        if self.deferred:
            result = act.DEFERRED
        elif confirmed:
            result = act.ACKED if acked else act.UNACKNOWLEDGED
            if not acked:
                context.count(counts.UNACKNOWLEDGED)
        return act.Done(result, self.f_cnt, self.pending, session.ack_due)

    def pause_ms(self, draw: int) -> int:
        """L2 4.3.1.2: RETRANSMIT_TIMEOUT 2 s +- 1 s after RX2 for a confirmed frame."""
        return 1000 + draw % 2000 if self.confirmed else 0

    def _take(self, context: "Context") -> bool:
        """A valid downlink takes effect. True if it acknowledged our uplink."""
        session = self.session
        opened = self.sealed.open(self.app)
        context.count(counts.DOWNLINK_LOST, opened.f_cnt - session.f_cnt_down - 1)
        session.f_cnt_down = opened.f_cnt
        self.sealed.expect(opened.f_cnt + 1)
        session.adr_ack_cnt = 0
        if opened.confirmed:
            session.ack_due = True
        session.acknowledged()
        orders = opened.data if opened.f_port == 0 else opened.f_opts
        if orders:
            from revier_mac import commands

            if commands.apply(session, orders, context) < len(orders):
                context.count(counts.COMMAND_UNKNOWN)
        self.answered = True
        self.pending = opened.pending
        if opened.f_port:
            what = opened.f_port, opened.data, opened.f_cnt, opened.confirmed, opened.pending
            context.news.append(
                act.Downlink(*what, context.window, context.rssi_dbm, context.snr_db)
            )
        return bool(opened.ack and self.confirmed)
