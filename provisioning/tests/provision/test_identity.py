# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Who a node is."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revier_provision import BoardError
from revier_provision.identity import app_key_digest, dev_eui_from_mac, new_app_key

# neither group addresses nor local ones
FACTORY_MACS = (
    st.binary(min_size=6, max_size=6).map(lambda mac: bytes((mac[0] & 0xFC,)) + mac[1:]).filter(any)
)


def test_the_dev_eui_is_the_mac_with_fffe_in_the_middle() -> None:
    assert dev_eui_from_mac(bytes.fromhex("240ac4112233")) == "240ac4fffe112233"


@given(FACTORY_MACS, FACTORY_MACS)
def test_two_boards_have_two_dev_euis(one: bytes, other: bytes) -> None:
    assert (dev_eui_from_mac(one) == dev_eui_from_mac(other)) == (one == other)


@pytest.mark.parametrize("mac", ["000000000000", "ffffffffffff", "010ac4112233"])
def test_a_mac_that_is_no_boards_is_refused(mac: str) -> None:
    with pytest.raises(BoardError, match="which cannot be"):
        dev_eui_from_mac(bytes.fromhex(mac), local_ok=True)


def test_a_local_mac_is_for_benches_only() -> None:
    mac = bytes.fromhex("020ac4112233")
    with pytest.raises(BoardError, match="locally administered"):
        dev_eui_from_mac(mac)
    assert dev_eui_from_mac(mac, local_ok=True) == "020ac4fffe112233"


def test_a_broken_entropy_source_stops_the_work() -> None:
    with pytest.raises(AssertionError):
        new_app_key(bytes)
    with pytest.raises(AssertionError):
        new_app_key(lambda size: b"short")
    assert new_app_key(random.Random("a").randbytes) != new_app_key(random.Random("b").randbytes)


def test_the_digest_depends_on_key_and_challenge() -> None:
    key, challenge = bytes(range(16)), b"c" * 16
    digest = app_key_digest(challenge, key)
    assert digest != app_key_digest(challenge, key[::-1])
    assert digest != app_key_digest(b"d" * 16, key)
