# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The page's port is taken or it is not: nobody finds out later."""

import pytest

from revier_gateway.console import server


def test_a_port_is_taken_once_it_is_bound() -> None:
    first = server.listen("127.0.0.1", 0)
    try:
        with pytest.raises(OSError, match="in use"):
            server.listen("127.0.0.1", first.getsockname()[1]).close()
    finally:
        first.close()
