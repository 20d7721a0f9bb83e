# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What is shipped for the operator fits together. No container runtime is needed, and none runs."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
import yaml

from revier_gateway import __version__, config, event_topic
from revier_mac import airtime

DEPLOY = Path(__file__).parents[1] / "deploy"
OPERATOR = (Path(__file__).parents[2] / "docs" / "operator.md").read_text("utf-8")
TEXT = (DEPLOY / "compose.yaml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
# What the operator makes: docs/operator.md names each.
MADE_BY_HAND = {"./secrets/revier.passwd", "./secrets/certs", "./wheel", "./revier"}
BROKER = {path.name: path.read_text() for path in (DEPLOY / "mosquitto").iterdir()}


def mounts(service: str) -> dict[str, str]:
    """Where in the container: what."""
    pairs = [mount.split(":")[:2] for mount in SERVICES[service].get("volumes", ())]
    return {place: origin for origin, place in pairs}


def chirpstack(name: str) -> dict[str, Any]:
    return tomllib.loads((DEPLOY / "chirpstack" / name).read_text())


# -- compose.yaml


def test_every_file_that_compose_mounts_is_here_or_is_made_by_hand() -> None:
    named = set(COMPOSE["volumes"])
    for service in SERVICES:
        for origin in mounts(service).values():
            if origin in MADE_BY_HAND:
                assert f"| `{origin.removeprefix('./')}" in OPERATOR, origin
            elif origin.startswith("./"):
                assert (DEPLOY / origin).exists(), (service, origin)
            else:
                assert origin in named, (service, origin)


def test_compose_publishes_only_tls_beyond_this_machine() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == ["8883:8883"]


def test_no_secret_has_a_default() -> None:
    secrets = re.findall(r"(?:PASSWORD|SECRET): (\S+)", TEXT)
    assert len(secrets) == 6
    assert all(re.fullmatch(r"\$\{\w+:\?write", secret) for secret in secrets), secrets


def test_every_variable_of_compose_is_in_the_operator_s_table() -> None:
    asked = set(re.findall(r"\$\{(\w+)", TEXT))
    (row,) = [line for line in OPERATOR.splitlines() if line.startswith("| `.env`")]
    assert asked == set(re.findall(r"`([A-Z_]+)`", row))


def test_every_image_has_its_version() -> None:
    images = {name: service["image"] for name, service in SERVICES.items()}
    docker = (DEPLOY / "Dockerfile").read_text()
    (base,) = re.findall(r"^FROM (\S+)", docker, re.MULTILINE)
    for image in (*images.values(), base):
        assert re.search(r":\d+\.\d+\.?\d*(-[a-z]+)*$", image), image
    assert images["revier-gateway"] == f"revier-gateway:{__version__}"
    for name, least in (("mosquitto", (2, 0, 21)), ("chirpstack", (4, 20, 0))):
        version = tuple(int(part) for part in re.findall(r"\d+", images[name].split(":")[1]))
        assert version >= least, name


def test_every_service_says_whether_it_lives_and_waits_for_those_it_needs() -> None:
    for name, service in SERVICES.items():
        assert service["healthcheck"]["test"][0] == "CMD", name
        assert service["restart"] == "unless-stopped", name
        for other, how in service.get("depends_on", {}).items():
            assert other in SERVICES
            assert how == {"condition": "service_healthy"}


def test_ports_are_those_that_the_programs_listen_on() -> None:
    listeners = re.findall(r"^listener (\d+)", BROKER["listeners.compose.conf"], re.MULTILINE)
    assert listeners == ["1883", "8883"]
    assert SERVICES["mosquitto"]["ports"] == ["8883:8883"]
    assert SERVICES["mosquitto"]["healthcheck"]["test"][-1] == "1883"
    page = config.Console().port
    assert SERVICES["revier-gateway"]["ports"] == [f"127.0.0.1:{page}:{page}"]
    assert (
        f"http://127.0.0.1:{page}/healthz" in SERVICES["revier-gateway"]["healthcheck"]["test"][-1]
    )
    assert chirpstack("chirpstack.toml")["api"]["bind"] == "$CHIRPSTACK_BIND"
    api = int(SERVICES["chirpstack"]["environment"]["CHIRPSTACK_BIND"].rpartition(":")[2])
    assert SERVICES["chirpstack"]["ports"] == [f"127.0.0.1:{api}:{api}"]
    assert api == config.ChirpStack(host="chirpstack").port
    assert page != api, "natively both are on one machine"
    assert f"`CHIRPSTACK_BIND=127.0.0.1:{api}`" in OPERATOR


def test_the_broker_s_files_are_where_its_settings_look_for_them() -> None:
    here = mounts("mosquitto")
    settings = BROKER["mosquitto.conf"] + BROKER["listeners.compose.conf"]
    for key in ("password_file", "acl_file", "persistence_location", "certfile", "keyfile"):
        (path,) = re.findall(rf"^{key} (\S+)", settings, re.MULTILINE)
        assert any(path.rstrip("/").startswith(place) for place in here), (key, path)
    (folder,) = re.findall(r"^include_dir (\S+)", settings, re.MULTILINE)
    assert here[f"{folder}/listeners.conf"] == "./mosquitto/listeners.compose.conf"
    assert "/mosquitto/config/mosquitto.conf" in here


def test_the_broker_may_write_its_volume() -> None:
    """The image has no /var/lib/mosquitto: the volume is root's, and nothing would persist."""
    (location,) = re.findall(
        r"^persistence_location (\S+)/", BROKER["mosquitto.conf"], re.MULTILINE
    )
    command = SERVICES["mosquitto"]["command"][-1]
    assert command.startswith(f"chown mosquitto:mosquitto {location} && exec mosquitto -c ")


def test_the_image_of_the_gateway(tmp_path: Path) -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    sources = [line.split()[1] for line in text.splitlines() if line.startswith("COPY")]
    assert {f"./{source}" for source in sources} <= MADE_BY_HAND
    user = re.search(r"useradd .* (\w+) ", text)
    assert user is not None
    assert f"\nUSER {user[1]}\n" in text
    (data,) = [place for place, origin in mounts("revier-gateway").items() if origin == "revier"]
    assert f"install -d -o {user[1]} -m 750 {data}\n" in text
    assert "/etc/revier" in mounts("revier-gateway")
    # The shell finds the wheel; a pattern with [gateway] behind it would match no file.
    (tmp_path / "wheel").mkdir()
    (tmp_path / "wheel" / "revier-0.1.0-py3-none-any.whl").touch()
    (word,) = re.findall(r'"\$\(ls [^"]+"', text)
    said = subprocess.run(
        ["sh", "-c", f"echo {word.replace('/wheel', './wheel')}"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stdout == "./wheel/revier-0.1.0-py3-none-any.whl[gateway,provision]\n"


# -- ChirpStack's files


def test_chirpstack_s_variables_are_given_by_compose_and_by_the_operator() -> None:
    files = [path.read_text() for path in (DEPLOY / "chirpstack").glob("*.toml")]
    asked = set(re.findall(r"\$([A-Z_]+)", "".join(files))) - {"NAME"}
    assert asked == set(SERVICES["chirpstack"]["environment"])
    (native,) = [
        line for line in OPERATOR.splitlines() if "`/etc/chirpstack/revier.env` holds" in line
    ]
    assert asked == set(re.findall(r"`([A-Z_]+)=", native))


def test_chirpstack_and_its_region_come_in_as_the_access_list_lets_them() -> None:
    mqtt = chirpstack("chirpstack.toml")["integration"]["mqtt"]
    (region,) = chirpstack("region_eu868.toml")["regions"]
    backend = region["gateway"]["backend"]["mqtt"]
    assert region["id"] in chirpstack("chirpstack.toml")["network"]["enabled_regions"]
    assert {mqtt["username"], backend["username"]} == {"chirpstack"}
    assert "$MQTT_PASSWORD" in mqtt["password"]
    assert backend["password"] == mqtt["password"]
    assert mqtt["client_id"] != backend["client_id"], "the one would throw the other out"
    rights = re.search(r"^user chirpstack\n((?:topic .*\n)+)", BROKER["revier.acl"], re.MULTILINE)
    assert rights is not None
    assert f"topic readwrite {backend['topic_prefix']}/gateway/#" in rights[1]
    assert f"pattern readwrite {backend['topic_prefix']}/gateway/%u/#" in BROKER["revier.acl"]


def test_the_region_is_the_one_that_the_nodes_speak() -> None:
    (region,) = chirpstack("region_eu868.toml")["regions"]
    network = region["network"]
    told = {one["frequency"] for one in network["extra_channels"]}
    heard = {one["frequency"] for one in region["gateway"]["channels"]}
    assert told == {867_100_000 + 200_000 * n for n in range(5)}
    own = {100 * frequency for frequency in airtime.DEFAULT_CHANNELS}
    assert told | own <= heard
    assert network["rx2_frequency"] == 100 * airtime.RX2_FREQUENCY
    assert network["rx2_dr"] == airtime.RX2_DR
    assert (network["min_dr"], network["max_dr"], network["rx1_delay"]) == (0, 5, 1)


def test_the_history_is_as_long_as_the_doctor_and_the_page_ask() -> None:
    history = chirpstack("chirpstack.toml")["monitoring"]["per_device_event_log_max_history"]
    assert f"per_device_event_log_max_history = {history}" in OPERATOR


# -- the gateway's own


def test_the_acl_lets_the_gateway_do_what_its_defaults_ask() -> None:
    settings = config.load(DEPLOY / "gateway.example.toml")
    acl = BROKER["revier.acl"]
    assert f"topic read {event_topic.parse(settings.source.topic).filter}" in acl
    assert f"topic readwrite {settings.feed.root}/#" in acl
    assert f"pattern readwrite {settings.feed.root}/%u/#" in acl


def test_every_key_is_in_the_example_with_its_default() -> None:
    """Without its marks of a comment it holds the defaults, but for what is an example only."""
    tables = example()
    for table in msgspec.structs.fields(config.Config):
        if table.name == "base_dir":
            continue
        kinds = {one.name: one for one in msgspec.structs.fields(struct_of(table.type))}
        assert set(kinds) - {"tls", "password"} == set(tables[table.name]), table.name
        for name, one in kinds.items():
            if name not in EXAMPLES and not one.required:
                assert tables[table.name][name] == one.default, (table.name, name)
    tls = {one.name for one in msgspec.structs.fields(config.Tls)}
    assert set(tables["source.tls"]) == set(tables["feed.tls"]) == tls


EXAMPLES = ("username", "password", "password_env", "client_id", "names", "to", "to_env",
            "deadman_url", "tls")  # fmt: skip


def example() -> dict[str, dict[str, Any]]:
    text = (DEPLOY / "gateway.example.toml").read_text()
    tables: dict[str, dict[str, Any]] = {}
    table = ""
    for line in re.sub(r"^# (?=[a-z_]+ = |\[)", "", text, flags=re.MULTILINE).splitlines():
        if match := re.match(r"\[([a-z.]+)\]", line):
            table = match[1]
            tables[table] = {}
        elif re.match(r"[a-z_]+ = ", line):
            tables[table].update(tomllib.loads(line))
    return tables


def struct_of(type_: Any) -> Any:
    return next(one for one in (type_, *get_args(type_)) if hasattr(one, "__struct_fields__"))


def test_the_unit_leaves_the_process_s_figures_visible() -> None:
    """ProcSubset=pid hides /proc/stat; prometheus_client then says nothing of the process."""
    unit = (DEPLOY / "revier-gateway.service").read_text()
    assert not re.search(r"^ProcSubset=pid", unit, re.MULTILINE)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not here")
def test_the_operator_s_lines_are_of_a_shell() -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", OPERATOR, re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 5
    for block in blocks:
        done = subprocess.run(
            ["bash", "-n"], input=block, text=True, capture_output=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), block
        for path in re.findall(r"gateway/deploy/\S+[a-z]", block):
            assert (DEPLOY.parents[1] / path).exists(), path
