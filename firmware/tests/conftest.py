# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Every *_cases.py file becomes tests: each case on CPython, the whole file on MicroPython too."""

import importlib
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent
for folder in (TESTS, TESTS / "mac", TESTS / "payload", TESTS / "sensors", TESTS / "update"):
    sys.path.append(str(folder))


def pytest_generate_tests(metafunc):
    """`case`: each case of the *_cases.py files beside the test module; `cases_file`: each file."""
    if "case" in metafunc.fixturenames:
        cases = importlib.import_module("cases")
        pairs = [
            (importlib.import_module(path.stem), name)
            for path in _files(metafunc)
            for name in cases.names(importlib.import_module(path.stem))
        ]
        ids = [f"{module.__name__}-{name}" for module, name in pairs]
        metafunc.parametrize("case", pairs, ids=ids)
    if "cases_file" in metafunc.fixturenames:
        files = _files(metafunc)
        metafunc.parametrize("cases_file", files, ids=[path.stem for path in files])


def _files(metafunc):
    return sorted(Path(metafunc.module.__file__).parent.glob("*_cases.py"))
