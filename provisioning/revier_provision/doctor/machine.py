# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Checks of the workbench itself: esptool, ports, drivers, who else wants the ports, the clock."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from revier_inventory.message import _
from revier_provision.doctor.findings import Checked, bad, ok, skipped, warn

ESPTOOL_MAJOR_MIN = 5
EPOCH_MIN = datetime(2026, 11, 1, tzinfo=UTC)  # older than this program: the clock was never set
_PORT_GRABBERS = {
    "brltty": _(
        "Run: sudo systemctl mask --now brltty-udev.service brltty.service; or remove it: "
        "sudo apt-get remove brltty; then plug the board in again"
    ),
    "ModemManager": _("Run: sudo systemctl mask --now ModemManager; then plug the board in again"),
}
_DRIVERS = {
    "CP210x": "cp210x (sudo modprobe cp210x; Windows, macOS: Silicon Labs CP210x VCP driver)",
    "CH340": "ch341 (sudo modprobe ch341; Windows: WCH CH341SER driver)",
    "CH9102": "cdc_acm or ch343 (sudo modprobe cdc_acm; Windows: WCH CH343SER driver)",
    "FT": "ftdi_sio (sudo modprobe ftdi_sio; Windows: FTDI VCP driver)",
    "USB": "cdc_acm (sudo modprobe cdc_acm)",
}
_DRIVER_OTHER = "cdc_acm (sudo modprobe cdc_acm)"


class PortFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A port with a board's adapter. `group` owns the device; `held_by` names a process."""

    device: str
    adapter: str
    usable: bool
    group: str = ""
    held_by: str = ""


class UsbFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A board's adapter on the USB that has no serial port."""

    adapter: str
    vid: int
    pid: int


class MachineFacts(msgspec.Struct, frozen=True, kw_only=True):
    """`esptool` is its version, None: not installed. `synchronised` None: not known."""

    now: datetime
    esptool: str | None
    user: str = ""
    ports: tuple[PortFacts, ...] = ()
    portless: tuple[UsbFacts, ...] = ()
    processes: frozenset[str] = frozenset()
    synchronised: bool | None = None


def machine_checks(facts: MachineFacts) -> list[Checked]:
    return [
        esptool(facts),
        *ports(facts),
        *drivers(facts),
        *grabbers(facts),
        clock(facts),
    ]


def esptool(facts: MachineFacts) -> Checked:
    if facts.esptool is None:
        cure = _("Run: pip install 'revier[provision]'")
        return bad("esptool", _("esptool is not installed: no board can be flashed"), cure)
    major = facts.esptool.partition(".")[0]
    if not major.isdigit() or int(major) < ESPTOOL_MAJOR_MIN:
        cure = _("Run: pip install -U esptool")
        what = _(
            "esptool {esptool} is too old; {least}.0 or newer is needed",
            esptool=facts.esptool,
            least=ESPTOOL_MAJOR_MIN,
        )
        return bad("esptool", what, cure)
    return ok("esptool", _("esptool {esptool}", esptool=facts.esptool))


def ports(facts: MachineFacts) -> list[Checked]:
    if not facts.ports:
        cure = _("Plug a board in, with a cable that carries data, and run this again")
        return [skipped("port", _("no board is plugged in, so no port was looked at"), cure)]
    return [_port(port, facts.user) for port in facts.ports]


def _port(port: PortFacts, user: str) -> Checked:
    if not port.usable:
        group = port.group or "dialout"
        cure = _(
            "Run: sudo usermod -aG {group} {user}, then log out and in again",
            group=group,
            user=user or "$USER",
        )
        return bad(
            "port",
            _(
                "{device} ({adapter}) may not be used by {user}",
                device=port.device,
                adapter=port.adapter,
                user=user,
            ),
            cure,
        )
    if port.held_by:
        cure = _("Close {held_by}: a port has one user at a time", held_by=port.held_by)
        what = _(
            "{device} ({adapter}) is held by {held_by}",
            device=port.device,
            adapter=port.adapter,
            held_by=port.held_by,
        )
        return bad("port", what, cure)
    return ok(
        "port", _("{device} ({adapter}) may be used", device=port.device, adapter=port.adapter)
    )


def drivers(facts: MachineFacts) -> list[Checked]:
    found = []
    for usb in facts.portless:
        what = _(
            "an adapter {adapter} ({vid:04x}:{pid:04x}) has no serial port",
            adapter=usb.adapter,
            vid=usb.vid,
            pid=usb.pid,
        )
        if "brltty" in facts.processes:
            found.append(
                bad("driver", _("{what}: brltty took it", what=what), _PORT_GRABBERS["brltty"])
            )
            continue
        driver = next(
            (text for name, text in _DRIVERS.items() if usb.adapter.startswith(name)),
            _DRIVER_OTHER,
        )
        found.append(bad("driver", what, _("Load or install its driver: {driver}", driver=driver)))
    return found or [ok("driver", _("every board's adapter on the USB has its serial port"))]


def grabbers(facts: MachineFacts) -> list[Checked]:
    """Programs that open every new port: esptool then finds it busy, or the chip is reset."""
    found = [
        warn("port-grabber", _("{name} runs and takes serial ports", name=name), cure)
        for name, cure in _PORT_GRABBERS.items()
        if name in facts.processes
    ]
    return found or [ok("port-grabber", _("neither brltty nor ModemManager runs"))]


def clock(facts: MachineFacts) -> Checked:
    """Ledger and inventory hold times; TLS refuses certificates by them."""
    cure = _("Set the clock: timedatectl set-ntp true")
    if facts.now < EPOCH_MIN:
        return bad(
            "clock", _("this machine believes that it is {now:%Y-%m-%d}", now=facts.now), cure
        )
    if facts.synchronised is False:
        return warn("clock", _("this machine's clock is not synchronised"), cure)
    return ok("clock", _("this machine's clock says {now:%Y-%m-%d %H:%M} UTC", now=facts.now))
