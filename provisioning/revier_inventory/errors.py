# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What is wrong with an inventory, in words a technician can act on."""

from __future__ import annotations

from dataclasses import dataclass

from revier_inventory.message import Message

FINDINGS_SHOWN_MAX = 20


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One fault: the file, the key inside it, what is wrong, and what to do about it."""

    file: str
    key: str
    problem: Message
    cure: Message

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: {self.problem}. {self.cure}."


class InventoryError(ValueError):
    """The inventory cannot be right as written; `findings` lists every fault that was seen."""

    def __init__(self, findings: list[Finding]) -> None:
        assert findings
        self.findings = tuple(findings)
        lines = [str(finding) for finding in findings[:FINDINGS_SHOWN_MAX]]
        if len(findings) > FINDINGS_SHOWN_MAX:
            lines.append(f"... and {len(findings) - FINDINGS_SHOWN_MAX} more faults.")
        super().__init__("\n".join(lines))
