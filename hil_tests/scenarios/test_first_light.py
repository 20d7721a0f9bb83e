# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A node's first minutes, on any bench."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_embedded import Dut

    from .conftest import Network

pytestmark = pytest.mark.pty


@pytest.mark.state("provisioned_node")
def test_boot_and_self_test(dut: Dut) -> None:
    """After power-on the node opens its service window, says who it is and tests its parts."""
    dut.expect_exact("revier service ms=3000", timeout=10)
    boot = dut.expect(
        r"revier boot cause=(\w+) kind=(\w+) fw=(\d+\.\d+\.\d+) slot=(\w)", timeout=20
    )
    assert boot.group(1, 2, 4) == (b"power_on", b"air", b"a")
    result = dut.expect(r"revier selftest ([^\r\n]+)", timeout=20).group(1).decode()
    assert dict(part.split("=") for part in result.split()) == {
        "sps30": "ok",
        "bme280": "ok",
        "radio": "ok",
    }


@pytest.mark.state("registered_node")
def test_join_and_first_reading(dut: Dut, network: Network) -> None:
    """The node joins, measures, sends; the network server publishes just that reading."""
    dut.expect(r"revier join try=1 dev_nonce=0", timeout=20)
    address = dut.expect(r"revier joined dev_addr=([0-9a-f]{8})", timeout=30).group(1).decode()
    seq = int(dut.expect(r"revier reading kind=air port=10 seq=(\d+)", timeout=30).group(1))
    sent = dut.expect(rf"revier uplink f_cnt=(\d+) port=10 len=(\d+) dr=(\d) seq={seq}", timeout=30)
    dut.expect(r"revier sleep ms=(\d+)", timeout=30)

    join = network.wait_for("join")
    assert join["devAddr"] == address
    first = network.wait_for("up", fPort=10)
    assert first["deviceInfo"]["devEui"] == join["deviceInfo"]["devEui"]
    assert first.get("fCnt", 0) == int(sent.group(1)), "protobuf JSON leaves out a zero"
    assert first["rxInfo"], "a radio gateway heard it"
