# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What may go wrong with ChirpStack's API; apart from chirpstack.py, which imports gRPC."""

from __future__ import annotations


class ChirpStackError(Exception):
    """It did not answer, or said no. is_refusal: trying again helps only after a correction."""

    def __init__(self, text: str, *, is_refusal: bool = False) -> None:
        self.is_refusal = is_refusal
        super().__init__(text)
