# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The folder of device profiles, read as ChirpStack's import reads it, and asked for as its page
does with a scanned label."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from chirpstack_api import api
from chirpstack_api.common import common_pb2
from typer.testing import CliRunner, Result

from revier_bench.network_server.profile_import import ImportRefusedError, import_device_profiles
from revier_provision import cli
from revier_provision.doctor import ServerFacts, server_checks
from revier_provision.doctor.probe_server import Probe
from revier_provision.labels.tr005 import identification
from revier_provision.lns.reach import payload_codec

OWN = "00AB"


def run(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(cli.app, ["device-profiles", *(str(each) for each in arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def asked(server: Any, vendor_id: str) -> ServerFacts:
    with Probe(server.target, server.token) as probe:
        return probe.facts(server.target, (), None, vendor_id)


def check(server: Any, vendor_id: str = OWN) -> tuple[str, str]:
    (found,) = [
        each
        for each in server_checks(asked(server, vendor_id), payload_codec(), vendor_id)
        if each.check == "label-number"
    ]
    return found.state, found.what


@pytest.mark.parametrize("kind", ["air", "parking", "waste"])
def test_a_scanned_label_finds_its_profile(server: Any, tmp_path: Path, kind: Any) -> None:
    done = run("--out", tmp_path / "profiles", "--vendor-id", "00ab")
    assert f"import-device-profiles -d {tmp_path / 'profiles'}" in done.stdout
    assert import_device_profiles(tmp_path / "profiles", server.registry) == 3
    label = identification("240ac4fffe000001", "0" * 16, kind, vendor_id=OWN).split(":")
    number = label[4]
    with Probe(server.target, server.token) as probe:
        got = probe._call(
            probe._profiles.GetByProfileId,
            api.GetDeviceProfileByProfileIdRequest(
                vendor_id=int(number[:4], 16), vendor_profile_id=int(number[4:], 16)
            ),
        ).device_profile
    assert got.name == f"Revier {kind}"
    assert got.payload_codec_script == payload_codec()
    assert (got.region, got.supports_otaa) == (common_pb2.EU868, True)
    assert got.mac_version == common_pb2.LORAWAN_1_0_4
    assert got.reg_params_revision == common_pb2.RP002_1_0_4
    assert got.tenant_id == ""


def test_the_doctor_says_what_is_imported(server: Any, tmp_path: Path) -> None:
    state, what = check(server)
    assert (state, "00AB0001 (air) is not imported" in what) == ("warn", True)
    assert check(server, "0000")[0] == "skipped", "nobody asked for it"
    run("--out", tmp_path, "--vendor-id", OWN)
    import_device_profiles(tmp_path, server.registry)
    assert check(server)[0] == "ok"

    codec = tmp_path / "old.js"
    codec.write_text("function decodeUplink() { return {}; }")
    run("--out", tmp_path, "--vendor-id", OWN, "--codec", codec)
    import_device_profiles(tmp_path, server.registry)
    state, what = check(server)
    assert (state, "its codec is not the one" in what) == ("warn", True)

    run("--out", tmp_path, "--vendor-id", OWN)
    import_device_profiles(tmp_path, server.registry)
    assert check(server)[0] == "ok", "an import again is an update"
    assert len(server.registry.vendor_profiles) == 3


def test_another_vendors_profile_under_the_number_is_said(server: Any, tmp_path: Path) -> None:
    run("--out", tmp_path)
    device = tmp_path / "vendors" / "revier" / "devices" / "air.toml"
    device.write_text(device.read_text().replace("Revier air", "Cow tracker"))
    import_device_profiles(tmp_path, server.registry)
    state, what = check(server, "0000")
    assert (state, "00000001 (air) leads to 'Cow tracker'" in what) == ("warn", True)


def test_two_vendors_numbers_never_overwrite_each_other(server: Any, tmp_path: Path) -> None:
    for number in ("00AB", "00AC"):
        run("--out", tmp_path / number, "--vendor-id", number)
        import_device_profiles(tmp_path / number, server.registry)
    assert len(server.registry.vendor_profiles) == 6
    assert check(server, "00AB")[0] == check(server, "00AC")[0] == "ok"


def test_the_site_file_names_the_vendor(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    site = f'[books]\ninventory = "{folder.name}"\n[label]\nvendor_id = "{OWN}"\n'
    (tmp_path / "revier-site.toml").write_text(site)
    said = json.loads(run("--out", "profiles", "--json").stdout)
    assert said["vendor_id"] == OWN
    vendor = tomllib.loads((tmp_path / "profiles/vendors/revier/vendor.toml").read_text())
    assert vendor["vendor"]["vendor_id"] == 0xAB


def test_what_cannot_be_is_said(tmp_path: Path) -> None:
    assert "4 hex digits" in run("--out", tmp_path, "--vendor-id", "12345", code=1).stderr
    (tmp_path / "file").touch()
    assert "Correct the path" in run("--out", tmp_path / "file" / "x", code=1).stderr
    assert "0000 is nobody's number" in run("--out", tmp_path / "none").stdout


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("profiles/air-EU868.toml", ('"EU868"', '"EU-868"')),
        ("profiles/air-EU868.toml", ("= true", '= "yes"')),
        ("vendor.toml", ("vendor_id = 171", 'vendor_id = "00AB"')),
        ("devices/air.toml", ('version = "all"', "")),
    ],
)
def test_the_import_is_strict(
    server: Any, tmp_path: Path, name: str, change: tuple[str, str]
) -> None:
    """Else the tests above would prove nothing."""
    run("--out", tmp_path, "--vendor-id", OWN)
    path = tmp_path / "vendors" / "revier" / name
    assert change[0] in path.read_text()
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(ImportRefusedError):
        import_device_profiles(tmp_path, server.registry)
