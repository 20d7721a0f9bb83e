# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Ed25519 and SHA-512: the same cases on CPython and on the real MicroPython."""

import importlib

import cases
import on_micropython


def test_cpython(case):
    cases.line(*case)


def test_micropython(cases_file):
    module = importlib.import_module(cases_file.stem)
    expected = [cases.line(module, name) for name in cases.names(module)]
    code, lines = on_micropython.run(cases_file)
    assert lines == expected
    assert code == 0
    assert expected, "a file of cases without a case"
