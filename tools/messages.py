# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Bring the catalogues of revier-provision up to date: python tools/messages.py [--check]

Collects every message of the source into locale/*.po: new ones with an empty translation, to be
filled in there; those that nothing says any more are removed. With --check nothing is written: what
is missing, idle, or differs in its {fields} is named, and the exit code is 1.

Messages are the literals in _(), n_() and template(), the first two arguments of an error, the
members of a Spoken, and the help of the commands.
"""

from __future__ import annotations

import ast
import string
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import polib
import typer.main

from revier_provision.cli import app

ROOT = Path(__file__).resolve().parent.parent
ROOMS = tuple(ROOT / "provisioning" / name for name in ("revier_provision", "revier_inventory"))
FOLDER = ROOMS[0] / "locale"
HELP = "revier_provision/cli"
ERROR = "ProvisionError"
MAKERS = ("_", "n_", "joined", "recognised", "verbatim", "Message")


class Found(NamedTuple):
    """A message and the file that says it; `plural` is empty for most."""

    text: str
    plural: str
    file: str


Names = dict[str, list[ast.expr]]  # name -> what it may be here


class Source:
    """One file's messages, and what is wrong with how it says them."""

    def __init__(self, path: Path, tree: ast.Module, errors: frozenset[str]) -> None:
        self.file = path.relative_to(ROOT / "provisioning").as_posix()
        self.found: list[Found] = []
        self.faults: list[str] = []
        self._errors = errors
        names: Names = {}
        for statement in tree.body:  # a function may stand above the constants that it uses
            _remember(statement, names)
        self._block(tree.body, names)

    def _block(self, statements: list[ast.stmt], above: Names) -> None:
        names = dict(above)
        for statement in statements:
            self._visit(statement, names)
            _remember(statement, names)

    def _visit(self, node: ast.AST, names: Names) -> None:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            self._call(node, node.func.id, names)
        if isinstance(node, ast.ClassDef) and "Spoken" in map(ast.unparse, node.bases):
            members = [each.value for each in node.body if isinstance(each, ast.Assign)]
            self.found += [Found(ast.literal_eval(each), "", self.file) for each in members]
        for _, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                self._block(value, names)
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, ast.AST) and not isinstance(each, ast.stmt):
                    self._visit(each, names)

    def _call(self, call: ast.Call, name: str, names: Names) -> None:
        if name in ("_", "n_", "template"):
            texts: list[ast.expr] = call.args[: 2 if name == "n_" else 1]
            if not all(isinstance(each, ast.Constant) for each in texts):
                self.faults.append(f"{self.file}:{call.lineno}: a message is a literal")
                return
            one, *more = (str(each.value) for each in texts if isinstance(each, ast.Constant))
            self.found.append(Found(one, more[0] if more else "", self.file))
            if name != "template":
                self._check(call, [one, *more], {"count"} if more else set())
        elif name in self._errors:
            for argument in call.args[:2]:
                self._argument(call, list(_literals(argument, names)))

    def _argument(self, call: ast.Call, texts: list[ast.expr]) -> None:
        """Of an error: literals, and messages that were made elsewhere."""
        if not all(isinstance(each, ast.Constant) for each in texts):
            self.faults.append(f"{self.file}:{call.lineno}: write a template with {{fields}}")
        said = [str(each.value) for each in texts if isinstance(each, ast.Constant)]
        self.found += [Found(each, "", self.file) for each in said]
        self._check(call, said, set())

    def _check(self, call: ast.Call, templates: list[str], given: set[str]) -> None:
        if any(each.arg is None for each in call.keywords):  # **values
            return
        given = given | {str(each.arg) for each in call.keywords}
        for template in templates:
            missing = {name for name, _ in fields(template)} - given
            if missing:
                self.faults.append(f"{self.file}:{call.lineno}: no value for {sorted(missing)}")


def _remember(statement: ast.stmt, names: Names) -> None:
    """What names are after it: one assignment replaces, several in branches are all possible."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return
    alone = isinstance(statement, ast.Assign)
    for node in ast.walk(statement):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            names[name] = [node.value] if alone else [*names.get(name, []), node.value]


def _literals(node: ast.expr, names: Names) -> Iterator[ast.expr]:
    """What an argument may be, but for messages that were made elsewhere."""
    if isinstance(node, ast.IfExp):
        yield from _literals(node.body, names)
        yield from _literals(node.orelse, names)
    elif isinstance(node, ast.Name):
        for value in names.get(node.id, ()):
            yield from _literals(value, {})
    elif not isinstance(node, ast.Attribute | ast.Starred) and not _makes_message(node):
        yield node


def _makes_message(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in MAKERS


def _sources() -> list[tuple[Path, ast.Module]]:
    paths = [path for room in ROOMS for path in sorted(room.rglob("*.py"))]
    return [(path, ast.parse(path.read_text("utf-8"))) for path in paths]


def _error_classes(trees: Iterable[ast.Module]) -> frozenset[str]:
    """Those that take problem and cure: made without a constructor of their own."""
    bases: dict[str, tuple[str, bool]] = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and node.bases:
                own = any(
                    isinstance(e, ast.FunctionDef) and e.name == "__init__" for e in node.body
                )
                bases[node.name] = (ast.unparse(node.bases[0]), own)
    known = {ERROR}
    while more := {n for n, (base, own) in bases.items() if base in known and not own} - known:
        known |= more
    return frozenset(known)


def _help() -> Iterator[Found]:
    """Of every command and option."""
    todo: list[Any] = [typer.main.get_command(app)]
    while todo:
        command = todo.pop()
        todo += getattr(command, "commands", {}).values()
        for text in [command.help, *(getattr(each, "help", None) for each in command.params)]:
            if text:
                yield Found(text.strip(), "", HELP)


def collect() -> tuple[list[Found], list[str]]:
    """Every message, and faults in how they are written."""
    sources = _sources()
    errors = _error_classes(tree for _, tree in sources)
    read = [Source(path, tree, errors) for path, tree in sources]
    found = [each for source in read for each in source.found] + list(_help())
    return found, [fault for source in read for fault in source.faults]


def fields(template: str) -> set[tuple[str, str | None]]:
    """The names of its fields, each with its conversion (!r)."""
    parts = string.Formatter().parse(template)
    return {(name, conversion) for _, name, _, conversion in parts if name is not None}


def faults_of(catalogue: polib.POFile, found: Iterable[Found]) -> Iterator[str]:
    """What a catalogue lacks, has too much, or says with other fields."""
    wanted = {each.text: each for each in found}
    known = {entry.msgid: entry for entry in catalogue if not entry.obsolete}
    for text in wanted.keys() - known.keys():
        yield f"{wanted[text].file}: not in the catalogue: {text!r}"
    for text in known.keys() - wanted.keys():
        yield f"nothing says it any more: {text!r}"
    for text in sorted(wanted.keys() & known.keys()):
        yield from _entry_faults(known[text], wanted[text])


def _entry_faults(entry: polib.POEntry, found: Found) -> Iterator[str]:
    plural = [entry.msgstr_plural.get(number, "") for number in (0, 1)]
    said = plural if found.plural else [entry.msgstr]
    if (entry.msgid_plural or "") != found.plural:
        yield f"its plural is another: {found.text!r}"
    elif not all(said):
        yield f"not translated: {found.text!r}"
    for text in said:
        if text and not fields(text) <= fields(found.text) | fields(found.plural):
            yield f"a field that the message does not have: {text!r}"
        elif text and not found.plural and fields(text) != fields(found.text):
            yield f"other fields than the message: {text!r}"


def brought_up_to_date(catalogue: polib.POFile, found: Iterable[Found]) -> polib.POFile:
    """The same translations, in the order of files and texts."""
    known = {entry.msgid: entry for entry in catalogue}
    files: dict[str, set[str]] = {}
    plurals: dict[str, str] = {}
    for each in found:
        files.setdefault(each.text, set()).add(each.file)
        plurals[each.text] = each.plural
    made = polib.POFile(wrapwidth=98)
    made.header, made.metadata = catalogue.header, catalogue.metadata
    for text in sorted(files, key=lambda text: (min(files[text]), text)):
        entry = known.get(text) or polib.POEntry(msgid=text)
        entry.msgid_plural = plurals[text]
        entry.occurrences = [(name, "") for name in sorted(files[text])]
        made.append(entry)
    return made


def main() -> int:
    """Return 1 when something is to be done by hand."""
    found, faults = collect()
    for path in sorted(FOLDER.glob("*.po")):
        catalogue = polib.pofile(str(path), wrapwidth=98)
        if "--check" not in sys.argv:
            catalogue = brought_up_to_date(catalogue, found)
            catalogue.save(str(path))
        faults += [f"{path.name}: {fault}" for fault in faults_of(catalogue, found)]
    sys.stdout.write("".join(f"{fault}\n" for fault in faults))
    return int(bool(faults))


if __name__ == "__main__":
    raise SystemExit(main())
