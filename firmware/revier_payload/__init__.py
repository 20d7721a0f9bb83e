# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Readings as bits: one schema, an encoder, a decoder. Pure, for MicroPython and CPython.

    from revier_payload.codec import decode, encode          # see codec.py
    from revier_payload.typed import read                    # typed readings in physical units
    from revier_payload.schema import MESSAGES, seq_bits     # see schema/
    from revier_payload.air import AIR                       # a node: only what it sends

Values are integers in the field's resolution; physical value = value / denominator in `unit`
(temperature 216 is 21.6 Cel). This file imports nothing: the node loads what it needs.
"""
