# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The inventory's folder under interruption and concurrency."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from revier_inventory import FILE_NAMES, Asset, Inventory, InventoryError, begin_period, put_asset
from revier_provision import OrderError, durable_files, inventory_files

AT = datetime(2026, 5, 1, tzinfo=UTC)


def asset(number: int) -> Asset:
    return Asset(asset=f"a{number}", kind="air", ags="05562020", name="A", lon=7.1, lat=51.6)


def test_write_and_read(tmp_path: Path, herten: Inventory) -> None:
    folder = tmp_path / "a" / "b"
    inventory_files.write(folder, herten)
    assert inventory_files.read(folder) == herten
    assert sorted(p.name for p in folder.glob("*.toml")) == sorted(FILE_NAMES)


def test_only_changed_files_are_written(tmp_path: Path, herten: Inventory) -> None:
    inventory_files.write(tmp_path, herten)
    before = {name: (tmp_path / name).stat().st_ino for name in FILE_NAMES}
    inventory_files.change(tmp_path, lambda now: begin_period(now, "0" * 16, "herten-air-01", AT))
    after = {name: (tmp_path / name).stat().st_ino for name in FILE_NAMES}
    assert {name for name in FILE_NAMES if before[name] != after[name]} == {"devices.toml"}


def test_changes_at_the_same_time_are_all_kept(tmp_path: Path, herten: Inventory) -> None:
    inventory_files.write(tmp_path, herten)

    def add(first: int) -> None:
        for number in range(first, first + 5):
            inventory_files.change(
                tmp_path, lambda now, number=number: put_asset(now, asset(number))
            )

    threads = [threading.Thread(target=add, args=(first,)) for first in (0, 5, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(inventory_files.read(tmp_path).assets) == len(herten.assets) + 15


def test_a_reader_sees_a_consistent_inventory_at_every_write(
    tmp_path: Path, herten: Inventory, monkeypatch: pytest.MonkeyPatch
) -> None:
    inventory_files.write(tmp_path, herten)
    replace, seen = inventory_files._replace, []

    def spy(path: Path, text: str) -> None:
        replace(path, text)
        seen.append(len(inventory_files.read(tmp_path).assets))

    monkeypatch.setattr(inventory_files, "_replace", spy)
    inventory_files.change(
        tmp_path, lambda now: begin_period(put_asset(now, asset(1)), "0" * 16, "a1", AT)
    )
    assert seen == [len(herten.assets) + 1] * 2


def test_a_refused_change_changes_nothing(tmp_path: Path, herten: Inventory) -> None:
    inventory_files.write(tmp_path, herten)
    with pytest.raises(InventoryError):
        inventory_files.change(tmp_path, lambda now: begin_period(now, "0" * 16, "nowhere", AT))
    assert inventory_files.read(tmp_path) == herten


def test_a_write_cut_short_leaves_the_old_file(
    tmp_path: Path, herten: Inventory, monkeypatch: pytest.MonkeyPatch
) -> None:
    inventory_files.write(tmp_path, herten)

    def cut(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(durable_files.os, "fsync", cut)
    with pytest.raises(OrderError, match="No space left"):
        inventory_files.change(tmp_path, lambda now: put_asset(now, asset(1)))
    monkeypatch.undo()
    assert inventory_files.read(tmp_path) == herten
