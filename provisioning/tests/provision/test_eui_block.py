# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""DevEUIs of an own block: never twice, never somebody else's."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revier_inventory import Inventory, begin_period
from revier_provision import OrderError
from revier_provision.books import Books
from revier_provision.errors import FaultsError
from revier_provision.fleet.allotment import allot, read_block
from revier_provision.fleet.eui_block import EuiBlock, next_dev_eui, parse
from revier_provision.ledger.files import LedgerFolder

PREFIX = "8c1f64abc"
AT = datetime(2026, 5, 1, 8, tzinfo=UTC)


def text(prefix: str = PREFIX, stations: str = 'a = ["0000000", "0000003"]') -> str:
    return f'prefix = "{prefix}"\nregistered_to = "Kreis"\n[stations]\n{stations}\n'


def faults_of(of: str) -> str:
    with pytest.raises(FaultsError) as caught:
        parse(of)
    return " | ".join(problem for problem, _ in caught.value.errors)


def test_a_block_is_split_between_stations() -> None:
    block = parse(text("8C-1F-64-AB-C", 'a = ["0000000", "0000003"]\nb = ["0000004", "FFFFFFF"]'))
    assert block.prefix == PREFIX
    assert next_dev_eui(block, "a", []) == f"{PREFIX}0000000"
    assert next_dev_eui(block, "b", [f"{PREFIX}0000004"]) == f"{PREFIX}0000005"
    with pytest.raises(OrderError, match="no part of the EUI block"):
        next_dev_eui(block, "c", [])


def test_a_part_comes_to_its_end() -> None:
    block = parse(text())
    assert next_dev_eui(block, "a", [f"{PREFIX}0000002"]) == f"{PREFIX}0000003"
    with pytest.raises(OrderError, match="used up"):
        next_dev_eui(block, "a", [f"{PREFIX}0000003"])


@pytest.mark.parametrize(
    ("prefix", "problem"),
    [
        ("02c0ffee1", "locally administered"),
        ("feedbeef0", "locally administered"),
        ("01005e", "group address"),
        ("000000", "no block of yours"),
        ("00005eef1", "no block of yours"),
        ("70b3d57ed", "hands it out"),
        ("8c1f64abcd", "none that the IEEE assigns"),
        ("8c1f6", "none that the IEEE assigns"),
        ("8c1f6x", "none that the IEEE assigns"),
        ("8c1f64fff", "made from MAC addresses"),
    ],
)
def test_an_invented_prefix_is_refused(prefix: str, problem: str) -> None:
    assert problem in faults_of(text(prefix))


def test_the_guides_example_is_right_but_for_its_prefix() -> None:
    page = (Path(__file__).parents[3] / "docs" / "technician.md").read_text("utf-8")
    (example,) = re.findall(r"```toml\n(prefix.*?)```", page, re.DOTALL)
    assert faults_of(example) == "The prefix 00005eef1 is no block of yours"
    assert set(parse(example.replace("00005eef1", PREFIX)).stations) == {"bench-1", "bench-2"}


def test_every_fault_of_the_parts_is_said() -> None:
    stations = 'a = ["0", "f"]\nb = ["0000009", "0000001"]\nc = ["0000000", "0000005"]\n'
    stations += 'd = ["0000005", "0000009"]'
    found = faults_of(text(stations=stations))
    assert "Station a" in found
    assert "Station b" in found
    assert "stations c and d overlap" in found
    assert "No station" in faults_of(text(stations=""))
    assert "registered_to" in faults_of(text().replace("Kreis", " "))
    assert "cannot be read" in faults_of(text() + "[more]\n")
    assert "cannot be read" in faults_of("prefix =")


@given(st.integers(0, 0xFFFFFFFFFF - 0x4000000), st.lists(st.integers(0, 40), max_size=40))
def test_an_eui_is_never_given_twice_nor_of_a_macs_form(start: int, skipped: list[int]) -> None:
    """MA-L, where a range can run into FF-FE; other stations' records come in between."""
    first = 0x8C1F640000000000 + start
    block = EuiBlock(prefix="8c1f64", registered_to="K", stations={"a": (first, first + 0x4000000)})
    used = {f"{first + each:016x}" for each in skipped} | {"f" * 16, "0" * 16}
    given_out = []
    for _ in range(20):
        new = next_dev_eui(block, "a", used)
        assert new not in used
        assert new.startswith("8c1f64")
        assert new[6:10] not in ("fffe", "ffff")
        assert first <= int(new, 16) <= first + 0x4000000
        used.add(new)
        given_out.append(new)
    assert given_out == sorted(set(given_out))


# -- in the ledger -------------------------------------------------------------------------------

MACS = [bytes.fromhex(f"240ac41122{n:02x}") for n in range(6)]


def books(tmp_path: Path, station: str) -> Books:
    return Books(LedgerFolder(tmp_path / "ledger", station, "me", lambda: AT), None)


def test_a_chip_keeps_its_eui_at_every_station(tmp_path: Path, herten: Inventory) -> None:
    block = parse(text(stations='a = ["0000000", "0000007"]\nb = ["0000008", "000000f"]'))
    here, there = books(tmp_path, "a"), books(tmp_path, "b")
    first = allot(MACS[0], block, herten, here)
    assert first == f"{PREFIX}0000000"
    assert allot(MACS[0], block, herten, here) == first
    assert allot(MACS[0], block, herten, there) == first
    assert allot(MACS[1], block, herten, there) == f"{PREFIX}0000008"
    assert allot(MACS[2], block, herten, here) == f"{PREFIX}0000001"
    served = begin_period(herten, f"{PREFIX}0000002", "herten-air-01", AT)
    assert allot(MACS[3], block, served, here) == f"{PREFIX}0000003"
    events = [record.event for record in here.ledger.records()]
    assert events == ["eui-allotted"] * 4


def test_a_chip_that_is_a_device_stays_that_device(tmp_path: Path, herten: Inventory) -> None:
    served = begin_period(herten, "240ac4fffe112200", "herten-air-01", AT)
    with pytest.raises(OrderError, match=r"is device 240ac4fffe112200 already.*Leave --eui-block"):
        allot(MACS[0], parse(text()), served, books(tmp_path, "a"))
    assert not books(tmp_path, "a").ledger.records()


def test_a_block_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert read_block(None) is None
    with pytest.raises(OrderError, match="Correct the path"):
        read_block(tmp_path / "none.toml")
    (tmp_path / "block.toml").write_text(text())
    assert read_block(tmp_path / "block.toml") == parse(text())
