# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The gateway's live page: server-rendered HTML, one event stream, one ES module."""
