# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the operator set up, probed where it is: each check says what is wrong and what cures it."""
