# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Listed(msgspec.Struct, frozen=True):
    """A device as ChirpStack lists it; `seen_ms` None: never heard."""

    dev_eui: str
    application_id: str
    tags: Mapping[str, str]
    seen_ms: int | None = None
