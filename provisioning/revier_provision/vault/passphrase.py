# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Opening a file that age encrypted with a passphrase.

age guesses from the machine's speed at this moment whether the work is bearable. A machine that is
busy, or far slower than the one that encrypted, is refused although the passphrase is right.
"""

from __future__ import annotations

import pyrage

from revier_provision.errors import OrderError

TRIES_MAX = 5  # each measures anew
TOO_MUCH = "Excessive work"


def decrypt(data: bytes, passphrase: str, lost: str) -> bytes:
    """`lost`: what to do if it is not known any more. Raises OrderError."""
    for _ in range(TRIES_MAX):
        try:
            opened: bytes = pyrage.passphrase.decrypt(data, passphrase)
        except pyrage.DecryptError as error:
            if not str(error).startswith(TOO_MUCH):
                raise OrderError("The passphrase is not right", lost) from None
        else:
            return opened
    cure = "Close other programs and run again, or do it on a faster machine"
    raise OrderError("This machine is too slow, or too busy, to try the passphrase", cure)
