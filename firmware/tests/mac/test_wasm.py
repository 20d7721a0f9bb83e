# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The cases again on MicroPython's wasm build: 31-bit small integers, the chip's word size.

Node.js runs it, from an npm package that is installed once into .build where npm is present. Its
build has no cryptolib: wasm/lib stands in.
"""

import importlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import cases
import pytest

TESTS = Path(__file__).resolve().parent.parent
ROOT = TESTS.parent.parent
PACKAGE = "@micropython/micropython-webassembly-pyscript"
VERSION = "1.27.0"
PLACE = ROOT / ".build" / "wasm"
FOLDER = PLACE / "node_modules" / PACKAGE
INSTALL = ["npm", "install", "--prefix", str(PLACE), f"{PACKAGE}@{VERSION}"]
QUIET = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", "--fetch-retries=0"]
TIMEOUT_S = 120

pytestmark = pytest.mark.xdist_group("wasm")


def installed() -> bool:
    try:
        return bool(json.loads((FOLDER / "package.json").read_text())["version"] == VERSION)
    except OSError:
        return False


@pytest.fixture(scope="module")
def wasm() -> Path:
    """The package's folder; skips where Node.js or the package cannot be had."""
    if shutil.which("node") is None:
        pytest.skip("no Node.js here: apt-get install nodejs npm")
    if not installed() and shutil.which("npm") is not None:
        PLACE.mkdir(parents=True, exist_ok=True)
        try:
            subprocess.run([*INSTALL, *QUIET], capture_output=True, timeout=60, check=False)
        except subprocess.TimeoutExpired:
            pass
    if not installed():
        shown = " ".join(INSTALL).replace(f"{ROOT}/", "")
        pytest.skip(f"no MicroPython for wasm here: {shown}")
    return FOLDER


def run(package: Path, module: str) -> list[str]:
    """What the interpreter prints: itself, a line for each case, how many failed."""
    folders = [TESTS.parent, TESTS / "mac", TESTS, TESTS / "wasm" / "lib"]
    done = subprocess.run(
        ["node", TESTS / "wasm" / "run_cases.mjs", package, module, *folders],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    return (done.stdout + done.stderr).splitlines()


def test_micropython_for_wasm(wasm: Path, cases_file: Path) -> None:
    module = importlib.import_module(cases_file.stem)
    expected = [cases.line(module, name) for name in cases.names(module)]
    interpreter, *lines = run(wasm, cases_file.stem)
    assert interpreter.startswith("micropython "), "\n".join([interpreter, *lines])
    assert int(interpreter.split()[-1]) == 2**31 - 1, "not the chip's word size"
    assert lines == [*expected, "failed: 0"]


def test_the_aes_that_stands_in_is_aes() -> None:
    """FIPS 197, appendix C.1, both ways, and `cryptography` for other keys."""
    sys.path.append(str(TESTS / "wasm" / "lib"))
    try:
        aes = importlib.import_module("cryptolib").aes
    finally:
        sys.path.pop()
        sys.modules.pop("cryptolib", None)
    plain = bytes.fromhex("00112233445566778899aabbccddeeff")
    cipher = aes(bytes(range(16)), 1).encrypt(plain)
    assert cipher.hex() == "69c4e0d86a7b0430d8cdb78070b4c55a"
    assert aes(bytes(range(16)), 1).decrypt(cipher) == plain
    real = importlib.import_module("aes")
    for number in range(50):
        key = bytes((number * i * 7 + i) & 0xFF for i in range(16))
        block = bytearray(plain)
        aes(key, 1).encrypt(block, block)
        assert real.decrypt(key, bytes(block)) == plain
        assert aes(key, 1).decrypt(bytes(block)) == plain
