# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A small fuzz of the MAC's downlinks on both interpreters; and a MAC that is broken is found."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from revier_bench.measure import downlink_fuzz, downlink_fuzzer
from revier_bench.measure.registry import KEYS
from revier_mac import airtime, commands, device, frames, session

ROOT = Path(__file__).resolve().parents[3]
FRAMES = 4_000


def fuzz(count: int = FRAMES) -> list[str]:
    return downlink_fuzzer.run(downlink_fuzz.Aes, 1, count)[1]


def test_the_measurement_has_its_form_and_holds() -> None:
    result = downlink_fuzz.measure(FRAMES)
    assert set(KEYS) - {"command"} <= set(result)
    assert result["holds"], result["rows"]
    assert result["value"] == 0
    assert result["n"]["taken"] > 0.3 * FRAMES, "too few frames are taken to prove anything"


def test_the_same_holds_on_micropython() -> None:
    code = "import sys; from micropython_run import run_main; run_main(sys.argv[1:])"
    fuzzer = [downlink_fuzzer.__file__, "77", str(FRAMES)]
    done = subprocess.run(
        [sys.executable, "-c", code, "micropython", "-X", "heapsize=8M", *fuzzer],
        env={**os.environ, "MICROPYPATH": str(ROOT / "firmware")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    counts = dict(pair.split("=") for pair in done.stdout.split())
    assert int(counts["frames"]) >= FRAMES, done.stdout


def test_a_mic_that_is_not_checked_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "same_mic", lambda mac, frame, at: True)
    assert any("taken, and must not be" in failure for failure in fuzz())


def test_a_mic_of_which_one_byte_is_not_checked_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        frames, "same_mic", lambda mac, frame, at: bytes(mac[1:4]) == bytes(frame[at + 1 : at + 4])
    )
    assert any("taken, and must not be" in failure for failure in fuzz())


def test_a_counter_that_is_not_kept_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames.SealedDownlink, "expect", lambda self, f_cnt: None)
    monkeypatch.setattr(frames.SealedDownlink, "_low_next", 0, raising=False)
    monkeypatch.setattr(frames.SealedDownlink, "_high_next", 0, raising=False)
    assert fuzz()


def test_a_session_that_loses_its_channels_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session.Session, "repair", lambda self: None)
    assert fuzz()


def test_an_oversized_downlink_that_is_taken_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    transmit = device.Device._transmit

    def careless(self: device.Device, mask: int, now_ms: int) -> list[object]:
        actions = transmit(self, mask, now_ms)
        self._size_max = 255, 255
        return actions

    monkeypatch.setattr(device.Device, "_transmit", careless)
    assert any("taken, and must not be" in failure for failure in fuzz())


def test_an_answer_too_many_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "ANSWERS_MAX", 29)
    assert any("answers" in failure or "record" in failure for failure in fuzz(20_000))


def test_a_frequency_that_is_not_checked_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(airtime, "can_listen", lambda frequency: True)
    assert any("frequenc" in failure for failure in fuzz())


def test_an_exception_of_the_mac_is_found_with_its_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(*arguments: object) -> None:
        raise IndexError("behind the end")

    monkeypatch.setitem(commands.COMMANDS, 0x06, (0, 3, False, careless))
    failures = fuzz()
    assert failures[0].startswith("IndexError: behind the end (seed 1, frame "), failures
    assert len(failures) == downlink_fuzzer.FAILURES_MAX
    counts = {"frames": 9, "right_mic": 5, "wrong_mic": 4, "taken": 3, "oversized": 0, "rounds": 1}
    assert not downlink_fuzz.result(counts, failures, 9, 1.0)["holds"]
