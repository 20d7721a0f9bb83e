# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Write the feed's AsyncAPI document and JSON Schema: python tools/feed_schema.py [--check]

With --check nothing is written; stale files are named, and the exit code is 1.
"""

import json
import sys
from pathlib import Path

from revier_gateway.asyncapi import asyncapi, json_schema

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "protocol"


def files() -> dict[Path, str]:
    """Path to the text that belongs there."""
    made = {"feed.asyncapi.json": asyncapi(), "feed.schema.json": json_schema()}
    return {
        FOLDER / name: json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        for name, content in made.items()
    }


def main() -> int:
    """Return 1 when --check finds a stale file."""
    old = [
        (path, text)
        for path, text in files().items()
        if not path.is_file() or path.read_text("utf-8") != text
    ]
    for path, text in old:
        if "--check" in sys.argv:
            sys.stdout.write(f"stale, run python tools/feed_schema.py: {path.name}\n")
        else:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"wrote {path.name}\n")
    return int(bool(old) and "--check" in sys.argv)


if __name__ == "__main__":
    raise SystemExit(main())
