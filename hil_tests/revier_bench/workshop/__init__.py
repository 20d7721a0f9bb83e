# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A technician's workbench without hardware and without wall time: boards on paper, the stand-in
network server behind its real gRPC, and a pair of scissors for every cable.

The boards keep what a board keeps (MicroPython, application, NVS, /node.json) and speak LoRaWAN
with the key that was written to them: a wrong key or a repeated DevNonce shows as it does in life.
"""
