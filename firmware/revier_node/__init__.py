# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The node: the only room that imports `machine`."""

VERSION = (0, 1, 0)  # of the firmware: major, minor, patch
