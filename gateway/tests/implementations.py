# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The implementations of mqtt.link.Link that the conformance tests are run against."""

from __future__ import annotations

from typing import Any

import pytest
from gateway.tests import paho_link

from revier_gateway.mqtt import session
from revier_gateway.mqtt.link import Connect

BY_NAME: dict[str, Connect] = {"ours": session.connect, "paho": paho_link.connect}
every = pytest.mark.parametrize("connect", BY_NAME.values(), ids=BY_NAME)

ours = pytest.mark.parametrize("connect", [session.connect], ids=["ours"])


def cut(link: Any) -> None:
    """The connection breaks without a goodbye."""
    if isinstance(link, paho_link.PahoLink):
        link.cut()
    else:
        link._transport.abort()


def words(connect: Connect, text: str) -> str | None:
    """What our session says; another may say it otherwise."""
    return text if connect is session.connect else None
