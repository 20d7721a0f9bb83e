# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What a decoder answers."""


class Decoded:
    """values: name -> int or None. states: name -> VALID, MISSING, OUT_OF_RANGE.

    errors: nothing could be read (values is empty). warnings: read, but not as the schema has it.
    rows: of a batch the samples, of a backfill the readings, of a request its parts; each with
    `time` in seconds (of a batch: after the first sample; of a backfill: Unix time or None).
    cut: shorter than the first version of the message ever was.
    """

    def __init__(self, f_port: int, name: str) -> None:
        self.f_port = f_port
        self.name = name  # of the message, "" if the fPort is unknown
        self.values: "dict[str, int | None]" = {}
        self.states: "dict[str, str]" = {}
        self.rows: "list[Decoded]" = []
        self.errors: "list[str]" = []
        self.warnings: "list[str]" = []
        self.cut = False
        self.time: "int | None" = None
        self.data = b""  # of a backfilled reading: its payload

    def clear(self) -> None:
        self.values = {}
        self.states = {}
        self.rows = []
        self.warnings = []
