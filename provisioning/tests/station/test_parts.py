# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Labels, photos, certificates, sessions and users: each alone."""

from __future__ import annotations

import io
import ssl
import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from provisioning.tests.station.conftest import PASSWORD, jpeg

from revier_inventory.model import Kind
from revier_provision.errors import OrderError
from revier_provision.labels.tr005 import Identification, identification, read
from revier_provision.station import certificates, photos, scan
from revier_provision.station.refused import RefusedError
from revier_provision.station.sessions import SESSION_S, TRIES_MAX, TRIES_S, Sessions, Tries
from revier_provision.station.users import Users

NOW = datetime(2026, 5, 4, tzinfo=UTC)
EUI_TEXT = st.text("0123456789abcdef", min_size=16, max_size=16)
WHO = ("user ingo", "address 1.2.3.4")


# -- labels --


@given(
    EUI_TEXT, EUI_TEXT, st.sampled_from(["air", "parking", "waste"]), st.sampled_from(["", "A 1"])
)
def test_a_label_says_what_was_put_on_it(
    dev_eui: str, join_eui: str, kind: Kind, serial: str
) -> None:
    text = identification(dev_eui, join_eui, kind, serial=serial, owner_token="T")
    wanted = Identification(dev_eui=dev_eui, join_eui=join_eui, kind=kind, serial=serial)
    assert read(text) == read(f" {text.lower()}\n") == wanted


def test_labels_of_others_and_typed_euis_are_read() -> None:
    theirs = read("LW:D0:1122334455667788:AABBCCDDEEFF0011:AABB1122:OAABBCCDDEEFF:SYYWW:PFOO:CAF2C")
    assert (theirs.dev_eui, theirs.kind, theirs.serial) == ("aabbccddeeff0011", None, "YYWW")
    assert read("24:0A-c4 fffe000001").dev_eui == "240ac4fffe000001"


@given(st.text(max_size=120))
def test_anything_else_is_refused(text: str) -> None:
    try:
        found = read(text)
    except OrderError:
        return
    assert len(found.dev_eui) == 16


def test_a_photo_of_our_label_is_read() -> None:
    import segno

    out = io.BytesIO()
    text = identification("240ac4fffe000001", "0" * 16, "waste")
    segno.make(text, error="m").save(out, kind="png", scale=7, border=4)
    page = Image.new("RGB", (900, 700), (190, 200, 180))
    page.paste(
        Image.open(out).convert("RGB").rotate(11, expand=True, fillcolor="white"), (260, 180)
    )
    shot = io.BytesIO()
    page.save(shot, "JPEG", quality=70)
    found = scan.label_in(shot.getvalue())
    assert (found.dev_eui, found.kind) == ("240ac4fffe000001", "waste")


@pytest.mark.parametrize("key", ["no_code", "no_label", "no_photo"])
def test_a_photo_without_a_label_says_so(key: str) -> None:
    import segno

    out = io.BytesIO()
    segno.make("https://example.org").save(out, kind="png", scale=6)
    data = {"no_code": jpeg(), "no_label": out.getvalue(), "no_photo": b"%PDF-1.7 no"}[key]
    with pytest.raises(RefusedError) as error:
        scan.label_in(data)
    assert error.value.key == key


# -- photos --


def test_a_photo_keeps_its_pixels_and_nothing_else(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    exif[0x010E] = "Ingo's garden"
    data = jpeg(400, 200, exif=exif, comment=b"secret")
    assert b"garden" in data
    name = photos.store(tmp_path, data)
    kept = photos.load(tmp_path, name)
    assert kept is not None
    for trace in (b"garden", b"secret", b"Exif"):
        assert trace not in kept
    with Image.open(io.BytesIO(kept)) as picture:
        assert picture.size == (200, 400)
    assert photos.store(tmp_path, data) == name


def test_a_large_photo_is_made_small_and_a_bomb_is_refused(tmp_path: Path) -> None:
    name = photos.store(tmp_path, jpeg(2400, 1000))
    with Image.open(tmp_path / f"{name}.jpg") as picture:
        assert max(picture.size) == photos.EDGE_MAX
    bomb = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(bomb, "PNG")
    for data in (bomb.getvalue(), b"\xff\xd8" + bytes(photos.BYTES_MAX)):
        with pytest.raises(RefusedError):
            photos.clean(data)


def test_photos_have_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos, "PHOTOS_MAX", 1)
    name = photos.store(tmp_path, jpeg())
    assert photos.store(tmp_path, jpeg()) == name
    with pytest.raises(RefusedError, match="full"):
        photos.store(tmp_path, jpeg(10, 10))


def test_a_photo_that_was_changed_or_a_path_is_none(tmp_path: Path) -> None:
    name = photos.store(tmp_path / "photos", jpeg())
    (tmp_path / "photos" / f"{name}.jpg").write_bytes(jpeg(10, 10))
    (tmp_path / "secret.jpg").write_bytes(b"x")
    for asked in (name, "../secret", "..%2fsecret", name.upper(), ""):
        assert photos.load(tmp_path / "photos", asked) is None


# -- certificates --


def test_the_certificate_is_of_the_own_authority_for_every_host(tmp_path: Path) -> None:
    hosts = ["werkbank.example", "192.168.1.7", "localhost"]
    chain, key = certificates.ensure(tmp_path / "tls", hosts, NOW)
    own, ca = x509.load_pem_x509_certificates(chain.read_bytes())
    own.verify_directly_issued_by(ca)
    names = own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {"werkbank.example", "localhost"}
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["192.168.1.7"]
    assert own.not_valid_after_utc - own.not_valid_before_utc < timedelta(days=825)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key)
    assert ca.public_bytes(certificates.serialization.Encoding.PEM) == certificates.authority_pem(
        tmp_path / "tls"
    )
    if sys.platform != "win32":
        for path in (key, tmp_path / "tls" / certificates.CA_KEY):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_is_made_anew_when_hosts_change_or_it_ends_and_the_authority_stays(
    tmp_path: Path,
) -> None:
    chain, _ = certificates.ensure(tmp_path, ["a.example"], NOW)
    first = chain.read_bytes()
    authority = certificates.authority_pem(tmp_path)
    certificates.ensure(tmp_path, ["A.example "], NOW + timedelta(days=100))
    assert chain.read_bytes() == first
    certificates.ensure(tmp_path, ["a.example", "b.example"], NOW)
    second = chain.read_bytes()
    assert second != first
    certificates.ensure(tmp_path, ["a.example", "b.example"], NOW + timedelta(days=380))
    assert chain.read_bytes() != second
    assert certificates.authority_pem(tmp_path) == authority
    with pytest.raises(OrderError, match="no host name"):
        certificates.ensure(tmp_path, ["a b..c"], NOW)


# -- sessions and users --


def test_a_session_ends_and_the_oldest_makes_room() -> None:
    counter = iter(range(10**6))
    sessions = Sessions(lambda size: next(counter).to_bytes(size, "big"))
    token, session = sessions.begin("ingo", "installer", 0.0)
    assert sessions.get(token, SESSION_S - 1) == session
    assert sessions.get(token, SESSION_S) is None
    assert sessions.get(None, 0.0) is None
    token, _ = sessions.begin("ingo", "installer", 0.0)
    for _ in range(200):
        sessions.begin("tina", "technician", 0.0)
    assert sessions.get(token, 1.0) is None


def test_tries_are_counted_by_name_and_by_address() -> None:
    tries = Tries()
    for i in range(TRIES_MAX):
        assert tries.wait_s(WHO, float(i)) == 0
        tries.failed(WHO, float(i))
    assert tries.wait_s(WHO, 5.0) == TRIES_S - 5
    assert tries.wait_s(("user other", WHO[1]), 5.0) > 0
    assert tries.wait_s(("user ingo", "address 9.9.9.9"), 5.0) > 0
    assert tries.wait_s(("user other", "address 9.9.9.9"), 5.0) == 0
    assert tries.wait_s(WHO, TRIES_S + 0.5) == 0
    for i in range(5000):
        tries.failed((f"user {i}",), 5.0)
    assert len(tries._failed) <= 2000


def test_users_are_kept_as_hashes(tmp_path: Path) -> None:
    users = Users(tmp_path / "state" / "users.json")
    users.add("ingo", PASSWORD, "installer")
    text = (tmp_path / "state" / "users.json").read_text()
    assert PASSWORD not in text
    assert "$argon2id$" in text
    assert users.login("ingo", PASSWORD) == "installer"
    assert users.login("ingo", PASSWORD + "x") is None
    assert users.login("nobody", PASSWORD) is None
    users.remove("ingo")
    assert users.role("ingo") is None
    for name, password in (("../x", PASSWORD), ("ingo", "short"), ("ingo", "x" * 500)):
        with pytest.raises(OrderError):
            users.add(name, password, "installer")
