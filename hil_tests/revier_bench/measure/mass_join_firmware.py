# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The firmware's own cold start and join (revier_node/waiting.py, seldom.py), on CPython.

What the chip gives is stood in for: its clock, its entropy, its console. What decides is the
firmware's: cold_start(), join(), Clock, the MAC.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from random import Random
from types import ModuleType, SimpleNamespace
from typing import Any

from revier_bench.measure.downlink_fuzz import Aes
from revier_mac import actions as act
from revier_mac.device import Device
from revier_mac.session import Session

POWER_ON = 1
_PARTS = ("ADC", "I2C", "SPI", "UART", "Pin")
_CHIP_MODULES = ("machine", "esp32", "micropython", "cryptolib")


@contextlib.contextmanager
def _chip_modules() -> Iterator[None]:
    """Names that the firmware imports; nothing of them is called here."""
    kept = {name: sys.modules.get(name) for name in _CHIP_MODULES}
    for name in _CHIP_MODULES:
        sys.modules[name] = ModuleType(name)
    vars(sys.modules["micropython"])["const"] = lambda value: value
    vars(sys.modules["cryptolib"])["aes"] = None
    vars(sys.modules["machine"]).update(dict.fromkeys(_PARTS), PWRON_RESET=POWER_ON)
    try:
        yield
    finally:
        for name, module in kept.items():
            del sys.modules[name]
            if module is not None:
                sys.modules[name] = module


with _chip_modules():
    clock: Any = import_module("revier_node.clock")
    seldom: Any = import_module("revier_node.seldom")
    store: Any = import_module("revier_node.store")
    waiting: Any = import_module("revier_node.waiting")


class _OnAirError(BaseException):
    """seldom.join() has asked for a transmission: its wake goes on when the windows are over."""


class _Flash:
    """What the node's store keeps over a power loss. The session is lost, else nobody must join."""

    def __init__(self, dev_nonce: int) -> None:
        self._dev_nonce = dev_nonce
        self.resumed = False

    def dev_nonce(self) -> int:
        return self._dev_nonce

    def reserve_dev_nonce(self, next_dev_nonce: int) -> None:
        self._dev_nonce = next_dev_nonce

    def f_cnt_lease(self) -> int:
        return 0


class _Asked:
    """The device as seldom.join() sees it after the windows: its request has been made."""

    def __init__(self, device: Device) -> None:
        self.joined = device.joined
        self.next_tx_ms = device.next_tx_ms

    def join(self, _now_ms: int, _rnd: int) -> list[object]:
        return []


class _Link:
    def __init__(self, device: Device | _Asked, result: object | None = None) -> None:
        self.device = device
        self.in_tx = None
        self.actions: list[Any] = []
        self._result = result

    def run(self, actions: list[Any]) -> object:
        if self._result is not None:
            return self._result
        if type(actions[-1]) is act.Refused:
            return actions[-1]
        self.actions = actions
        raise _OnAirError


class Firmware:
    """One node's. chip_ms() is its clock, which begins at power-on."""

    def __init__(self, identity: act.Identity, chip_ms: Callable[[], int], chance: Random) -> None:
        self._identity = identity
        self._chip_ms = chip_ms
        self._chance = chance
        self._link = _Link(Device(identity, Aes))
        self.store = _Flash(identity.next_dev_nonce)
        self.state: Any = store.State()
        self.cause = POWER_ON
        self.first_start = True
        # It has nothing to keep while it waits, nothing to look at, and no battery to measure
        self.kind = SimpleNamespace(HELD=(), WATCHES="")
        self.wake = SimpleNamespace(flags=0, wiring={})
        self.board: dict[str, Any] = {}
        self.sleep_until_ms = 0  # on the chip's clock
        self.waited_ms = 0  # of the cold start
        with self._running():
            self.clock = clock.Clock(self.state)

    def link(self) -> _Link:
        return self._link

    @contextlib.contextmanager
    def _running(self) -> Iterator[None]:
        for module in (seldom, clock):
            vars(module)["now_ms"] = self._chip_ms
        for module in (seldom, waiting):
            vars(module)["random16"] = lambda: self._chance.getrandbits(16)
            vars(module)["say"] = lambda *_words: None
        vars(waiting)["notes"] = SimpleNamespace(save=lambda *_note: None)
        vars(waiting)["starts"] = lambda: 0  # none before that ended in a transmission
        yield

    def mac_ms(self) -> int:
        with self._running():
            return int(self.clock.mac_ms())

    # -- wakes

    def cold_start(self) -> bool:
        """True: sleep until sleep_until_ms before anything else."""
        with self._running():
            waits: bool = waiting.cold_start(self)
        self.waited_ms = self.sleep_until_ms - self._chip_ms() if waits else 0
        return waits

    def woken(self) -> Device:
        """After deep sleep: a new MAC from the session that was left (radio.connect)."""
        with self._running():
            self.clock = clock.Clock(self.state)
        session = Session.unpack(self.state.session) if self.state.session else None
        identity = self._identity._replace(next_dev_nonce=self.store.dev_nonce())
        device = Device(identity, Aes, session)
        self._link = _Link(device)
        return device

    def sleep(self) -> None:
        with self._running():
            self.clock.mark()

    # -- joining

    def join(self) -> list[Any] | None:
        """The MAC's actions up to the transmission; None: refused, sleep_until_ms says more."""
        with self._running():
            try:
                seldom.join(self)
            except _OnAirError:
                return self._link.actions
        return None

    def joined(self, result: object) -> bool:
        """The rest of seldom.join() once the exchange has ended."""
        self.state.join_tries -= 1  # it counts again
        device = self._link.device
        assert isinstance(device, Device)
        self._link = _Link(_Asked(device), result)
        with self._running():
            joined: bool = seldom.join(self)
        self._link = _Link(device)
        return joined
