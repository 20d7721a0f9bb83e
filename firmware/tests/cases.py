# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Test cases that run on CPython and on MicroPython from the same file.

A module of cases has functions case_...(); each checks with assert and may return a text that
must be the same on both interpreters. MicroPython: `micropython cases.py DIR MODULE` (see
on_micropython.py) prints one line for each case.
"""

import sys


def names(module):
    return sorted(name for name in dir(module) if name.startswith("case_"))


def line(module, name):
    result = getattr(module, name)()
    return name + ": " + ("ok" if result is None else str(result))


def main(paths, module_name):
    sys.path[:0] = paths
    module = __import__(module_name)
    failed = 0
    for name in names(module):
        try:
            print(line(module, name))
        except Exception as error:  # noqa: BLE001 - a test runner reports every failure
            failed += 1
            print(name + ": FAILED")
            sys.print_exception(error)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[2:], sys.argv[1]))
