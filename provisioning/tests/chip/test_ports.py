# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Which port is meant."""

from __future__ import annotations

from typing import Any

import pytest
from serial.tools.list_ports_common import ListPortInfo

from revier_provision import BoardError
from revier_provision.chip import Port, choose, list_ports
from revier_provision.chip.ports import ADAPTERS, in_order, port_from


def found(device: str, **usb: Any) -> ListPortInfo:
    info = ListPortInfo(device)
    for name, value in usb.items():
        setattr(info, name, value)
    return info


CP = port_from(found("/dev/ttyUSB0", vid=0x10C4, pid=0xEA60, serial_number="0001", location="1-1"))
CH = port_from(found("/dev/ttyUSB1", vid=0x1A86, pid=0x7523, serial_number=None, location="1-2.3"))
S3 = port_from(found("COM7", vid=0x303A, pid=0x1001, serial_number="24:0A:C4:11:22:33"))
PRINTER = port_from(found("/dev/ttyACM9", vid=0x04B8, pid=0x0202, description="a printer"))
UART = port_from(found("/dev/ttyS0"))


def test_adapters_are_known_by_their_usb_ids() -> None:
    assert (CP.chip, CH.chip, S3.chip) == ("CP210x", "CH340", "USB of the ESP32-S3")
    assert (PRINTER.chip, UART.chip) == (None, None)
    assert Port(device="x", vid=0x303A, pid=0x4001).chip == "USB of an Espressif chip"
    assert all(0 < vid <= 0xFFFF for vid, _ in ADAPTERS)


def test_an_adapter_is_remembered_by_serial_number_or_by_its_place() -> None:
    assert CP.adapter == "10c4:ea60:0001"
    assert CH.adapter == "1a86:7523:1-2.3"
    assert UART.adapter == "/dev/ttyS0"


def test_the_only_board_is_chosen() -> None:
    assert choose([UART, PRINTER, CH]) == CH
    assert in_order([UART, S3, CP]) == [CP, S3, UART] or in_order([UART, S3, CP])[2] == UART


def test_a_named_port_is_taken_even_if_the_system_does_not_list_it() -> None:
    assert choose([CP, CH], "/dev/ttyUSB1") == CH
    url = choose([CP], "rfc2217://127.0.0.1:4010")
    assert (url.device, url.adapter) == ("rfc2217://127.0.0.1:4010", "rfc2217://127.0.0.1:4010")


def test_several_boards_are_listed() -> None:
    with pytest.raises(BoardError) as caught:
        choose([CP, CH, PRINTER])
    assert "There are 2 boards" in caught.value.problem
    assert "/dev/ttyUSB0 (CP210x, serial number 0001)" in caught.value.problem
    assert "/dev/ttyUSB1 (CH340)" in caught.value.problem
    assert "--port" in caught.value.cure


def test_no_board_says_what_there_is() -> None:
    with pytest.raises(BoardError, match="No port has a board behind it") as caught:
        choose([UART])
    assert "carries data" in caught.value.cure
    with pytest.raises(BoardError, match="a printer"):
        choose([UART, PRINTER])


def test_this_machines_ports_can_be_listed() -> None:
    assert all(port.device and port.adapter for port in list_ports())
