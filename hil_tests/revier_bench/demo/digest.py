# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""One short word for all that a run brought about: same seed and start, same word."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from revier_bench.world.truth import TrueUplink

# What a message says of this machine's clock rather than of the world: when we received it.
WALL_CLOCK_FIELDS = ("rx",)
HEX_DIGITS = 16


def frames_digest(uplinks: Iterable[TrueUplink]) -> str:
    """Over every frame that was heard: device, time, counter, payload, radio gateways."""
    lines = (
        f"{u.end_unix_us} {u.dev_eui} {u.dev_addr} {u.f_cnt} {u.f_port} {u.payload.hex()} {sorted(u.gateways)}"  # noqa: E501
        for u in uplinks
    )
    return _digest(lines)


def feed_digest(messages: Iterable[dict[str, Any]]) -> str:
    """Over every observation, once each, without WALL_CLOCK_FIELDS."""
    lines = {
        json.dumps({k: v for k, v in m.items() if k not in WALL_CLOCK_FIELDS}, sort_keys=True)
        for m in messages
    }
    return _digest(lines)


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:HEX_DIGITS]
