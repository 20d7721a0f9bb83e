# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The site file: read whole, and each fault with its line and its cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from revier_provision.errors import OrderError
from revier_provision.workshop import site_file

GOOD = """\
format = 1

[books]
inventory = "inventory"
vault = "vault"
station = "bench-1"

[chirpstack]
server = "https://chirpstack.example:443"
token_file = "token"
tls_roots = "ca.pem"

[firmware]
bundle = "revier.zip"
trust = ["release.pub"]

[[firmware.runtime]]
file = "ESP32_GENERIC_S3.bin"
sha256 = "0000000000000000000000000000000000000000000000000000000000000001"

[[firmware.runtime]]
file = "ESP32_GENERIC.bin"
sha256 = "0000000000000000000000000000000000000000000000000000000000000002"

[board]
name = "heltec_v3"
interval_s = { air = 600 }

[label]
formats = ["pdf", "zpl"]
lang = "en"
printer = "label.local:9100"

[proof]
limit_s = 600
"""


def parse(text: str) -> site_file.Site:
    return site_file.parse(text, Path("/shop/revier-site.toml"))


def test_paths_are_relative_to_the_file() -> None:
    site = parse(GOOD)
    assert site.inventory == Path("/shop/inventory")
    assert site.ledger == Path("/shop/inventory/ledger")
    assert site.token_file == Path("/shop/token")
    assert [r.file.name for r in site.runtimes] == ["ESP32_GENERIC_S3.bin", "ESP32_GENERIC.bin"]
    assert site.trust == (Path("/shop/release.pub"),)
    assert site.interval_s == {"air": 600}
    assert (site.label_formats, site.lang) == (("pdf", "zpl"), "en")
    assert site.proof_limit_s == 600


def test_only_the_inventory_is_needed() -> None:
    site = parse('[books]\ninventory = "/srv/inventory"\n')
    assert site.inventory == Path("/srv/inventory")
    assert site.server is None
    assert site.label_formats == ("pdf",)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('station = "bench-1"', 'station = "Bench 1"', r"line 6: books\.station"),
        ('station = "bench-1"', 'statoin = "b"', r"line 6: books\.statoin: .*unknown field"),
        ("limit_s = 600", 'limit_s = "long"', r"line 35: proof\.limit_s: expected `int`"),
        ("limit_s = 600", "limit_s = 0", r"line 35: proof\.limit_s: the limit is 1 to 86400"),
        ('lang = "en"', 'lang = "fr"', r"line 31: label\.lang: invalid enum value 'fr'"),
        ('name = "heltec_v3"', 'name = "../x"', r"line 26: board\.name"),
        ("label.local:9100", "label.local", r"line 32: label\.printer"),
        ("0002", "000g", r"line 23: firmware\.runtime\[1\]\.sha256: .*64 lower-case"),
        ('inventory = "inventory"\n', "", r"line 3: books: .*missing required field `inventory`"),
        ('"release.pub"', '"1", "2", "3", "4", "5"', r"line 15: firmware\.trust: .*so many keys"),
        ('bundle = "revier.zip"\n', "", r"line 14: firmware\.trust: .*no bundle is named"),
        ("[books]", "[books", r"no TOML: .*line 3"),
    ],
)
def test_a_fault_names_its_line(old: str, new: str, words: str) -> None:
    assert old in GOOD
    with pytest.raises(OrderError, match=words):
        parse(GOOD.replace(old, new))


@pytest.mark.parametrize(
    "line",
    [
        'token = "eyJ0eXAiOiJKV1QiLCJhbGciOi"',
        'server_password = "hunter2"',
        'note = "000102030405060708090a0b0c0d0e0f"',
    ],
)
def test_a_secret_is_refused_and_not_repeated(line: str) -> None:
    with pytest.raises(OrderError, match=r"line 9: .*looks like a secret") as refused:
        parse(GOOD.replace("[chirpstack]\n", f"[chirpstack]\n{line}\n"))
    assert line.split('"')[1] not in str(refused.value)
    assert "token_file" in refused.value.cure


def test_a_file_that_is_not_there_or_no_text_is_said(tmp_path: Path) -> None:
    with pytest.raises(OrderError, match="Cannot read"):
        site_file.read(tmp_path / "none.toml")
    bad = tmp_path / "bad.toml"
    bad.write_bytes(b"\xff\xfe")
    with pytest.raises(OrderError, match="not UTF-8"):
        site_file.read(bad)
    bad.write_text("#" * (site_file.FILE_BYTES_MAX + 1))
    with pytest.raises(OrderError, match="larger than 64 KiB"):
        site_file.read(bad)
