# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The gateway against the stand-in network server: MQTT and gRPC, each a process or a thread."""
