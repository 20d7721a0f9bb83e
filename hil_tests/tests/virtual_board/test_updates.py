# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""An update on the whole node: taken or refused, on trial, committed or taken back, and why."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from revier_bench import image, updates
from revier_bench.network_server import frames
from revier_bench.virtual_board import Kernel
from revier_bench.world.air import Emission

from .conftest import SECOND_US, Node
from .small_network import DEV_ADDR, SmallNetwork
from .test_air_node import heard

MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
HARD_RESET = 2
KEY = updates.KEY
# A technician at the REPL: the board stays there until the next reset
TYPED = "/typed.py"
MAIN = """
import machine, os, sys
if service:
    sys.stdin.read(1)
try:
    with open("/typed.py") as file:
        typed = file.read()
    os.remove("/typed.py")
    exec(typed)
    machine.deepsleep()
except OSError:
    pass
"""
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
NEW = (0, 2, 0)
ERROR_UPDATE = 10
CRASHES = {"revier_node/app.py": "raise MemoryError('always')"}
FAULTY = {"revier_node/kinds/waste.py": "def self_test(wake):\n    return [('lis3dh', 'missing')]"}
HANGS = {"revier_node/app.py": "import time\nwhile True:\n    time.sleep(1)"}
application = cache(lambda version, fault="": updates.application(version, FAULTS[fault]))
FAULTS: dict[str, dict[str, str]] = {"": {}, "crashes": CRASHES, "faulty": FAULTY, "hangs": HANGS}


class Answering(SmallNetwork):
    """Acknowledges what is confirmed, unless it is deaf to it."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel, 1)
        self.confirmed: list[frames.DataUp] = []
        self.acknowledges = True

    def emit(self, emission: Emission) -> None:
        up = frames.parse_uplink(emission.payload)
        if isinstance(up, frames.JoinRequest) or not up.confirmed:
            super().emit(emission)
            return
        self.confirmed.append(up)
        self.uplinks.append(up)
        if not self.acknowledges:
            return
        assert self._keys is not None
        down = frames.DataDown(
            confirmed=False, dev_addr=DEV_ADDR, adr=False, ack=True, f_pending=False,
            f_cnt=self._f_cnt_down, f_opts=b"", f_port=None, frm_payload=b"",
        )  # fmt: skip
        self._f_cnt_down += 1
        self._answer(emission, 1, frames.build_data_down(down, self._keys))


class Updated:
    """A waste node at work with 0.1.0 in slot a, something in slot b, and a technician."""

    def __init__(self, node: Node, network: Answering, kernel: Kernel, build_dir: Path) -> None:
        self.node, self.network, self.kernel = node, network, kernel
        self.build_dir = build_dir
        self.flash = node.board.spec.flash_image

    def put(self, files: dict[str, bytes]) -> None:
        image.write_files(self.flash, files, self.build_dir)

    def work(self) -> None:
        self.node.board.power_on()
        self.until("revier sleep", 30 * MINUTE_US, 2)

    def run(self, us: int) -> None:
        self.kernel.run_until(self.kernel.now_us + us)

    def until(self, text: str, limit_us: int, times: int = 1) -> str:
        end_us = self.kernel.now_us + limit_us
        while len(found := self.said(text)) < times:
            assert self.kernel.now_us < end_us, f"no {text!r} in {self.node.lines}"
            self.run(SECOND_US // 10)
        return found[-1]

    def said(self, text: str) -> list[str]:
        return [line for line in self.node.lines if line.startswith(text)]

    def at_repl(self, *lines: str) -> None:
        """Reset, knock, type."""
        assert self.node.board.asleep
        self.put({TYPED: "\n".join(lines).encode()})
        self._press_reset()
        board = self.node.board
        board.at(self.kernel.now_us + SECOND_US, lambda: board.console_write(b"\r"))
        self.run(6 * SECOND_US)
        assert self.said("revier service open")
        assert self.node.board.asleep, self.node.lines

    def activate(self) -> None:
        self.at_repl("from revier_node import update", "update.activate('b')")

    def reset(self) -> None:
        self.node.lines.clear()
        self._press_reset()

    def _press_reset(self) -> None:
        board = self.node.board
        board.at(self.kernel.now_us, lambda: board.restart(HARD_RESET))

    def slot(self) -> str:
        return image.read_files(self.flash, self.build_dir)["/slot"].decode()


@pytest.fixture
def make_updated(
    real_node: Callable[..., Node], kernel: Kernel, build_dir: Path
) -> Callable[..., Updated]:
    """make_updated(fault of the new version, more of its manifest); it is switched on."""

    def make(fault: str = "", **more: Any) -> Updated:
        network = Answering(kernel)
        node = real_node("waste", air=network)
        network.radio = node.board.radio
        made = Updated(node, network, kernel, build_dir)
        files = application(more.pop("built", NEW), fault)
        signer = more.pop("signer", KEY)
        manifest = updates.manifest_of(files, more.pop("version", NEW), **more)
        made.put(updates.in_slot("b", files, updates.signed(manifest, signer)))
        main = image.read_files(made.flash, build_dir)["/main.py"]
        made.put({"/main.py": MAIN.encode() + main})
        made.put(updates.public_file(OTHER if signer is KEY else KEY, KEY))
        made.work()
        return made

    return make


def test_a_good_update_proves_itself_and_stays(make_updated: Callable[..., Updated]) -> None:
    at = make_updated()
    assert not at.network.confirmed
    at.activate()
    assert at.said("revier update result=verified slot=b version=0.2.0")
    assert at.said("revier update result=activated slot=b")
    assert at.slot()[:3] == "b?a"
    at.reset()
    at.until("revier update result=trial slot=b starts=2", MINUTE_US)
    assert "fw=0.2.0 slot=b" in at.until("revier boot", MINUTE_US)
    at.until("revier update result=committed slot=b", 10 * MINUTE_US)
    assert len(at.network.confirmed) == 1
    assert at.slot() == "b"
    for _ in range(3):
        at.until("revier sleep", HOUR_US)
        at.reset()
        assert "fw=0.2.0 slot=b" in at.until("revier boot", 10 * MINUTE_US)
    at.run(2 * HOUR_US)
    assert len(at.network.confirmed) == 1, "no more than the trial needed"
    told = heard(at.network, 1)[-1].values
    assert (told["fw_major"], told["fw_minor"], told["fw_patch"]) == NEW
    assert not told["error"]


REFUSALS = {
    "signature": {"signer": Ed25519PrivateKey.from_private_bytes(bytes(32))},
    "version": {"version": (0, 0, 9)},
    "from_version": {"follows": (0, 1, 1)},
    "target": {"target": "esp32"},
    "mpy": {"mpy": 5},
}


@pytest.mark.parametrize("reason", REFUSALS)
def test_what_was_not_made_for_this_board_is_refused(
    make_updated: Callable[..., Updated], reason: str
) -> None:
    at = make_updated(**REFUSALS[reason])
    at.activate()
    assert at.said(f"revier update result=refused slot=b reason={reason}")
    assert not at.said("revier update result=activated")
    at.reset()
    assert "fw=0.1.0 slot=a" in at.until("revier boot", MINUTE_US)


def test_a_lower_version_with_the_signed_flag_is_taken(
    make_updated: Callable[..., Updated],
) -> None:
    at = make_updated(version=(0, 0, 9), may_go_back=True)
    at.activate()
    assert at.said("revier update result=activated slot=b")


def test_what_was_changed_after_signing_is_refused(make_updated: Callable[..., Updated]) -> None:
    at = make_updated()
    path = "/b/revier_mac/frames.mpy"
    files = image.read_files(at.flash, at.build_dir)
    whole, manifest = files[path], files["/b.manifest"]
    flipped = whole[:100] + bytes((whole[100] ^ 1,)) + whole[101:]

    def reason(files: dict[str, bytes]) -> str:
        at.put(files)
        at.node.lines.clear()
        at.activate()
        (said,) = at.said("revier update result=")
        return said.split("reason=")[1] if "refused" in said else said

    assert reason({path: flipped}) == "files"
    assert reason({path: whole, "/b/extra.mpy": b""}) == "files"
    other = manifest[:50] + bytes((manifest[50] ^ 1,)) + manifest[51:]
    assert reason({"/b.manifest": other}) == "signature"
    assert reason({"/b.manifest": manifest[:-1]}) == "format"
    assert reason({"/b.manifest": b""}) == "no_manifest"
    assert reason({"/b.manifest": manifest, "/update.pub": b"short"}) == "no_key"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("crashes", "error_6"), ("faulty", "selftest_lis3dh"), ("hangs", "restarts")],
)
def test_an_update_that_does_not_work_is_taken_back_and_the_node_tells(
    make_updated: Callable[..., Updated], fault: str, reason: str
) -> None:
    at = make_updated(fault)
    at.activate()
    at.reset()
    said = at.until("revier update result=rolled_back", HOUR_US)
    assert said == f"revier update result=rolled_back slot=b reason={reason}"
    starts = {"crashes": 3, "faulty": 1, "hangs": 3}[fault]
    assert len(at.said("revier update result=trial")) == starts
    assert at.slot() == f"a!b {reason}"
    at.until("revier update result=rolled_back", MINUTE_US, 2)
    assert "fw=0.1.0 slot=a" in at.until("revier boot", MINUTE_US)
    at.until("revier uplink", 30 * MINUTE_US, 2)
    told = heard(at.network, 1)[-1].values
    assert told["error"] == ERROR_UPDATE
    assert told["fw_minor"] == 1


def test_an_update_that_nobody_acknowledges_is_taken_back(
    make_updated: Callable[..., Updated],
) -> None:
    at = make_updated()
    at.network.acknowledges = False
    at.activate()
    at.reset()
    at.run(5 * HOUR_US)
    assert not at.said("revier update result=rolled_back")
    assert len(at.network.confirmed) > 4
    at.run(2 * HOUR_US)
    assert at.said("revier update result=rolled_back slot=b reason=silent")
    assert at.slot() == "a!b silent"


def test_the_service_window_leads_to_the_version_that_is_known_to_work(
    make_updated: Callable[..., Updated],
) -> None:
    at = make_updated("crashes")
    at.activate()
    before = at.slot()
    for _ in range(5):
        at.at_repl("from revier_node import update", "update.show()")
    assert at.slot() == before, "a look counts for nothing"
    (line, *_) = at.said("revier update running=")
    assert line.startswith("revier update running=a slot=b?a3_")
    at.at_repl("from revier_node import update", "update.activate('a')")
    assert at.said("revier update result=refused slot=a reason=running")
