# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Print the wiring table of a kind of node for docs/hardware: python tools/wiring_tables.py air."""

import json
import sys
from pathlib import Path
from typing import Any

BOARDS = Path(__file__).resolve().parent.parent / "firmware" / "image" / "boards"
SIGNALS = {  # what the carrier connects; where it is in a description
    "air": ("I2C SDA", "I2C SCL", "supply switch", "5 V boost enable"),
    "parking": ("I2C SDA", "I2C SCL", "LIS2MDL INT"),
    "waste": (
        "UART RX (sensor's TX)",
        "supply switch",
        "I2C SDA, SCL",
        "LIS3DH INT1",
        "thermostat",
    ),
}


def _level(switch: dict[str, int]) -> str:
    return f"GPIO{switch['pin']}, on when {'high' if switch['on'] else 'low'}"


def _value(board: dict[str, Any], kind: str, signal: str) -> str:
    wiring = board["kinds"][kind]
    values = {
        "I2C SDA": lambda: f"GPIO{board['i2c']['sda']}",
        "I2C SCL": lambda: f"GPIO{board['i2c']['scl']}",
        "supply switch": lambda: _level(wiring["power"]),
        "5 V boost enable": lambda: _level(wiring["boost"]),
        "LIS2MDL INT": lambda: f"GPIO{wiring['lis2mdl']['int']}",
        "I2C SDA, SCL": lambda: f"GPIO{board['i2c']['sda']}, {board['i2c']['scl']}",
        "LIS3DH INT1": lambda: f"GPIO{wiring['lis3dh']['int']}",
        "thermostat": lambda: (
            f"GPIO{wiring['thermostat']['int']}" if "thermostat" in wiring else "none: no RTC pin"
        ),
        "UART RX (sensor's TX)": lambda: f"GPIO{board['uart']['rx']}",
    }
    return values[signal]()


def table(kind: str) -> str:
    """A Markdown table: one row per board."""
    signals = SIGNALS[kind]
    lines = ["| board | " + " | ".join(signals) + " |", "|---" * (len(signals) + 1) + "|"]
    for path in sorted(BOARDS.glob("*.json")):
        board = json.loads(path.read_text("utf-8"))
        cells = [_value(board, kind, signal) for signal in signals]
        lines.append(f"| `{path.stem}` | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table(sys.argv[1]) + "\n")
