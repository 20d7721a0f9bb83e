# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What is asked of the nodes: requests, their fates, and the configuration each should have."""
