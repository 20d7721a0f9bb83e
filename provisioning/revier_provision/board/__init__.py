# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A board with MicroPython, reached through its REPL: programs, uploads, settings, identity."""
