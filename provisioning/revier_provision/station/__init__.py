# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The station: pages for the workshop and for the pole, over TLS, behind a login."""
