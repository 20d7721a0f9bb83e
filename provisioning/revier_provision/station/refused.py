# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the station refuses, so that a page can say it in its language."""

from __future__ import annotations

from revier_provision.errors import OrderError
from revier_provision.station.texts import Words


class RefusedError(OrderError):
    """`key` of texts.REFUSED; as an exception it speaks English."""

    def __init__(self, key: str, **values: object) -> None:
        self.key, self.values = key, values
        said = Words("en").refusal(key, **values)
        super().__init__(said["problem"], said["cure"])
