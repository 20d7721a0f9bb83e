# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The wake of a batching air node (air_batch.py) that sends an hour's block."""

import binascii

from revier_node import notes
from revier_node.clock import now_ms
from revier_node.kinds import air
from revier_node.kinds.air_batch import READING_CHARS
from revier_payload import air_batch
from revier_payload.air_batch_head import AIR_BATCH
from revier_payload.edges import free_size

MYPY = False
if MYPY:
    from revier_node.kinds import Wake


F_PORT = AIR_BATCH.f_port
CO2_F_PORT = 12  # revier_payload/air_co2.py
SIZE_MAX = 45  # bytes: at every data rate of EU868 there is room for six of MAC answers beside
_ON_AIR = ("sent", "acked", "unacknowledged")
INTERVAL_MAX_S = 1_860  # what the message can say; with a longer one each block has one reading


class _Batch:
    """The application encodes it when it is about to send; only then is the data rate known."""

    f_port = F_PORT

    @staticmethod
    def encode(values: dict) -> bytes:
        device = values["node"].link().device
        size_max = min(SIZE_MAX, device.payload_max())
        if size_max < air_batch.SIZE_MIN:
            size_max = SIZE_MAX  # the answers in its way go first, in a frame of their own
        spreading_factor = 12 - min(device.session.dr, 5)
        head = {name: values[name] for name in ("seq", "time", "interval", "battery", "status")}
        data: bytes = air_batch.encode(
            head,
            values["samples"],
            size_max,
            lambda size: free_size(size, spreading_factor),
            values["before"],
        )
        return data


def message(wake: "Wake", note: dict) -> tuple:
    """Of the note that air_batch.py has made."""
    air.MESSAGES[F_PORT] = _Batch
    codes = note["codes"]
    f_port = CO2_F_PORT if "scd41" in wake.wiring else air.F_PORT
    samples = [
        air_batch.codes_of(
            f_port, b"\0" + binascii.a2b_base64(codes[at : at + READING_CHARS] + "==")
        )
        for at in range(0, len(codes), READING_CHARS)
    ]
    unix_s = wake.node.clock.unix_s()
    return (
        F_PORT,
        {
            "seq": note["seq"],
            "time": None if unix_s is None else unix_s - (now_ms() - note["ms"]) // 1000,
            "interval": min(INTERVAL_MAX_S, note["every"] // 1000),
            "battery": wake.battery_mv(),
            "status": note["status"],
            "samples": samples,
            "before": note["before"],
            "node": wake.node,
        },
        "told",
    )


def told(message: tuple, outcome: str) -> None:
    """A block that was on the air makes room for the next."""
    note = notes.load().get("hour", {})
    if outcome in _ON_AIR and note.get("seq") == message[1]["seq"]:
        notes.save("hour", {"before": air_batch.means(message[1]["samples"])})
