# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The ladder of speeds, and its memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from revier_provision.chip import BAUDS, BaudMemory, default_state_file
from revier_provision.chip.baud import ADAPTERS_MAX


def test_the_fastest_comes_first() -> None:
    assert BaudMemory().ladder("new") == BAUDS == (921_600, 460_800, 115_200)


def test_what_worked_is_where_the_next_run_begins(tmp_path: Path) -> None:
    path = tmp_path / "state" / "adapters.json"
    memory = BaudMemory(path)
    memory.remember("a", 460_800)
    memory.remember("b", 921_600)
    again = BaudMemory(path)
    assert again.ladder("a") == (460_800, 115_200)
    assert again.ladder("b") == BAUDS
    again.remember("a", 115_200)
    assert BaudMemory(path).ladder("a") == (115_200,)


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[]", b'{"bauds": 3}', b'{"bauds": {"a": 300, "b": "x"}}', b"null"]
)
def test_a_spoilt_file_is_no_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "adapters.json"
    path.write_bytes(content)
    memory = BaudMemory(path)
    assert memory.ladder("a") == BAUDS
    memory.remember("a", 115_200)
    assert BaudMemory(path).ladder("a") == (115_200,)


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    memory = BaudMemory(tmp_path / "file" / "adapters.json")
    memory.remember("a", 115_200)
    assert memory.ladder("a") == (115_200,)


def test_the_oldest_adapters_are_forgotten() -> None:
    memory = BaudMemory()
    for number in range(ADAPTERS_MAX + 1):
        memory.remember(str(number), 115_200)
    assert memory.ladder("0") == BAUDS
    assert memory.ladder(str(ADAPTERS_MAX)) == (115_200,)


def test_the_state_is_the_users_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_state_file() == tmp_path / "revier" / "adapters.json"
