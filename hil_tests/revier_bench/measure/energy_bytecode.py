# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Which bytecodes the firmware executes: counted by the firmware itself, statement by statement.

The real compiler says how many bytecodes each line has. A copy of every module gets, before each
statement, a call of the meter (energy_meter.py) with that number; it makes the node's clock go on
by what they cost on the chip. A statement counts with all of its lines: both arms of a conditional
expression, a loop's head for each round. So the count is a little too high, never too low.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

_LAUNCH = "import sys; from micropython_run import run_main; sys.exit(run_main(sys.argv[1:]))"
_TIMEOUT_S = 120
# Compiles and does not run; every bytecode is printed by the compiler's own -v -v -v
_COMPILE = """
import sys
for path in sys.argv[1:]:
    with open(path) as file:
        compile(file.read(), path, "exec")
"""
_BLOCK = re.compile(r"^File (.+), code block '(.+)' \(descriptor")
_LINE = re.compile(r"^  bc=(-?\d+) line=(\d+)$")
_CODE = re.compile(r"^(\d+) [A-Z]")
_INNER = ("<lambda>", "<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>")
METER = "_meter"
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
# calls whose cost is not that of their bytecodes -> the meter's function before or instead
_REPLACED = {"print": "console", "open": "open_file"}
_AFTER = {"gc.collect": "collected"}
_BEFORE = {"machine.deepsleep": "report", "micropython.heap_lock": "mark"}

Counts = dict[int, int]  # line -> bytecodes


class BytecodeError(Exception):
    """The compiler's listing could not be had or read."""


def listing(paths: Iterable[Path]) -> str:
    """What the interpreter's compiler prints of each file."""
    with tempfile.NamedTemporaryFile("w", suffix=".py") as script:
        script.write(_COMPILE)
        script.flush()
        files = [str(path) for path in paths]
        done = subprocess.run(
            [sys.executable, "-c", _LAUNCH, "micropython", "-O2", "-v", "-v", "-v", script.name,
             *files],
            env={**os.environ, "MICROPYPATH": ".frozen"},
            capture_output=True, text=True, check=False, timeout=_TIMEOUT_S,
        )  # fmt: skip
    if done.returncode != 0 or "Traceback" in done.stderr:
        raise BytecodeError((done.stdout[-300:] + done.stderr[-700:]).strip())
    return done.stdout


def count(text: str) -> dict[str, tuple[Counts, Counts]]:
    """File -> bytecodes by line: of modules, classes and functions; of lambdas and comprehensions.

    Each block of the listing gives the lines by their first bytecode, then the bytecodes.
    """
    found: dict[str, tuple[Counts, Counts]] = {}
    counts: Counts = {}
    lines: list[tuple[int, int]] = []
    for text_line in text.splitlines():
        if block := _BLOCK.match(text_line):
            pair = found.setdefault(block[1], ({}, {}))
            counts, lines = pair[block[2] in _INNER], []
        elif line := _LINE.match(text_line):
            lines.append((int(line[1]), int(line[2])))
        elif code := _CODE.match(text_line):
            at = [number for start, number in lines if start <= int(code[1])][-1]
            counts[at] = counts.get(at, 0) + 1
    return found


class _Meter(ast.NodeTransformer):
    """Puts the calls in."""

    def __init__(self, counts: Counts, inner: Counts) -> None:
        self._counts, self._inner = counts, inner
        self._importing = True

    # -- statements --

    def body(self, statements: list[ast.stmt], ahead: int = 0) -> list[ast.stmt]:
        """`ahead`: bytecodes of the compound statement's head, for each time it gets here."""
        done: list[ast.stmt] = [self._call(ahead)] if ahead else []
        for statement in statements:
            done.extend(self._statement(statement))
        return done

    def _statement(self, statement: ast.stmt) -> list[ast.stmt]:
        number = self._sum(*_head(statement))
        name = _called(statement)
        before = [self._call(number)] if number else []
        if name in _BEFORE:
            before.append(_expression(_BEFORE[name], 0))
        after = [_expression(_AFTER[name], 0)] if name in _AFTER else []
        return [*before, self._inside(statement, number), *after]

    def _inside(self, statement: ast.stmt, number: int) -> ast.stmt:
        importing = self._importing
        if isinstance(statement, ast.FunctionDef):
            self._importing = False
        looping = isinstance(statement, ast.For | ast.While)
        for name in ("body", "orelse", "finalbody"):
            inner = getattr(statement, name, None)
            if inner:
                ahead = number if looping and name == "body" else 0
                setattr(statement, name, self.body(inner, ahead))
        for handler in getattr(statement, "handlers", ()):
            handler.body = self.body(handler.body, self._sum(*_head(handler)))
        self._importing = importing
        self._expressions(statement)
        return statement

    def _expressions(self, statement: ast.stmt) -> None:
        for name, value in ast.iter_fields(statement):
            if name not in ("body", "orelse", "finalbody", "handlers"):
                if isinstance(value, ast.AST):
                    setattr(statement, name, self.visit(value))
                elif isinstance(value, list) and value and isinstance(value[0], ast.AST):
                    setattr(statement, name, [self.visit(one) for one in value])

    def _sum(self, first: int, last: int) -> int:
        return sum(n for line, n in self._counts.items() if first <= line <= last)

    def _call(self, number: int) -> ast.stmt:
        return _expression("load_body" if self._importing else "run", number)

    # -- expressions --

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in _REPLACED:
            node.func = _attribute(_REPLACED[node.func.id])
        return node

    def _per_round(self, node: ast.AST) -> ast.Call:
        last = getattr(node, "end_lineno", 0)
        first = getattr(node, "lineno", 0)
        number = sum(n for line, n in self._inner.items() if first <= line <= last)
        call = _expression("run", max(1, number)).value
        assert isinstance(call, ast.Call)
        return call

    def _comprehension(self, node: _Comprehension) -> ast.AST:
        call = self._per_round(node)
        self.generic_visit(node)
        node.generators[-1].ifs.insert(0, call)
        return node

    visit_ListComp = visit_SetComp = _comprehension  # noqa: N815
    visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        call = self._per_round(node)
        self.generic_visit(node)
        node.body = ast.BoolOp(ast.And(), [call, node.body])
        return node


def _head(node: ast.stmt | ast.ExceptHandler) -> tuple[int, int]:
    """First and last line of a statement without its body; a string alone costs nothing."""
    first = min([node.lineno, *[one.lineno for one in getattr(node, "decorator_list", ())]])
    body = getattr(node, "body", None)
    last = node.end_lineno or node.lineno
    return (first, max(first, body[0].lineno - 1)) if body else (first, last)


def _called(statement: ast.stmt) -> str:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return ast.unparse(statement.value.func)
    return ""


def _attribute(name: str) -> ast.Attribute:
    return ast.Attribute(ast.Name(METER, ast.Load()), name, ast.Load())


def _expression(name: str, number: int) -> ast.Expr:
    return ast.Expr(ast.Call(_attribute(name), [ast.Constant(number)], []))


def metered(source: str, counts: tuple[Counts, Counts], load: str = "") -> str:
    """The module with the meter's calls. `load`: a first call, for what its import costs."""
    tree = ast.parse(source)
    tree.body = _Meter(*counts).body(tree.body)
    tree.body.insert(0, ast.parse(f"import {METER}").body[0])
    if load:
        tree.body.insert(1, ast.parse(f"{METER}.{load}").body[0])
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def meter_files(paths: Mapping[str, Path], loads: Mapping[str, str]) -> dict[str, str]:
    """Name -> metered source of each of the files."""
    counts = count(listing(paths.values()))
    return {
        name: metered(path.read_text("utf-8"), counts[str(path)], loads.get(name, ""))
        for name, path in paths.items()
    }
