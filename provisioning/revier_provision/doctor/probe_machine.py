# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What there is on this machine. On other systems than Linux less can be seen."""

from __future__ import annotations

import getpass
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from revier_provision.chip import Port, list_ports
from revier_provision.chip.esptool import COMMAND
from revier_provision.chip.ports import adapter_chip
from revier_provision.doctor.machine import MachineFacts, PortFacts, UsbFacts

_VERSION_S = 30


def machine_facts(root: Path = Path("/")) -> MachineFacts:
    return MachineFacts(
        now=datetime.now(UTC),
        esptool=esptool_version(),
        user=getpass.getuser(),
        ports=tuple(port_facts(port, root) for port in list_ports() if port.chip is not None),
        portless=tuple(portless(root)),
        processes=frozenset(processes(root)),
        synchronised=synchronised(root),
    )


def esptool_version(command: Sequence[str] = COMMAND) -> str | None:
    try:
        done = subprocess.run(
            [*command, "version"], capture_output=True, text=True, check=False, timeout=_VERSION_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"^(?:esptool(?:\.py)? v)?(\d+\.\d+\S*)$", done.stdout, re.M)
    return found[1] if done.returncode == 0 and found else None


def port_facts(port: Port, root: Path = Path("/")) -> PortFacts:
    return PortFacts(
        device=port.device,
        adapter=port.chip or port.description,
        usable=sys.platform == "win32" or os.access(port.device, os.R_OK | os.W_OK),
        group=_group(Path(port.device)),
        held_by=_holder(port.device, root),
    )


def portless(root: Path) -> Iterator[UsbFacts]:
    """Boards' adapters in sysfs without a tty below them."""
    for device in sorted((root / "sys/bus/usb/devices").glob("*")):
        try:
            vid = int((device / "idVendor").read_text(), 16)
            pid = int((device / "idProduct").read_text(), 16)
        except (OSError, ValueError):
            continue
        adapter = adapter_chip(vid, pid)
        if adapter and not any(device.glob("*:*/tty*")):
            yield UsbFacts(adapter=adapter, vid=vid, pid=pid)


def processes(root: Path) -> Iterator[str]:
    for name in (root / "proc").glob("[0-9]*/comm"):
        try:
            yield name.read_text().strip()
        except OSError:
            continue  # it has just ended


def synchronised(root: Path) -> bool | None:
    """By systemd-timesyncd or chrony; None if neither is there."""
    if (root / "run/systemd/timesync/synchronized").exists():
        return True
    if (root / "run/systemd/timesync").is_dir():
        return False
    return True if "chronyd" in set(processes(root)) else None


def _group(device: Path) -> str:
    if sys.platform == "win32":
        return ""
    try:
        return device.group()
    except (OSError, KeyError):
        return ""


def _holder(device: str, root: Path) -> str:
    """A process of this user, or for root of any, that has the device open."""
    real = os.path.realpath(device)
    for link in (root / "proc").glob("[0-9]*/fd/*"):
        try:
            if str(link.readlink()) == real:
                return (link.parents[1] / "comm").read_text().strip()
        except OSError:
            continue
    return ""
