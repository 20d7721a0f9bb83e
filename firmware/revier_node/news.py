# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the network tells; imported when it does, for most wakes bring no news."""

from revier_mac import actions as mac
from revier_node.console import say

MYPY = False
if MYPY:
    from typing import Any

    from revier_node.clock import Clock


def tell(action: "Any", clock: "Clock") -> None:
    kind = type(action)
    if kind is mac.DeviceTime:
        if clock.set_gps(action.gps_s, action.gps_256ths, action.tx_end_ms):
            say("time", "unix_s", clock.unix_s())
    elif kind is mac.Joined:
        say("joined", "dev_addr", "%08x" % action.dev_addr)
    elif kind is mac.LinkCheck:
        say("link", "margin", action.margin_db, "gateways", action.gateway_count)
    elif kind is mac.Downlink:
        say("downlink", "f_cnt", action.f_cnt, "port", action.f_port, "len", len(action.data),
            "window", action.window, "rssi", action.rssi_dbm, "snr", action.snr_db)  # fmt: skip
