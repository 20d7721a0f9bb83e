# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What is shipped for the operator fits together."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from revier_gateway import config, event_topic

DEPLOY = Path(__file__).parents[1] / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
# What the operator makes: docs/operator.md names each.
MADE_BY_HAND = {"./secrets/revier.passwd", "./secrets/certs", "./wheel", "./revier"}


def test_every_file_that_compose_mounts_is_here_or_is_made_by_hand() -> None:
    named = set(COMPOSE["volumes"])
    for name, service in COMPOSE["services"].items():
        for mount in service.get("volumes", ()):
            origin = mount.split(":")[0]
            if origin.startswith("./") and origin not in MADE_BY_HAND:
                assert (DEPLOY / origin).exists(), (name, origin)
            elif not origin.startswith("./"):
                assert origin in named, (name, origin)


def test_compose_publishes_only_tls_beyond_this_machine() -> None:
    ports = [p for service in COMPOSE["services"].values() for p in service.get("ports", ())]
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == ["8883:8883"]


def test_no_secret_has_a_default() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    secrets = re.findall(r"(?:PASSWORD|SECRET): (\S+)", text)
    assert len(secrets) == 6
    assert all(re.fullmatch(r"\$\{\w+:\?write", secret) for secret in secrets), secrets


def test_chirpstack_s_variables_are_given_by_compose() -> None:
    asked = set(re.findall(r"\$([A-Z_]+)", (DEPLOY / "chirpstack" / "chirpstack.toml").read_text()))
    asked.discard("NAME")
    assert asked <= set(COMPOSE["services"]["chirpstack"]["environment"])


def test_the_acl_lets_the_gateway_do_what_its_defaults_ask() -> None:
    settings = config.load(DEPLOY / "gateway.example.toml")
    acl = (DEPLOY / "mosquitto" / "revier.acl").read_text()
    assert f"topic read {event_topic.parse(settings.source.topic).filter}" in acl
    assert f"topic readwrite {settings.feed.root}/#" in acl
    assert f"pattern readwrite {settings.feed.root}/%u/#" in acl
