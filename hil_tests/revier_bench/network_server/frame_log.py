# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Raw frames for `InternalService.StreamDeviceFrames`.

ChirpStack's JSON of `phy_payload` is its parser's own tree. Here it holds what a technician reads:
header and payload as hex; `tx_info` and `rx_info` are written as ChirpStack writes them.
"""

from chirpstack_api import gw

from revier_bench.network_server.pbjson import to_value
from revier_bench.network_server.state import FrameLog, Uplink


def uplink_log(
    uplink: Uplink,
    dev_eui: str,
    kind: str,
    now_ns: int,
    dev_addr: str = "",
    mac_bytes: bytes = b"",
) -> FrameLog:
    return FrameLog(
        dev_eui=dev_eui,
        description=kind,
        time_ns=uplink.time_ns(now_ns),
        body=lambda: {
            "phy_payload": {
                "mhdr": {"f_type": kind, "major": "LoRaWANR1"},
                "bytes": uplink.phy_payload.hex(),
                "mac_commands": mac_bytes.hex(),
            },
            "tx_info": to_value(uplink.tx_info),
            "rx_info": [to_value(r) for r in uplink.rx_info],
        },
        properties={"DevAddr": dev_addr, "DevEUI": dev_eui},
    )


def downlink_log(
    frame: gw.DownlinkFrame, dev_eui: str, kind: str, now_ns: int, dev_addr: str, item: int = 0
) -> FrameLog:
    sent = frame.items[item]
    return FrameLog(
        dev_eui=dev_eui,
        description=kind,
        time_ns=now_ns,
        body=lambda: {
            "phy_payload": {
                "mhdr": {"f_type": kind, "major": "LoRaWANR1"},
                "bytes": sent.phy_payload.hex(),
            },
            "tx_info": to_value(sent.tx_info),
        },
        properties={"DevAddr": dev_addr, "DevEUI": dev_eui, "Gateway ID": frame.gateway_id},
    )
