# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""ChirpStack's gRPC API in front of the stand-in: the methods and error texts that callers meet."""
