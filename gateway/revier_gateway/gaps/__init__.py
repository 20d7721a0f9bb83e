# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Frames and readings that are missing: found by counters, filled from logs, named on the feed."""
