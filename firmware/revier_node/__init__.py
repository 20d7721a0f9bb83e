# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The node: the only room that imports `machine`."""

# of the firmware; numbers, so that the build writes them where they are read and leaves this out
VERSION_MAJOR = 0
VERSION_MINOR = 1
VERSION_PATCH = 0
