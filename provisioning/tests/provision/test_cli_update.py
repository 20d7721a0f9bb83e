# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""keygen, sign, show: what a bundle is afterwards, and what is refused before a board is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from revier_provision.cli import app
from revier_provision.update import firmware_bundle, manifest, signing_key
from revier_provision.update.firmware_bundle import Firmware

WORDS = "four random words here"
FILES = {"revier_node/app.mpy": b"M\6\0\x1fapplication"}
ROOT = {"/boot.py": b"", "/main.py": b""}


def run(*words: object, typed: str = "") -> dict[str, Any]:
    done = CliRunner().invoke(app, [*map(str, words), "--json"], input=typed)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert done.exit_code == ("error" in answer), done.output
    return answer


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "firmware.zip"
    made = Firmware(version="1.2.3", slot_files=FILES, root_files=ROOT)
    path.write_bytes(firmware_bundle.packed(made))
    return path


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "update.key"
    run("firmware", "keygen", path, typed=f"{WORDS}\n{WORDS}\n")
    return path


def test_a_bundle_is_signed_with_what_it_is(bundle: Path, key: Path) -> None:
    told = run("firmware", "sign", bundle, "--key", key, "--may-go-back", typed=f"{WORDS}\n")
    assert (told["version"], told["mpy"], told["may_go_back"]) == ("1.2.3", 6, True)
    public = signing_key.public_path(key)
    assert run("firmware", "show", bundle, "--public", public) == told
    signed = firmware_bundle.load(bundle)
    assert (signed.slot_files, signed.root_files) == (FILES, ROOT)
    assert manifest.is_signed(signed.manifest, signed.signature, signing_key.read_public(public))


def test_another_key_and_a_wrong_passphrase_are_refused(
    bundle: Path, key: Path, tmp_path: Path
) -> None:
    before = bundle.read_bytes()
    refused = run("firmware", "sign", bundle, "--key", key, typed="something else here\n")
    assert refused["error"][0]["problem"] == "The passphrase is not right"
    assert bundle.read_bytes() == before
    run("firmware", "sign", bundle, "--key", key, typed=f"{WORDS}\n")
    other = tmp_path / "other.key"
    run("firmware", "keygen", other, typed=f"{WORDS}\n{WORDS}\n")
    refused = run("firmware", "show", bundle, "--public", signing_key.public_path(other))
    assert refused["error"][0]["problem"].startswith("It is not signed by the key of")


def test_an_unsigned_bundle_is_refused_before_a_board_is_asked(bundle: Path) -> None:
    refused = run("update", "--port", "/nowhere", "--firmware", bundle)
    (error,) = refused["error"]
    assert error["problem"] == "This firmware is not signed"
    assert error["cure"] == "Sign it with: revier-provision firmware sign"
