# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the station refuses, so that a page can say it in its language."""

from __future__ import annotations

from revier_provision.errors import OrderError
from revier_provision.station.texts import refused


class RefusedError(OrderError):
    """`key` of texts.REFUSED."""

    def __init__(self, key: str, **values: object) -> None:
        self.key, self.values = key, values
        super().__init__(*refused(key, values))
