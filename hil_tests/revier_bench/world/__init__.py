# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The simulated world: air, radio gateways, environments, fleet, and what proves a run right."""
