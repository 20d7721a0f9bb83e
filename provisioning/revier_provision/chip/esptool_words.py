# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""esptool's failures in words, with the next step. Texts are those of esptool 4.8 to 5.6."""

from __future__ import annotations

import re
from collections.abc import Sequence

from revier_inventory.message import _, template
from revier_provision.errors import BoardError

DETAIL_CHARS_MAX = 200

BOOT_STEPS = _(
    "Hold the button BOOT (on some boards: PRG, IO0 or USER), press and let go RST (or EN), then "
    "let go BOOT, and run again; without a button RST hold BOOT while you plug the board in"
)
_CABLE = _(
    "Plug the board in again, directly and with a short cable that carries data, and run again"
)
_DIALOUT = _(
    "Run: sudo usermod -aG dialout $USER, log out and in again; or run: revier-provision doctor"
)

# (pattern of the whole output, problem, cure); {port} is the port. First match counts.
_FAILURES: tuple[tuple[str, str, str], ...] = (
    (
        r"No module named '?esptool",
        template("esptool is not installed"),
        template("Run: pip install 'revier[provision]'"),
    ),
    (r"Could not open .*Permission denied", template("You may not use {port}"), _DIALOUT),
    (
        r"Could not open .*(Errno 1[16]\b|exclusively lock|Access is denied|Resource busy)",
        template("Another program uses {port}"),
        template(
            "Close terminals and editors that have it open (on Linux brltty and ModemManager take "
            "ports too: revier-provision doctor), then run again"
        ),
    ),
    (r"Could not open|could not open port", template("There is no {port}"), _CABLE),
    (
        r"Secure Download Mode|[Ff]lash encryption|Secure Boot is enabled",
        template("The chip on {port} was locked by whoever used it before"),
        template("Take another board: a locked chip cannot be opened again"),
    ),
    (
        r"getting no sync reply",
        template("The chip on {port} is ready, but its answer does not arrive"),
        template("Take another cable; part whatever is connected to the pins TX and RX; run again"),
    ),
    (
        r"does not match data in flash|Verification failed|digest mismatch",
        template("What is in the flash is not what was written"),
        template("Run again; if it repeats, the flash of this board is broken: put it aside"),
    ),
    (
        r"serial exception|readiness to read but returned no data|No more data to read|"
        r"ClearCommError|Errno (5|6|19)\b|connection (lost|failed)|socket disconnected|"
        r"Broken pipe|Connection reset|device disconnected|[Pp]ort .*closed",
        template("The board on {port} went away"),
        _CABLE,
    ),
    (
        r"Wrong boot mode detected|No serial data received|Failed to connect|"
        r"Timed out waiting for packet header",
        template("The chip on {port} did not enter its boot loader"),
        BOOT_STEPS,
    ),
    (
        r"Failed to set baud rate",
        template("The adapter on {port} does not know this speed"),
        template(
            "Run again: a slower speed is tried; if it repeats, take another cable or USB port"
        ),
    ),
    (
        r"This chip is (?P<detail>\S+?),? not",
        template("The chip on {port} is another one ({detail}) than the image is made for"),
        template("Give the image for that chip"),
    ),
    (
        r"said nothing more",
        template("The board on {port} stopped answering"),
        _CABLE,
    ),
    (
        r"Invalid head of packet|Corrupt data|Checksum error|Invalid SLIP|Packet content|"
        r"chip stopped responding|Response doesn't match|serial noise|Unexpected response|"
        r"status response|Failed to start stub",
        template("What the board on {port} says is garbled"),
        template("Take a shorter cable and another USB port, without a hub; then run again"),
    ),
)


def as_error(port: str, lines: Sequence[str]) -> BoardError:
    """The failure in words; one that is not known keeps esptool's own last words."""
    text = "\n".join(lines)
    flat = " ".join(lines)
    for pattern, problem, cure in _FAILURES:
        found = re.search(pattern, flat)
        if found:
            detail = found.groupdict().get("detail", "")
            return BoardError(problem, cure, port=port, detail=detail)
    said = re.search(r"(?:fatal error occurred:|ERROR:)\s*(.+)", text)
    last = said[1] if said else next((line for line in reversed(lines) if line.strip()), "nothing")
    return BoardError(
        "esptool failed on {port}: {said}",
        "Plug the board in again and run again; if it repeats, run: revier-provision doctor",
        port=port,
        said=last.strip()[:DETAIL_CHARS_MAX].rstrip("."),
    )
