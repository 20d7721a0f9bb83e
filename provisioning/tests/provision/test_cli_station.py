# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The station from the command line, over TLS; and an installation from a terminal."""

from __future__ import annotations

import io
import json
import os
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from provisioning.tests.provision.test_cli import run
from provisioning.tests.station.running import free_port
from typer.testing import CliRunner

from revier_inventory import Inventory, begin_period
from revier_provision import ChirpStack, Device, cli, inventory_files
from revier_provision.ledger import names as ledger_names
from revier_provision.ledger.files import verify
from revier_provision.lns.live import Heard
from revier_provision.station.trials import Trials

DEV_EUI = "240ac4fffe112233"
PASSWORD = "korrekt pferd batterie"
AT = datetime(2026, 5, 1, 8, tzinfo=UTC)
UP_S = 40.0


@pytest.fixture
def folder(tmp_path: Path, bare_herten: Inventory) -> Path:
    inventory = begin_period(bare_herten, DEV_EUI, "herten-air-01", AT)
    inventory_files.write(tmp_path / "inventory", inventory)
    return tmp_path / "inventory"


@pytest.fixture
def token_file(tmp_path: Path, server: Any) -> Path:
    path = tmp_path / "token"
    path.write_text(server.token + "\n")
    path.chmod(0o600)
    return path


def user_add(state: Path, name: str, role: str, password: str = PASSWORD) -> Any:
    arguments = ["station", "user", "add", name, "--role", role, "--state", str(state)]
    return CliRunner().invoke(cli.app, arguments, input=f"{password}\n{password}\n")


def test_users_are_added_listed_and_removed(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert user_add(state, "ingo", "installer").exit_code == 0
    assert user_add(state, "Ingo!", "installer").exit_code == 1
    assert user_add(state, "tina", "boss").exit_code == 1
    assert user_add(state, "tina", "technician", "short").exit_code == 1
    listed = json.loads(run("station", "user", "list", "--state", state, "--json").stdout)
    assert listed == [{"user": "ingo", "role": "installer"}]
    assert PASSWORD not in (state / "users.json").read_text()
    assert stat.S_IMODE((state / "users.json").stat().st_mode) == 0o600
    run("station", "user", "remove", "ingo", "--state", state)
    run("station", "user", "remove", "ingo", "--state", state, code=1)


def test_init_says_what_to_install_on_the_phones(tmp_path: Path) -> None:
    state = tmp_path / "state"
    said = json.loads(
        run("station", "init", "--state", state, "--host", "10.0.0.7", "--json").stdout
    )
    assert said["hosts"] == ["10.0.0.7", "localhost", "127.0.0.1"]
    assert Path(said["authority"]).read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ([], "Nobody may log in yet"),
        (["--certificate", "x.pem"], "go together"),
        (["--host", "a b"], "no host name"),
    ],
)
def test_serve_refuses_what_cannot_work(
    folder: Path, tmp_path: Path, server: Any, token_file: Path, more: list[str], problem: str
) -> None:
    where = ["--inventory", folder, "--state", tmp_path / "state"]
    reach = ["--server", server.target, "--token-file", token_file]
    assert problem in run("station", "serve", *where, *reach, *more, code=1).output
    assert "hear the nodes" in run("station", "serve", *where, code=1).output
    remote = ["--server", "chirpstack.example:8080", "--token-file", token_file]
    user_add(tmp_path / "state", "ingo", "installer")
    assert "unencrypted" in run("station", "serve", *where, *remote, code=1).output


@pytest.fixture
def serving(folder: Path, tmp_path: Path, server: Any, token_file: Path) -> Iterator[int]:
    """The command itself, as a process of its own; its port."""
    state, port = tmp_path / "state", free_port()
    assert user_add(state, "ingo", "installer").exit_code == 0
    command = [sys.executable, "-c", "from revier_provision.cli import main; main()"]
    command += ["station", "serve", "--inventory", folder, "--state", state, "--port", port]
    command += ["--server", server.target, "--token-file", token_file, "--host", "localhost"]
    process = subprocess.Popen(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    line = process.stdout.readline().decode()
    assert f"https://localhost:{port}/" in line, line
    yield port
    process.terminate()
    process.wait(30)
    assert server.token not in process.stdout.read().decode()


def test_the_station_serves_over_tls_and_keeps_the_token(
    serving: int, tmp_path: Path, server: Any
) -> None:
    authority = tmp_path / "state" / "tls" / "ca.pem"
    trust = ssl.create_default_context(cafile=str(authority))
    url = f"https://localhost:{serving}"
    with httpx.Client(base_url=url, verify=trust, timeout=30) as client:
        end_s = time.monotonic() + UP_S
        while True:
            try:
                client.get("/login")
                break
            except httpx.TransportError:
                assert time.monotonic() < end_s
                time.sleep(0.1)
        form = {"user": "ingo", "password": PASSWORD}
        answer = client.post("/login", data=form, headers={"origin": url})
        assert (answer.status_code, answer.headers["location"]) == (303, "/install")
        texts = [client.get(path).text for path in ("/install", "/api/assets", "/api/session")]
        assert "herten-air-01" in texts[1]
        assert client.get("/workshop").status_code == 404
        assert client.get("/authority.pem").content == authority.read_bytes()
    assert all(server.token not in text for text in texts)
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://localhost:{serving}/login", timeout=10)


def heard(f_cnt: int, f_port: int = 10) -> Heard:
    return Heard(
        at=datetime.now(UTC), dev_addr="26011bda", f_cnt=f_cnt, f_port=f_port, data=bytes(11),
        spreading_factor=7, rssi_dbm=-90, snr_db=8.0, gateways=("a", "b"),
    )  # fmt: skip


def test_an_installation_from_a_terminal(
    folder: Path, tmp_path: Path, server: Any, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ChirpStack(server.target, server.token) as client:
        owner = inventory_files.read(folder).owner_of("05562020")
        assert owner is not None
        application = client.create_application(owner)
        client.put_device(
            Device(
                dev_eui=DEV_EUI, join_eui="0" * 16, name="herten-air-01", tags={},
                application_id=application.application_id,
                device_profile_id=client.ensure_device_profile(application.tenant_id, "air", 900),
            )
        )  # fmt: skip
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (9, 99, 9)).save(out, "JPEG")
    (tmp_path / "pole.jpg").write_bytes(out.getvalue())
    arguments = [
        "install", "--label", DEV_EUI, "--lon", "7.1", "--lat", "51.6", "--accuracy-m", "5",
        "--photo", tmp_path / "pole.jpg", "--inventory", folder, "--state", tmp_path / "state",
        "--server", server.target, "--token-file", token_file, "--station", "phone", "--by", "ingo",
    ]  # fmt: skip
    assert "Only 0 uplinks" in run(*arguments, "--wait-s", "0", code=1).output

    begin = Trials.begin

    def hears(self: Trials, *given: Any, **more: Any) -> Any:
        trial = begin(self, *given, **more)
        for f_cnt in range(3):
            self._hear(trial.dev_eui, heard(f_cnt))
        return self.get(trial.dev_eui)

    monkeypatch.setattr(Trials, "begin", hears)
    said = json.loads(run(*arguments, "--json").stdout)
    assert said["verdict"]["colour"] == "green"
    (record,) = verify(folder / "ledger")["phone"].records
    who = ledger_names.by_code(folder / "ledger")[record.by]
    assert (record.event, who, record.asset) == ("installed", "ingo", "herten-air-01")
    with ChirpStack(server.target, server.token) as client:
        device = client.device(DEV_EUI)
        assert device is not None
        assert device.tags == {"asset": "herten-air-01", "ags": "05562020"}
