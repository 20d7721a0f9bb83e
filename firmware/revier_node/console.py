# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Lines for people and tools on the serial console: `revier EVENT key=value ...`.

docs/protocol/console.md lists every event and key. Never a key of the network, never a token.
"""


def say(event: str, *pairs: object) -> None:
    """pairs: key, value, key, value ... (a dict would not keep their order)."""
    words = ["revier", event]
    for i in range(0, len(pairs), 2):
        words.append(str(pairs[i]) + "=" + str(pairs[i + 1]).replace(" ", "_"))
    print(" ".join(words))
