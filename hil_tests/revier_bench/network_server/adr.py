# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""ChirpStack's default ADR algorithm (LoRa only)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from revier_bench.network_server.region import ADR_DR_MAX, INSTALLATION_MARGIN_DB
from revier_bench.network_server.registry import AdrSample

HISTORY_COUNT = 20
STEP_DB = 3.0
STEPS_MAX = 32  # beyond all data rates and powers there are
NB_TRANS_BY_LOSS = ((5.0, (1, 1, 2)), (10.0, (1, 2, 3)), (30.0, (2, 3, 3)))
NB_TRANS_AT_WORST = (3, 3, 3)


@dataclass(frozen=True, slots=True)
class AdrParameters:
    dr: int
    tx_power_index: int
    nb_trans: int


def wanted_parameters(
    now: AdrParameters,
    history: Sequence[AdrSample],
    required_snr_db: float,
    tx_power_index_max: int,
) -> AdrParameters:
    """What the device should use; equal to `now` when nothing is to change."""
    dr = min(now.dr, ADR_DR_MAX)
    nb_trans = _nb_trans(now.nb_trans, loss_percent(history))
    best_snr_db = max((s.max_snr_db for s in history), default=-999.0)
    steps = int((best_snr_db - required_snr_db - INSTALLATION_MARGIN_DB) / STEP_DB)
    same_power = sum(1 for s in history if s.tx_power_index == now.tx_power_index)
    if steps < 0 and same_power != HISTORY_COUNT:  # no power up and down on little evidence
        return AdrParameters(dr, now.tx_power_index, nb_trans)
    power = now.tx_power_index
    for _ in range(min(abs(steps), STEPS_MAX)):
        if steps < 0:
            power = max(0, power - 1)
        elif dr < ADR_DR_MAX:
            dr += 1
        elif power < tx_power_index_max:
            power += 1
    return AdrParameters(dr, power, nb_trans)


def loss_percent(history: Sequence[AdrSample]) -> float:
    if len(history) < HISTORY_COUNT:
        return 0.0
    lost = sum(b.f_cnt - a.f_cnt - 1 for a, b in pairwise(history))
    return lost / len(history) * 100.0


def _nb_trans(current: int, lost_percent: float) -> int:
    index = min(max(current, 1), 3) - 1
    for limit, row in NB_TRANS_BY_LOSS:
        if lost_percent < limit:
            return row[index]
    return NB_TRANS_AT_WORST[index]
