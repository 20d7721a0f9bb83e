# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Node-RED as a peer, where it is installed (npm install -g node-red): mqtt in, a function, mqtt
out. The flow itself says when the first event came and when the last one was acknowledged.

One connection for both: mqtt out drops what comes before its own connection stands, without a word
(10-mqtt.js, node.publish), and then the last one never comes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any

from revier_bench.broker import free_port
from revier_bench.measure.gateway_broker import FILTER

MARK = "revier-bench:"
TIMEOUT_S = 80

_MAKE = """
if (!context.get('begun')) { context.set('begun', 1); node.warn('%(mark)sfirst'); }
const event = msg.payload;
const body = {id: event.deduplicationId, f_cnt: event.fCnt, data: event.data};
return {topic: 'feed/' + event.deviceInfo.devEui + '/obs',
        payload: JSON.stringify(body).padEnd(400), qos: 1};
"""
_COUNT = """
const done = (context.get('done') || 0) + 1;
context.set('done', done);
if (done === %(events)d) { node.warn('%(mark)slast'); }
"""


class PeerError(Exception):
    """It did not do its work; the text says what it said last."""


def path() -> str | None:
    return shutil.which("node-red")


def _flow(port: int, client_id: str, events: int) -> list[dict[str, Any]]:
    names = {"mark": MARK, "events": events}
    where = {"broker": "127.0.0.1", "port": str(port), "protocolVersion": "5", "keepalive": "60"}
    source = {"clientid": client_id, "cleansession": False, "sessionExpiry": "3600"}
    function = {"z": "flow", "type": "function", "outputs": 1, "timeout": 0, "libs": []}
    return [
        {"id": "flow", "type": "tab", "label": "relay"},
        {"id": "broker", "type": "mqtt-broker", **where, **source, "autoConnect": True},
        {
            "id": "in",
            "z": "flow",
            "type": "mqtt in",
            "topic": FILTER,
            "qos": "1",
            "datatype": "json",
            "broker": "broker",
            "wires": [["make"]],
        },
        {"id": "make", **function, "func": _MAKE % names, "wires": [["out"]]},
        {"id": "out", "z": "flow", "type": "mqtt out", "qos": "1", "broker": "broker", "wires": []},
        {"id": "end", "z": "flow", "type": "complete", "scope": ["out"], "wires": [["count"]]},
        {"id": "count", **function, "func": _COUNT % names, "wires": [[]]},
    ]


def relay(port: int, client_id: str, events: int) -> dict[str, float]:
    """seconds and cpu_s from the first event to the last acknowledgement, of the whole process."""
    node_red = path()
    assert node_red is not None
    with tempfile.TemporaryDirectory(
        prefix="revier-node-red-", ignore_cleanup_errors=True
    ) as folder:
        flow = Path(folder) / "flows.json"
        flow.write_text(json.dumps(_flow(port, client_id, events)), "utf-8")
        command = [node_red, "-p", str(free_port()), "-u", folder, str(flow)]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        late = threading.Timer(TIMEOUT_S, process.kill)
        late.start()
        try:
            return _watch(process)
        finally:
            late.cancel()
            process.kill()
            process.wait()


def _watch(process: subprocess.Popen[str]) -> dict[str, float]:
    assert process.stdout is not None
    first: tuple[float, float] | None = None
    said: list[str] = []
    for line in process.stdout:
        said.append(line)
        if MARK + "first" in line:
            first = _now_and_cpu(process.pid)
        elif MARK + "last" in line and first is not None:
            last = _now_and_cpu(process.pid)
            return {"seconds": last[0] - first[0], "cpu_s": last[1] - first[1]}
    raise PeerError(f"Node-RED did not finish within {TIMEOUT_S} s: {''.join(said[-3:])}")


def _now_and_cpu(pid: int) -> tuple[float, float]:
    """Monotonic seconds, CPU seconds of the process (proc(5), stat fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return os.times().elapsed, ticks / os.sysconf("SC_CLK_TCK")
