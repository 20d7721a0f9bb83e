# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What is done to many nodes, and to one over the years: plan, replace, rekey, retire, restore."""
