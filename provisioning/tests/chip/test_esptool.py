# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""esptool as a child: its words turned into ours, its progress, its end. The child is a script."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from revier_bench.workbench import make_runtime
from revier_provision import BoardError
from revier_provision.chip import BaudMemory, Flasher, RuntimeImage, esptool
from revier_provision.chip.esptool_words import as_error

PORT = "/dev/ttyUSB0"
FAILURES = [
    ("/usr/bin/python3: No module named esptool", "esptool is not installed", "pip install"),
    (
        "ERROR: A fatal error occurred: Could not open /dev/ttyUSB0, the port is busy or doesn't "
        "exist.\n([Errno 13] could not open port /dev/ttyUSB0: [Errno 13] Permission denied: "
        "'/dev/ttyUSB0')",
        "You may not use /dev/ttyUSB0", "dialout",
    ),
    (
        "A fatal error occurred: Could not open /dev/ttyUSB0, the port is busy or doesn't exist.\n"
        "([Errno 11] Could not exclusively lock port /dev/ttyUSB0: [Errno 11] Resource "
        "temporarily unavailable)",
        "Another program uses /dev/ttyUSB0", "brltty",
    ),
    (
        "A fatal error occurred: Could not open COM7, the port is busy or doesn't exist.\n(could "
        "not open port 'COM7': PermissionError(13, 'Access is denied.', None, 5))",
        "Another program uses", "Close",
    ),
    (
        "Could not open /dev/ttyUSB0, the port is busy or doesn't exist.\n([Errno 2] could not "
        "open port /dev/ttyUSB0: [Errno 2] No such file or directory)",
        "There is no /dev/ttyUSB0", "Plug",
    ),
    (
        "Failed to connect to ESP32: Wrong boot mode detected (0x13)! The chip needs to be in "
        "download mode.",
        "did not enter its boot loader", "Hold the button BOOT",
    ),
    ("Failed to connect to ESP32-S3: No serial data received.", "boot loader", "Hold the button"),
    (
        "Failed to connect to ESP32: Download mode successfully detected, but getting no sync "
        "reply: The serial TX path seems to be down.",
        "its answer does not arrive", "cable",
    ),
    ("MD5 of file does not match data in flash!", "is not what was written", "put it aside"),
    (
        "A serial exception error occurred: device reports readiness to read but returned no data "
        "(device disconnected or multiple access on port?)",
        "went away", "Plug the board in again",
    ),
    ("A serial exception error occurred: write failed: [Errno 5] Input/output error", "went away",
     "Plug the board in again"),
    ("Secure Download Mode is enabled", "was locked", "Take another board"),
    (
        "A fatal error occurred: This chip is ESP32, not ESP32-S3. Wrong chip argument?",
        r"another one \(ESP32\)", "Give the image for that chip",
    ),
    ("Invalid head of packet (0x80): Possible serial noise or corruption.", "garbled", "shorter"),
    ("A fatal error occurred: The moon is full.", "failed on .*: The moon is full", "doctor"),
    ("", "esptool failed on .*: nothing", "doctor"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "problem", "cure"), FAILURES)
def test_failures_are_said_in_words(said: str, problem: str, cure: str) -> None:
    error = as_error(PORT, said.splitlines())
    with pytest.raises(BoardError, match=problem):
        raise error
    assert cure in error.cure
    assert not error.problem.endswith(".")
    assert not error.cure.endswith(".")


Script = Callable[[str], None]


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """script(body): what runs instead of esptool; `arguments` are its arguments."""

    def put(body: str) -> None:
        path = tmp_path / "fake_esptool.py"
        path.write_text(f"import sys, time\narguments = sys.argv[1:]\n{body}\n")
        monkeypatch.setattr(esptool, "COMMAND", (sys.executable, str(path)))

    return put


def test_lines_come_as_they_are_said(script: Script) -> None:
    script(
        "print('one'); print('two\\r\\x1b[2Kthree', flush=True)\n"
        "print('four', file=sys.stderr)\nsys.exit(3)"
    )
    heard: list[str] = []
    ran = esptool.run(["x"], heard.append)
    assert ran.code == 3
    assert list(ran.lines) == heard == ["one", "two", "three", "four"]


def test_one_that_says_nothing_is_ended(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(esptool, "SILENCE_S", 0.5)
    script("time.sleep(600)")
    with pytest.raises(BoardError, match="stopped answering"):
        esptool.checked(PORT, [])


def test_an_interrupted_run_leaves_no_child(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    children: list[subprocess.Popen[bytes]] = []
    original = subprocess.Popen.__init__

    def spy(self: subprocess.Popen[bytes], *rest: object, **more: object) -> None:
        children.append(self)
        original(self, *rest, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess.Popen, "__init__", spy)
    script("print('begun', flush=True)\ntime.sleep(600)")

    def interrupt(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        esptool.run([], interrupt)
    assert [child.returncode is not None for child in children] == [True]


CHIP = (
    "print('Chip type:          ESP32-S3 (QFN56)\\nMAC:                24:0a:c4:11:22:33')\n"
    "    print('Detected flash size: 8MB')\n"
)


@pytest.fixture
def image(tmp_path: Path) -> RuntimeImage:
    path = tmp_path / "s3.bin"
    path.write_bytes(make_runtime())
    return RuntimeImage.load(path)


def test_a_failure_before_the_speed_is_raised_is_not_tried_slower(
    script: Script, image: RuntimeImage, tmp_path: Path
) -> None:
    script(
        f"if 'flash-id' in arguments:\n    {CHIP}    sys.exit()\n"
        f"open({str(tmp_path / 'runs')!r}, 'a').write('x')\n"
        "print('Failed to connect to ESP32-S3: No serial data received.')\nsys.exit(2)"
    )
    with pytest.raises(BoardError, match="did not enter its boot loader"):
        Flasher(PORT, BaudMemory()).flash(image)
    assert (tmp_path / "runs").read_text() == "x"


def test_a_crash_of_esptool_is_not_tried_slower(
    script: Script, image: RuntimeImage, tmp_path: Path
) -> None:
    script(
        f"if 'flash-id' in arguments:\n    {CHIP}    sys.exit()\n"
        f"open({str(tmp_path / 'runs')!r}, 'a').write('x')\n"
        "print('Changing baud rate to 921600...', flush=True)\nraise ValueError('a bug')"
    )
    with pytest.raises(BoardError, match=r"esptool failed .*ValueError: a bug"):
        Flasher(PORT, BaudMemory()).flash(image)
    assert (tmp_path / "runs").read_text() == "x"


def test_progress_is_over_all_pieces(script: Script, image: RuntimeImage) -> None:
    first, second = image.pieces
    half = first.address + len(first.data) // 2
    script(
        f"if 'flash-id' in arguments:\n    {CHIP}    sys.exit()\n"
        f"print('Writing at 0x{half:08x} ... 50.0%')\n"
        f"print('Writing at 0x{first.address + len(first.data):08x} ... 100.0%')\n"
        f"print('Writing at 0x{second.address + 4096:08x} ... 7.0%')\n"
    )
    heard: list[tuple[int, int]] = []
    done = Flasher(PORT, BaudMemory()).flash(image, lambda *step: heard.append(step))
    total = len(first.data) + len(second.data)
    assert heard == [
        (len(first.data) // 2, total),
        (len(first.data), total),
        (len(first.data) + 4096, total),
        (total, total),
    ]
    assert not done.skipped


def test_what_cannot_be_read_back_is_no_finding(script: Script, image: RuntimeImage) -> None:
    script(
        f"if 'flash-id' in arguments:\n    {CHIP}    sys.exit()\n"
        "print('A serial exception error occurred: x')\nsys.exit(2)"
    )
    with pytest.raises(BoardError, match="went away"):
        Flasher(PORT, BaudMemory()).holds(image)
