# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Signed firmware: bundle, manifest, the way into a slot, and back."""
