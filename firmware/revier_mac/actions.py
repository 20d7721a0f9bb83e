# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What goes in and out of the device automaton: events, actions, results. See __init__.py."""

from collections import namedtuple

# -- events, for Device.handle(event, now_ms) --
TX_DONE = 1  # the frame has left; now_ms = end of the transmission
WINDOW_EMPTY = 2  # the window that was asked for closed without a frame
FRAME = 3  # raised by Device.received(), not by the node
FINISH = 4  # the node is out of the time-critical part and allows heap again
TIMER = 5  # deadline_ms() has come
ABORT = 6  # the radio failed or the node gives up; allowed in every state

# -- identity: bytes as printed (big endian); next_dev_nonce from non-volatile storage --
Identity = namedtuple("Identity", "dev_eui join_eui app_key next_dev_nonce")

# -- actions, executed strictly in the order of the list --
# Store next_dev_nonce (int, 0..65536) where power loss cannot reach it, before going on.
ReserveDevNonce = namedtuple("ReserveDevNonce", "next_dev_nonce")
# Store the session record (bytes, <= 256) before going on (RTC memory; NVS by the node's lease).
Save = namedtuple("Save", "record")
# Send `payload` (bytes). EIRP in dBm. Then Device.handle(TX_DONE, end_of_tx_ms).
Transmit = namedtuple(
    "Transmit", "frequency_hz spreading_factor bandwidth_hz power_dbm airtime_us payload"
)
# Listen: the receiver is on open_us after the end of TX, for `symbols` symbols of preamble
# search; delay_us is the nominal start of the downlink. IQ inverted, no CRC, explicit header.
# Then Device.received(...) or Device.handle(WINDOW_EMPTY, now_ms).
Window = namedtuple(
    "Window", "number delay_us open_us frequency_hz spreading_factor bandwidth_hz symbols"
)
# The exchange on the air is over: sleep the radio, unlock the heap, Device.handle(FINISH, now_ms).
Finish = namedtuple("Finish", "heard")
# A repeat of the same frame (NbTrans) is due: Device.handle(TIMER, now_ms) at until_ms.
Wait = namedtuple("Wait", "until_ms")
# A session exists. The Save before it carries it. dev_addr as a number.
Joined = namedtuple("Joined", "dev_addr net_id join_nonce")
# Application data for us. snr_db, rssi_dbm of the frame; f_cnt 32 bit.
Downlink = namedtuple("Downlink", "f_port data f_cnt confirmed pending window rssi_dbm snr_db")
# DeviceTimeAns: GPS time (s, 1/256 s) at tx_end_ms on the node's clock.
DeviceTime = namedtuple("DeviceTime", "gps_s gps_256ths tx_end_ms")
# LinkCheckAns: margin above the demodulation floor, number of gateways that heard us.
LinkCheck = namedtuple("LinkCheck", "margin_db gateway_count")
# The request is over. pending: the network has more for us (FPending); ack_due: a confirmed
# downlink waits for our acknowledgement. An empty uplink (f_port None) soon serves either.
Done = namedtuple("Done", "result f_cnt pending ack_due")
# The request was not accepted, nothing has changed. retry_ms: the earliest time (DUTY), else None.
Refused = namedtuple("Refused", "reason retry_ms")

# -- Done.result --
SENT = "sent"  # unconfirmed: all transmissions are over
ACKED = "acked"
UNACKNOWLEDGED = "unacknowledged"  # unknown, not lost: the network answers a repeat with silence
JOINED = "joined"
NO_ACCEPT = "no_accept"
DEFERRED = "deferred"  # MAC answers went first, on port 0: send the data again
ABORTED = "aborted"

# -- Refused.reason --
BUSY = "busy"
NOT_JOINED = "not_joined"
TOO_LONG = "too_long"
DUTY = "duty"
NONCES_SPENT = "nonces_spent"  # all 65,536 DevNonces of this JoinEUI are used up
COUNTER_SPENT = "counter_spent"  # FCntUp has reached 2^32: only a new join helps
BAD_PORT = "bad_port"
