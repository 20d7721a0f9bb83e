# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""python -m revier_provision.cli."""

from revier_provision.cli import main

main()
