# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Who is there, what is wrong, and who is told: cores without clock or socket, and their keeper."""
