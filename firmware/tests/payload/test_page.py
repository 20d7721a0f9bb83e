# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What is made from the schema is as the schema says, and the page tells of all of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from revier_payload import generate
from revier_payload.document import page
from revier_payload.schema import DOWNLINKS, MESSAGES
from revier_payload.schema.remote import SETTINGS

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("path", sorted(generate.files()), ids=lambda path: Path(path).name)
def test_file_is_generated(path):
    assert Path(path).read_text(encoding="utf-8") == generate.files()[path], (
        "run: python tools/payload.py"
    )


def test_the_tool_finds_nothing_stale():
    command = [sys.executable, "tools/payload.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_page_names_every_field():
    for way, messages in (("up", MESSAGES), ("down", DOWNLINKS)):
        for message in messages.values():
            section = page().split(f"## fPort {message.f_port} {way}: ")[1].split("\n## ")[0]
            for field in message.fields + message.extras:
                assert section.count(f"| `{field.name}`") == 1
                assert f"- `{field.name}`: " in section


def test_page_names_every_setting():
    for setting in SETTINGS:
        row = f"| {setting.number} | `{setting.name}` |"
        assert page().count(row) == 1
