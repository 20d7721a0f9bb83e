# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""payload-fuzz: 10^6 messages, whole, damaged and noise, read by every runtime's decoder.

What each answers is held against CPython's, as a line of text: values, states, errors, warnings. A
decoder that throws breaks off its process, and nothing holds.
"""

from __future__ import annotations

from typing import Any

from revier_bench.payload import inputs, runtimes

MESSAGES = 1_000_000
BLOCK = 20_000
EXAMPLES_MAX = 5


def measure(count: int = MESSAGES) -> dict[str, Any]:
    """About ten minutes on one core."""
    readers = runtimes.runtimes()
    differing = dict.fromkeys(readers, 0)
    examples: list[str] = []
    errors = 0
    for block in range(0, count, BLOCK):
        messages = list(inputs.messages(block, min(BLOCK, count - block)))
        expected = readers["CPython"](messages)
        errors += sum(" error: " in line for line in expected)
        for name in list(readers)[1:]:
            found = readers[name](messages)
            for message, ours, theirs in zip(messages, expected, found, strict=True):
                if ours != theirs:
                    differing[name] += 1
                    examples.append(f"{name}: {message[0]} {message[1]} {message[2].hex()}")
    wrong = sum(differing.values())
    return {
        "name": "payload-fuzz",
        "value": wrong,
        "unit": f"of {count} messages read otherwise than by CPython",
        "budget": "0, and nothing throws",
        "holds": wrong == 0 and len(readers) > 2,
        "n": {"messages": count, "unreadable": errors, "examples": examples[:EXAMPLES_MAX]},
        "peer": {name: differing[name] for name in list(readers)[1:]},
        "rows": [{"runtime": name, "differing": differing[name]} for name in readers],
    }
