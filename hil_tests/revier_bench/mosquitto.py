# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Which Mosquitto is there. REVIER_MOSQUITTO names others, divided by os.pathsep."""

import os
import shutil
import subprocess

VARIABLE = "REVIER_MOSQUITTO"
PLACES = ("mosquitto", "/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto")


def programs() -> list[str]:
    """Of all that are there, or that REVIER_MOSQUITTO names: their paths; none: not installed."""
    named = os.environ.get(VARIABLE, "")
    if named:
        return [name for name in named.split(os.pathsep) if name]
    return [place for name in PLACES if (place := shutil.which(name))][:1]


def version(path: str) -> str:
    """As `mosquitto -h` says it. Raises OSError where the program cannot be run."""
    said = subprocess.run([path, "-h"], capture_output=True, text=True, check=False).stdout
    return said.partition("\n")[0].removeprefix("mosquitto version ")
