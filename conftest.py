# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""For all tests: no example has a deadline; what a machine lacks is skipped and said."""

import os

import pytest
from hypothesis import settings

# What tests read is English, whatever the machine speaks.
os.environ["LANGUAGE"] = "en"

# A busy machine makes any example slow once; how fast something is says a measurement.
settings.register_profile("revier", deadline=None)
settings.load_profile("revier")

PTY_CURE = "no pseudo-terminals here: mount -t devpts devpts /dev/pts"


def _has_pty() -> bool:
    try:
        for descriptor in os.openpty():
            os.close(descriptor)
    except OSError:
        return False
    return True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked `pty` skip where no pseudo-terminal can be opened, as in a bare chroot."""
    if _has_pty():
        return
    for item in items:
        fixtures = {"pty_board", "make_pty_board"} & set(getattr(item, "fixturenames", ()))
        if item.get_closest_marker("pty") or fixtures:
            item.add_marker(pytest.mark.skip(reason=PTY_CURE))
