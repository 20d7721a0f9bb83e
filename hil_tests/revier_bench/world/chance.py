# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Named randomness: one seed, one name, one stream, whatever else draws."""

import random


def stream(seed: str, name: str) -> random.Random:
    """The random stream called `name` of this seed; the same in every process."""
    return random.Random(f"{seed}:{name}")  # noqa: S311 - a simulation repeats, it hides nothing
