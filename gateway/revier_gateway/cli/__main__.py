# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""python -m revier_gateway.cli."""

from revier_gateway.cli import main

main()
