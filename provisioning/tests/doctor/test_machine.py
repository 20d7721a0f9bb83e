# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Each finding about the workbench, and what the probes see of a machine."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from revier_provision.chip import Port
from revier_provision.doctor import Checked, MachineFacts, PortFacts, UsbFacts, machine_checks
from revier_provision.doctor import worst as worst_of
from revier_provision.doctor.probe_machine import (
    esptool_version,
    machine_facts,
    port_facts,
    portless,
    processes,
    synchronised,
)

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)
PORT = PortFacts(device="/dev/ttyUSB0", adapter="CP210x", usable=True, group="dialout")


def checks(**changes: Any) -> list[Checked]:
    facts: dict[str, Any] = {"now": NOW, "esptool": "5.6.0", "user": "ina", "ports": (PORT,)}
    return machine_checks(MachineFacts(**facts | changes))


def only(state: str, **changes: Any) -> Checked:
    found = [one for one in checks(**changes) if one.state == state]
    assert len(found) == 1, found
    return found[0]


def test_a_sound_workbench() -> None:
    results = checks(synchronised=True)
    assert {one.state for one in results} == {"ok"}
    assert {one.check for one in results} == {"esptool", "port", "driver", "port-grabber", "clock"}
    assert worst_of(results) == "ok"
    assert "/dev/ttyUSB0 (CP210x) may be used" in [one.what for one in results]


def test_no_esptool_or_an_old_one() -> None:
    assert "pip install" in only("bad", esptool=None).cure
    old = only("bad", esptool="4.8.1")
    assert "4.8.1 is too old" in old.what
    assert "-U esptool" in old.cure
    assert worst_of(checks(esptool="6.0.dev1")) == "ok"


def test_no_board_is_no_fault() -> None:
    assert only("skipped", ports=()).check == "port"


def test_a_port_that_the_user_may_not_use_names_the_group() -> None:
    port = PortFacts(device="/dev/ttyACM0", adapter="CH9102", usable=False, group="uucp")
    found = only("bad", ports=(PORT, port))
    assert "/dev/ttyACM0 (CH9102) may not be used by ina" in found.what
    assert "sudo usermod -aG uucp ina, then log out" in found.cure


def test_a_port_that_another_program_holds_names_it() -> None:
    port = PortFacts(device="/dev/ttyUSB0", adapter="CP210x", usable=True, held_by="minicom")
    assert "is held by minicom" in only("bad", ports=(port,)).what


@pytest.mark.parametrize(
    ("adapter", "driver"),
    [("CP210x", "cp210x"), ("CH340", "ch341"), ("CH9102", "cdc_acm"), ("FT232", "ftdi_sio"),
     ("USB of the ESP32-S3", "cdc_acm"), ("CH343", "cdc_acm")],
)  # fmt: skip
def test_an_adapter_without_a_port_names_its_driver(adapter: str, driver: str) -> None:
    found = only("bad", portless=(UsbFacts(adapter=adapter, vid=0x1A86, pid=0x7523),))
    assert f"an adapter {adapter} (1a86:7523) has no serial port" in found.what
    assert driver in found.cure


def test_an_adapter_that_brltty_took_is_said_to_be_so() -> None:
    usb = (UsbFacts(adapter="CH340", vid=0x1A86, pid=0x7523),)
    found = only("bad", portless=usb, processes=frozenset({"brltty"}))
    assert "brltty took it" in found.what
    assert "mask --now brltty" in found.cure


@pytest.mark.parametrize("name", ["brltty", "ModemManager"])
def test_programs_that_take_ports_are_warned_of(name: str) -> None:
    found = only("warn", processes=frozenset({name, "bash"}))
    assert name in found.what
    assert "mask --now" in found.cure
    assert worst_of(checks(processes=frozenset({name}))) == "warn"


def test_clocks() -> None:
    assert "2026-01-01" in only("bad", now=datetime(2026, 1, 1, tzinfo=UTC)).what
    assert "not synchronised" in only("warn", synchronised=False).what


# Probes


def put(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_adapters_without_a_port_are_found_in_sysfs(tmp_path: Path) -> None:
    usb = tmp_path / "sys/bus/usb/devices"
    for name, vid, pid in (
        ("1-1", "10c4", "ea60"), ("1-2", "1a86", "7523"), ("1-3", "303a", "1001"),
        ("1-4", "046d", "c31c"),
    ):  # fmt: skip
        put(usb / name / "idVendor", vid + "\n")
        put(usb / name / "idProduct", pid + "\n")
    put(usb / "1-1" / "1-1:1.0" / "ttyUSB0" / "dev")
    put(usb / "1-3" / "1-3:1.0" / "tty" / "ttyACM0" / "dev")
    put(usb / "usb1" / "idVendor", "not hex")
    assert list(portless(tmp_path)) == [UsbFacts(adapter="CH340", vid=0x1A86, pid=0x7523)]
    assert list(portless(tmp_path / "nowhere")) == []


def test_processes_and_synchronisation(tmp_path: Path) -> None:
    assert synchronised(tmp_path) is None
    put(tmp_path / "proc/17/comm", "brltty\n")
    put(tmp_path / "proc/self/comm", "other\n")
    assert list(processes(tmp_path)) == ["brltty"]
    (tmp_path / "run/systemd/timesync").mkdir(parents=True)
    assert synchronised(tmp_path) is False
    put(tmp_path / "run/systemd/timesync/synchronized")
    assert synchronised(tmp_path) is True
    put(tmp_path / "b/proc/9/comm", "chronyd\n")
    assert synchronised(tmp_path / "b") is True


def test_a_port_is_looked_at(tmp_path: Path) -> None:
    device = tmp_path / "ttyUSB0"
    put(device)
    (tmp_path / "proc/23/fd").mkdir(parents=True)
    (tmp_path / "proc/23/fd/4").symlink_to(device)
    (tmp_path / "proc/23/fd/5").symlink_to("/dev/null")
    put(tmp_path / "proc/23/comm", "thonny\n")
    facts = port_facts(Port(device=str(device), vid=0x10C4, pid=0xEA60), tmp_path)
    assert (facts.adapter, facts.held_by) == ("CP210x", "thonny")
    assert facts.usable
    assert facts.group
    if os.geteuid() != 0:
        device.chmod(0)
        assert not port_facts(Port(device=str(device)), tmp_path).usable
    assert not port_facts(Port(device=str(tmp_path / "gone")), tmp_path).usable


def test_esptools_version(tmp_path: Path) -> None:
    version = esptool_version()
    assert version is not None
    assert int(version.split(".")[0]) >= 5
    assert esptool_version((sys.executable, "-c", "raise SystemExit(1)")) is None
    assert esptool_version((str(tmp_path / "nowhere"),)) is None


def test_this_machine_can_be_looked_at() -> None:
    facts = machine_facts()
    assert facts.user
    assert facts.now.tzinfo is not None
    assert facts.processes or sys.platform != "linux"
