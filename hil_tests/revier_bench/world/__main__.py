# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
import sys

from revier_bench.world.cli import main

if __name__ == "__main__":
    sys.exit(main())
