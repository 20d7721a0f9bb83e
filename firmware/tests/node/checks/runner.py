# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Runs every check_... function of a script on the interpreter and prints how it went."""

import sys


def run(names):
    for name in sorted(names):
        if not name.startswith("check_"):
            continue
        try:
            names[name]()
        except Exception as error:  # noqa: BLE001
            print("FAILED", name)
            sys.print_exception(error)
        else:
            print("ok", name)
    print("done")


def raises(kind, call, *args):
    try:
        call(*args)
    except kind as error:
        return error
    raise AssertionError("no " + kind.__name__)
