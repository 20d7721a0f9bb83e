# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Write whatever comes from the payload schema: python tools/payload.py [--check]

The node's packers, settings.py, readings.py, codec.js and docs/protocol/payload.md. With --check
nothing is written; stale files are named, and the exit code is 1.

python tools/payload.py --vector NOTE up|down PORT HEX prints a golden vector: look at it, and
append it to firmware/tests/payload/vectors/golden.jsonl.
"""

import json
import sys
from pathlib import Path

from revier_payload import generate
from revier_payload.codec import decode, decode_downlink
from revier_payload.line import line_of
from revier_payload.physical import object_of


def stale(made: dict[str, str]) -> list[Path]:
    """Files whose text is not what comes from the schema."""
    paths = {Path(name).resolve(): text for name, text in made.items()}
    return [path for path, text in paths.items() if not _has(path, text)]


def _has(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def vector(note: str, way: str, port: str, data: str) -> str:
    """One line of the golden vectors."""
    call = decode if way == "up" else decode_downlink
    decoded = call(int(port), bytes.fromhex(data))
    found: dict[str, object] = {"note": note, "way": way, "port": int(port), "bytes": data}
    found["line"] = line_of(decoded)
    if not decoded.errors:
        found["object"] = object_of(decoded)
    return json.dumps(found, separators=(",", ":"))


def main() -> int:
    """Return 1 when --check finds a stale file."""
    if sys.argv[1:2] == ["--vector"]:
        sys.stdout.write(vector(*sys.argv[2:6]) + "\n")
        return 0
    made = {str(Path(name).resolve()): text for name, text in generate.files().items()}
    old = stale(made)
    for path in old:
        if "--check" in sys.argv:
            sys.stdout.write(f"stale, run python tools/payload.py: {path.name}\n")
        else:
            path.write_text(made[str(path)], encoding="utf-8")
            sys.stdout.write(f"wrote {path.name}\n")
    return int(bool(old) and "--check" in sys.argv)


if __name__ == "__main__":
    raise SystemExit(main())
