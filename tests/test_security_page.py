# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""SECURITY.md speaks of the version that this is, and names no address that nobody reads."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "SECURITY.md").read_text("utf-8")


def test_the_version_of_this_release_has_a_support_period() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    minor = version.rpartition(".")[0]
    row = re.search(rf"^\| {re.escape(minor)} \| all of them \| (.+?) \|$", PAGE, re.MULTILINE)
    assert row is not None, f"say until when {minor} is supported"
    assert "released" in row[1]


def test_no_placeholder_is_an_address() -> None:
    assert not re.search(r"\S+@\S+|example\.(org|com)|TBD", PAGE)
    assert "Report a vulnerability" in PAGE
    assert "confidential" in PAGE
