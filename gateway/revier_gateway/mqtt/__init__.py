# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Our thin MQTT 5 session, and the interface behind which another client could stand."""
