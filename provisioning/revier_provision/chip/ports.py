# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Serial ports with a board behind them, known by the USB ids of their adapters.

Ids: Linux drivers/usb/serial/{cp210x,ch341,ftdi_sio}.c; 303A is Espressif's own (esptool,
esp-idf docs "USB Serial/JTAG": PID 1001; TinyUSB's CDC of a running MicroPython: PID 4001).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from revier_inventory.message import Message, _, joined
from revier_provision.errors import BoardError

ESPRESSIF_VID = 0x303A
_ANY = None
ADAPTERS: dict[tuple[int, int | None], str] = {
    (0x10C4, 0xEA60): "CP210x",
    (0x10C4, 0xEA70): "CP2105",
    (0x10C4, 0xEA71): "CP2108",
    (0x1A86, 0x7523): "CH340",
    (0x1A86, 0x7522): "CH340K",
    (0x1A86, 0x5523): "CH341",
    (0x1A86, 0x55D4): "CH9102",
    (0x1A86, 0x55D3): "CH343",
    (0x0403, 0x6001): "FT232",
    (0x0403, 0x6010): "FT2232",
    (0x0403, 0x6015): "FT-X",
    (ESPRESSIF_VID, 0x1001): "USB of the ESP32-S3",
    (ESPRESSIF_VID, _ANY): "USB of an Espressif chip",
}


class Port(msgspec.Struct, frozen=True, kw_only=True):
    """`device` is what the system calls it; `vid`, `pid` its USB ids, None without USB.

    `adapter` names this very adapter for as long as it is used: by its serial number, else by
    where it is plugged in.
    """

    device: str
    vid: int | None = None
    pid: int | None = None
    serial_number: str | None = None
    description: str = ""
    adapter: str = ""

    @property
    def chip(self) -> str | None:
        """The adapter's chip, or None if no board is known to have it."""
        if self.vid is None or self.pid is None:
            return None
        return adapter_chip(self.vid, self.pid)

    @property
    def words(self) -> Message:
        """For a person: /dev/ttyUSB0 (CP210x, serial number 0001)."""
        parts: list[str] = [self.chip or self.description or _("no USB device")]
        if self.serial_number:
            parts.append(_("serial number {number}", number=self.serial_number))
        return joined("", [f"{self.device} (", joined(", ", parts), ")"])


def adapter_chip(vid: int, pid: int) -> str | None:
    """The adapter with these USB ids, or None if no board is known to have it."""
    return ADAPTERS.get((vid, pid)) or ADAPTERS.get((vid, _ANY))


def list_ports() -> list[Port]:
    """All serial ports of this machine, those with a board's adapter first."""
    from serial.tools import list_ports as system

    return in_order(port_from(found) for found in system.comports())


def port_from(found: Any) -> Port:
    """From pyserial's ListPortInfo."""
    usb = found.vid is not None
    adapter = found.device
    if usb:
        where = found.serial_number or found.location or found.device
        adapter = f"{found.vid:04x}:{found.pid:04x}:{where}"
    return Port(
        device=found.device,
        vid=found.vid,
        pid=found.pid,
        serial_number=found.serial_number,
        description="" if found.description in (None, "n/a") else found.description,
        adapter=adapter,
    )


def in_order(ports: Iterable[Port]) -> list[Port]:
    return sorted(ports, key=lambda port: (port.chip is None, port.device))


def choose(ports: Sequence[Port], device: str | None = None) -> Port:
    """The port that is meant: `device`, or the only one with a board's adapter.

    `device` may be one that the system does not list: a pyserial URL, a pseudo-terminal, a link
    in /dev/serial/by-id. Raises BoardError, which lists what there is.
    """
    if device is not None:
        known = {port.device: port for port in ports}
        return known.get(device) or Port(device=device, adapter=device)
    boards = [port for port in ports if port.chip is not None]
    if len(boards) == 1:
        return boards[0]
    if boards:
        cure = "Say which one with --port, or unplug the others"
        listed = joined("; ", (port.words for port in boards))
        raise BoardError(
            "There are {count} boards: {listed}", cure, count=len(boards), listed=listed
        )
    cure = (
        "Plug the board in with a cable that carries data, not only power; if the port does not "
        "appear, run: revier-provision doctor"
    )
    others = [port.words for port in ports if port.vid is not None]
    if not others:
        raise BoardError("No port has a board behind it", cure)
    problem = "No port has a board behind it; there are only: {others}"
    raise BoardError(problem, cure, others=joined("; ", others))
