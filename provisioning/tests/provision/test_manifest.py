# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The manifest's bytes, what is refused, and the key's files."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from revier_provision.errors import OrderError
from revier_provision.update import manifest, signing_key
from revier_provision.update.manifest import Manifest

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = KEY.public_key().public_bytes_raw()
FILES = {"revier_node/app.mpy": b"application", "revier_mac/frames.mpy": b"", "x.mpy": b"12"}
WORDS = "four random words here"
_VERSION = st.tuples(*[st.integers(0, 255)] * 3)


def made(**more: object) -> Manifest:
    digest, size = manifest.tree(FILES)
    values = {"version": (1, 2, 3), "size": size, "tree_sha256": digest} | more
    return Manifest(**values)  # type: ignore[arg-type]


def test_each_field_is_where_the_document_has_it() -> None:
    data = made(target="esp32s3", mpy=6, follows=(1, 0, 9), may_go_back=True).pack()
    assert data[:15] == b"RVUM\1\0\2\6\1\1\2\3\1\0\x09"
    assert data[15:32] == b"\0" + (13).to_bytes(4, "big") + bytes(12)
    total = hashlib.sha256()
    for path in ("revier_mac/frames.mpy", "revier_node/app.mpy", "x.mpy"):
        total.update(f"/{path}".encode() + b"\0" + hashlib.sha256(FILES[path]).digest())
    assert data[32:64] == total.digest()
    assert data[64:] == bytes(32)
    assert len(data) == manifest.SIZE == 96


@given(
    st.builds(
        Manifest,
        version=_VERSION,
        size=st.integers(0, 2**32 - 1),
        tree_sha256=st.binary(min_size=32, max_size=32),
        target=st.sampled_from(manifest.TARGETS),
        mpy=st.integers(0, 255),
        follows=_VERSION,
        may_go_back=st.booleans(),
    )
)
def test_what_is_packed_is_read_again(one: Manifest) -> None:
    assert manifest.unpack(one.pack()) == one


@pytest.mark.parametrize("at", [0, 4, 5, 6, 8, 15, 20, 31, 64, 95])
def test_what_is_not_known_is_refused(at: int) -> None:
    data = bytearray(made().pack())
    data[at] = 9
    with pytest.raises(OrderError):
        manifest.unpack(bytes(data))


def test_what_has_no_place_is_refused() -> None:
    for more in ({"version": (1, 2, 256)}, {"size": 2**32}, {"target": "esp8266"}, {"mpy": -1}):
        with pytest.raises(OrderError):
            made(**more).pack()
    for text in ("1.2", "1.2.3.4", "1.2.x", "1.2.256", "-1.2.3", ""):
        with pytest.raises(OrderError, match="no version"):
            manifest.parse_version(text)
    assert manifest.parse_version("0.10.255") == (0, 10, 255)


def test_a_signature_is_of_one_key_and_of_every_bit() -> None:
    data = made().pack()
    signature = manifest.sign(made(), KEY)
    assert manifest.is_signed(data, signature, PUBLIC)
    assert not manifest.is_signed(data, signature, bytes(32))
    for at in range(len(data)):
        other = data[:at] + bytes((data[at] ^ 16,)) + data[at + 1 :]
        assert not manifest.is_signed(other, signature, PUBLIC)


def test_a_bundle_is_whole_and_signed_or_refused_with_the_next_step() -> None:
    data, signature = made().pack(), manifest.sign(made(), KEY)
    assert manifest.check(data, signature, FILES) == made()
    for unsigned in ((b"", b""), (data, b""), (b"", signature)):
        with pytest.raises(OrderError, match="firmware sign") as error:
            manifest.check(*unsigned, FILES)
        assert error.value.problem == "This firmware is not signed"
    for files in (FILES | {"x.mpy": b"13"}, FILES | {"y.mpy": b""}, {"x.mpy": b"12"}):
        with pytest.raises(OrderError, match="not those that were signed"):
            manifest.check(data, signature, files)
    with pytest.raises(OrderError, match="63 bytes"):
        manifest.check(data, signature[:63], FILES)


def test_the_private_key_is_at_rest_under_its_passphrase(tmp_path: Path) -> None:
    path = tmp_path / "update.key"
    public = signing_key.create(path, WORDS)
    assert signing_key.read_public(tmp_path / "update.key.pub") == public
    key = signing_key.open_key(path.read_bytes(), WORDS)
    assert key.public_key().public_bytes_raw() == public
    assert key.private_bytes_raw().hex().encode() not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(OrderError, match="passphrase is not right"):
        signing_key.open_key(path.read_bytes(), WORDS + "!")
    with pytest.raises(OrderError, match="Choose a new file"):
        signing_key.create(path, WORDS)
    with pytest.raises(OrderError, match="too short"):
        signing_key.create(tmp_path / "other", "short")


def test_another_file_is_no_public_key(tmp_path: Path) -> None:
    for text in ("", "00", "zz" * 32, "00" * 31, "00" * 33):
        (tmp_path / "x.pub").write_text(text)
        with pytest.raises(OrderError, match=r"\.pub"):
            signing_key.read_public(tmp_path / "x.pub")
    with pytest.raises(OrderError):
        signing_key.read_public(tmp_path / "nowhere")
