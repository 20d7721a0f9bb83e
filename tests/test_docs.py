# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The documents say what is so."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"\]\(([^)#]+?)(?:#[^)]*)?\)")


def documents() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    dead = [
        link
        for link in LINK.findall(document.read_text())
        if "://" not in link and not (document.parent / link).exists()
    ]
    assert not dead


def test_the_architecture_picture_is_what_the_code_imports() -> None:
    drawn = subprocess.run(
        [sys.executable, "tools/architecture.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert drawn == (ROOT / "docs" / "architecture.svg").read_text(), (
        "redraw it: python tools/architecture.py > docs/architecture.svg"
    )


@pytest.mark.parametrize("kind", ["air", "parking", "waste"])
def test_the_wiring_pages_say_what_the_board_descriptions_say(kind: str) -> None:
    command = [sys.executable, "tools/wiring_tables.py", kind]
    table = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert table.count("\n") >= 9
    assert table in (ROOT / "docs" / "hardware" / f"{kind}.md").read_text(), (
        f"write it again: {' '.join(command[1:])}"
    )


def test_every_board_is_on_the_hardware_page() -> None:
    page = (ROOT / "docs" / "hardware" / "README.md").read_text()
    for path in (ROOT / "firmware" / "image" / "boards").glob("*.json"):
        assert f"| `{path.stem}` |" in page, path.stem


def test_the_readme_names_targets_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"^make (\w+)", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert {"demo", "test"} <= named
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in named)


def test_ci_calls_the_readme_test_command() -> None:
    assert re.search(r"^make test$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
