# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The gateway: ChirpStack's events in, documented readings out, nothing lost between."""

__version__ = "0.1.0"
