# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Decodes a file of messages and prints a line for each; the same on CPython and MicroPython.

micropython lines.py FIRMWARE_DIR FILE      # FILE: "up PORT HEX" or "down PORT HEX" on each line
"""

import sys
from binascii import unhexlify


def line(text: str) -> str:
    from revier_payload.codec import decode, decode_downlink
    from revier_payload.line import line_of

    way, port, data = text.split(" ")
    call = decode if way == "up" else decode_downlink
    return line_of(call(int(port), unhexlify(data.strip())))


def main(firmware_dir: str, name: str) -> None:
    sys.path.insert(0, firmware_dir)
    with open(name) as source:  # noqa: PTH123 (MicroPython has no pathlib)
        for text in source:
            print(line(text))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
