# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
import json
from pathlib import Path

import pytest

from revier_bench.world.airtime import lora_airtime_us, low_data_rate_optimised, preamble_us

TABLE = json.loads((Path(__file__).parent / "data" / "airtime_eu868.json").read_text())
LORAWAN_OVERHEAD = 13


@pytest.mark.parametrize("name", TABLE["airtime_ms"])
def test_airtime_is_that_of_the_table(name: str) -> None:
    sf = int(name.removeprefix("SF"))
    for size, airtime_ms in zip(TABLE["payload_bytes"], TABLE["airtime_ms"][name], strict=True):
        assert lora_airtime_us(size + LORAWAN_OVERHEAD, sf) == round(airtime_ms * 1000)


def test_join_request_and_downlink_have_the_known_airtimes() -> None:
    assert lora_airtime_us(23, 7) == 61_696
    assert lora_airtime_us(23, 12) == 1_482_752
    assert lora_airtime_us(24, 7, crc=False) == 56_576
    assert lora_airtime_us(24, 7) == 61_696  # the CRC needs one block more


def test_ldro_follows_the_symbol_length() -> None:
    assert [sf for sf in range(7, 13) if low_data_rate_optimised(sf, 125_000)] == [11, 12]
    assert [sf for sf in range(7, 13) if low_data_rate_optimised(sf, 250_000)] == [12]
    assert lora_airtime_us(51, 12) > lora_airtime_us(51, 12, ldro=False)


def test_preamble_is_twelve_and_a_quarter_symbols() -> None:
    assert preamble_us(7) == round(12.25 * 1024)
    assert preamble_us(12) == round(12.25 * 32768)


@pytest.mark.parametrize("bad", [(256, 7), (10, 4), (10, 13), (-1, 7)])
def test_what_is_no_frame_is_refused(bad: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="no LoRa frame"):
        lora_airtime_us(*bad)
