# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What is wrong, when somebody is told of it, in which words, and by which way."""
