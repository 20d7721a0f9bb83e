# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What a reader relies on and no linter knows: sizes, cores without IO, headers, paths."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILE_LINES_MAX = 420
FUNCTION_LINES_MAX = 60
CORES = {
    "firmware/revier_payload": {"struct"},
    # typing for mypy's eyes only, binascii for its CRC-32
    "firmware/revier_mac": {"struct", "binascii", "collections", "typing"},
}
CORE_MODULES_FORBIDDEN = {
    "provisioning/revier_inventory": {"asyncio", "socket", "random", "os", "threading", "sqlite3"},
}
TEXT_ENDINGS = {
    ".py",
    ".md",
    ".toml",
    ".sh",
    ".yml",
    ".yaml",
    ".js",
    ".css",
    ".html",
    ".ini",
    ".sql",
}
# Written apart so that this file does not find itself.
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:" + "work" + "|" + "root" + r")/\w")
REGISTRY_HOSTS = re.compile(
    r"(?:files\.)?python"
    + r"hosted\.org|py"
    + r"pi\.org|registry\.npm"
    + r"js\.org|deb\.deb"
    + r"ian\.org"
)


def tracked(*endings: str) -> list[Path]:
    """Files that git tracks or would track, with one of these endings."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return [
        ROOT / name
        for name in sorted(set(listed))
        if name.endswith(endings) and (ROOT / name).is_file()
    ]


def sources() -> list[Path]:
    return tracked(".py")


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imports(tree: ast.AST) -> Iterator[str]:
    """Top-level names of the modules that a file imports; relative imports are its own room."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def test_sources_are_found() -> None:
    assert len(sources()) > 50


def test_files_are_short() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in sources()
        if (lines := len(path.read_text().splitlines())) > FILE_LINES_MAX
    }
    assert not long, f"split by kind of knowledge (at most {FILE_LINES_MAX} lines): {long}"


def test_functions_fit_a_screen() -> None:
    long = []
    for path in sources():
        for function in functions(ast.parse(path.read_text())):
            lines = (function.end_lineno or 0) - function.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                long.append(
                    f"{path.relative_to(ROOT)}:{function.lineno} {function.name}: {lines} lines"
                )
    assert not long, "\n".join(long)


@pytest.mark.parametrize("core", CORES)
def test_device_cores_import_nothing_of_the_world(core: str) -> None:
    room = Path(core).name
    for path in (ROOT / core).rglob("*.py"):
        foreign = set(imports(ast.parse(path.read_text()))) - CORES[core] - {room, "micropython"}
        assert not foreign, f"{path.relative_to(ROOT)} imports {sorted(foreign)}"


@pytest.mark.parametrize("core", CORE_MODULES_FORBIDDEN)
def test_other_cores_stay_sans_io(core: str) -> None:
    for path in (ROOT / core).rglob("*.py"):
        bad = set(imports(ast.parse(path.read_text()))) & CORE_MODULES_FORBIDDEN[core]
        assert not bad, f"{path.relative_to(ROOT)} imports {sorted(bad)}"


def test_sources_carry_copyright_and_licence() -> None:
    bare = [
        str(path.relative_to(ROOT))
        for path in tracked(".py", ".sh", ".js", ".css", ".sql", ".toml", ".yml", ".yaml")
        if "SPDX-License-Identifier" not in path.read_text(errors="replace")[:600]
        and not re.search(r"/data/|/vectors/", str(path))
    ]
    assert not bare, f"add the two SPDX lines: {bare}"


def test_no_path_of_a_machine_and_no_registry_host() -> None:
    found = []
    for path in tracked(*TEXT_ENDINGS, "Makefile", ".txt"):
        text = path.read_text(errors="replace")
        found += [
            f"{path.relative_to(ROOT)}: {match.group()}" for match in MACHINE_PATHS.finditer(text)
        ]
        found += [
            f"{path.relative_to(ROOT)}: {match.group()}" for match in REGISTRY_HOSTS.finditer(text)
        ]
    assert not found, "\n".join(found)


def test_constraints_are_pinned_without_addresses() -> None:
    lines = [
        line
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if not line.startswith("#")
    ]
    assert all(re.fullmatch(r"[A-Za-z0-9_.\-]+==[\w.+]+", line) for line in lines), lines


def test_no_leftovers() -> None:
    marks = re.compile(r"\b(?:FIX" + r"ME|XX" + r"X|TO" + r"DO)\b")
    left = [str(path.relative_to(ROOT)) for path in sources() if marks.search(path.read_text())]
    assert not left, f"do it or write it into an issue: {left}"
