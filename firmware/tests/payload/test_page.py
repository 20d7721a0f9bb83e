# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""docs/protocol/payload.md is what the schema says."""

from pathlib import Path

from revier_payload.document import page
from revier_payload.schema import MESSAGES

PAGE = Path(__file__).parents[3] / "docs" / "protocol" / "payload.md"


def test_page_is_generated():
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "run: python -m revier_payload.document > docs/protocol/payload.md"
    )


def test_page_names_every_field():
    for message in MESSAGES.values():
        section = page().split(f"## fPort {message.f_port}: ")[1].split("\n## ")[0]
        for field in message.fields:
            assert section.count(f"| `{field.name}` |") == 1
            assert f"- `{field.name}`: " in section
