# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Every error of revier-provision names a next step: one can do what its cure says."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from revier_provision import errors

ROOT = Path(__file__).resolve().parent.parent
ROOM = ROOT / "provisioning" / "revier_provision"
# who takes a cure, as the last of so many arguments
RAISED = {name: 2 for name in vars(errors) if name.endswith("Error")}
RAISED |= {"BoardSilentError": 2, "Missing": 2}
RAISED |= {name: 3 for name in vars(errors) if name.startswith("cannot_")}
NO_STEP = re.compile(r"(?:This|That|It|There|A|An|The|No|Not)\b")
TOO_LITTLE = {
    "Run again",
    "Try again",
    "Type it again",
    "Reset it",
    "Correct it",
    "Correct the rights",
}


def texts(node: ast.expr, names: dict[str, list[tuple[int, ast.expr]]]) -> Iterator[str]:
    """What an expression says at its beginning; a name is what was last given to it above."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
        yield "".join(str(part) for part in parts)
    elif isinstance(node, ast.IfExp):
        yield from texts(node.body, names)
        yield from texts(node.orelse, names)
    elif isinstance(node, ast.Name):
        given = [value for line, value in names.get(node.id, ()) if line <= node.lineno]
        yield from texts(given[-1], {}) if given else ()
    elif isinstance(node, ast.Call) and ast.unparse(node.func) == "_":
        yield from texts(node.args[0], {})


def cures() -> Iterator[tuple[str, str]]:
    """Place and text of each cure that is written where the error is raised."""
    for path in sorted(ROOM.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        names: dict[str, list[tuple[int, ast.expr]]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                names.setdefault(node.targets[0].id, []).append((node.lineno, node.value))
        for given in names.values():
            given.sort(key=lambda item: item[0])
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            count = RAISED.get(node.func.id)
            if len(node.args) == count:
                for text in texts(node.args[-1], names):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", text


def test_every_cure_is_a_step_that_one_can_take() -> None:
    found = list(cures())
    assert len(found) > 200
    bad = [f"{at}: {cure!r}" for at, cure in found if NO_STEP.match(cure) or cure in TOO_LITTLE]
    assert not bad, "say what to do:\n" + "\n".join(bad)


def test_a_cure_is_a_sentence_without_its_full_stop() -> None:
    bad = [
        f"{at}: {cure!r}"
        for at, cure in cures()
        if not re.match(r"[A-Z–…{-]", cure) or cure[-1] == "."
    ]
    assert not bad, "\n".join(bad)
