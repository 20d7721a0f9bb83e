# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""One node: a real MicroPython process per boot, its clock, its pins, its chips.

States: off; running (its process computes, the kernel waits for a message); waiting (a message is
there whose time has not come, or it boots); asleep (no process, RTC memory kept). All times are
the world's microseconds; the node's own clocks are derived from them in the shims.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from revier_bench.chips.base import I2cDevice, PoweredChip, SpiDevice, UartDevice
from revier_bench.chips.timeline import NEVER_US, Timeline, Timer
from revier_bench.virtual_board import link
from revier_bench.virtual_board.calls import HANDLERS, Request, welcome
from revier_bench.virtual_board.kernel import Kernel, NodeError
from revier_bench.virtual_board.process import NodeProcess
from revier_bench.virtual_board.sleep_clock import SleepClock
from revier_bench.virtual_board.spec import BoardSpec
from revier_bench.virtual_board.terminal import Terminal
from revier_bench.virtual_board.uart_port import UartPort


class VirtualBoard:
    """Make one with wiring.build_board(), which solders the chips of a board description.

    on_console_line(t_us, line), on_boot(t_us, reset_cause), on_sleep(t_us, asked_us) and
    on_light_sleep(t_us, begun_us), at its end, are called in the order of world time.
    `counters`: boots, cycles (deep sleeps), resets, crashes.
    `misuse`: what the firmware did that a datasheet forbids, as text.
    """

    def __init__(self, kernel: Kernel, spec: BoardSpec) -> None:
        self.kernel = kernel
        self.spec = spec
        self.name = spec.name
        self.now_us = kernel.now_us
        self.running = False
        self.exposed = False
        self.busy_until_us = 0
        self.misuse: list[str] = []
        self.counters: Counter[str] = Counter()
        self._calls = [0] * (max(link.OPERATIONS) + 1)
        self.on_console_line: Callable[[int, str], None] | None = None
        self.on_boot: Callable[[int, int], None] | None = None
        self.on_sleep: Callable[[int, int], None] | None = None
        self.on_light_sleep: Callable[[int, int], None] | None = None
        self.spi: list[tuple[int, SpiDevice]] = []
        self.i2c: dict[int, I2cDevice] = {}
        self.uart: dict[int, UartDevice] = {}
        self.adc: dict[int, Callable[[int], int]] = {}
        self.powered: list[PoweredChip] = []
        self.watched: dict[int, Callable[[bool, int], None]] = {}
        self.cs_mask = self.busy_mask = self.driven_mask = 0
        self.rtc_pins = (1 << 22) - 1  # an ESP32-S3
        self.floating = 0  # levels of output pins that nothing drives
        self.levels = self.outs = self.hold = 0
        self.irq_rising = self.irq_falling = self.irq_pending = 0
        self.wake_high = self.wake_low = 0
        self.selected: SpiDevice | None = None
        self.powered_on = self.asleep = self.interactive = self.nomain = False
        self.rtc_memory = b""
        self.rtc_base_us = 0  # the node's RTC is world time + rtc_base_us + skew_us
        self.skew_us = 0
        self.cause = link.PWRON_RESET
        self.wake_reason = 0
        self.flash_cut = -1
        self.shim_heap = 0
        self.sleep_clock = SleepClock(spec)
        self.timeline = Timeline()
        self.target_us = NEVER_US
        self._arrive: Callable[[], None] | None = None
        self.interruptible = False
        self._slept: tuple[int, int] = (0, 0)
        self._watchdog: Timer | None = None
        self._watchdog_us = self._fed_us = 0
        self._ports: dict[int, UartPort] = {}
        self.index = kernel.join(self)
        self.terminal = Terminal(self)
        self.process = NodeProcess(kernel, spec, self._receive)

    # -- for the world and for tests --

    @property
    def calls(self) -> int:
        """Messages from the node's processes so far."""
        return sum(self._calls)

    @property
    def calls_by_op(self) -> dict[int, int]:
        """The same by operation (link.OPERATIONS)."""
        return {op: count for op, count in enumerate(self._calls) if count}

    def at(self, t_us: int, run: Callable[[], object]) -> Timer:
        """Run on this board's own time: power cuts, console input, faults; chips use it too."""
        timer = self.timeline.add(max(t_us, self.now_us), run)
        if not self.running:
            self._bound_waiting()
        self.kernel.touch(self)
        return timer

    def power_on(self) -> None:
        if self.powered_on:
            return
        self.powered_on = True
        self.now_us = max(self.now_us, self.kernel.now_us)
        self.rtc_base_us = -self.now_us
        self.outs, self.hold = self.floating, 0
        for chip in self.powered:
            chip.power(True, self.now_us)
        self._start(link.PWRON_RESET, 0)

    def power_off(self) -> None:
        """At once, in the middle of whatever it does; flash and committed NVS stay."""
        if not self.powered_on:
            return
        self._stop()
        self.powered_on = self.asleep = False
        self.rtc_memory = b""
        for chip in self.powered:
            chip.power(False, self.now_us)
        self.wait(NEVER_US, None)

    def cut_power_after_flash_bytes(self, n: int) -> None:
        """At the next boot: power fails when n more bytes were programmed, also within a write."""
        self.flash_cut = n

    def console_write(self, data: bytes) -> None:
        """Input on the serial line, now."""
        self.terminal.write(data)

    def attach_pty(self) -> str:
        """Give the board a PTY for pyserial or mpremote; its path. Before power_on()."""
        if self.powered_on:
            raise RuntimeError(f"{self.name}: attach the PTY before power_on()")
        return self.terminal.attach()

    # -- for chips (chips/base.py: ChipHost) --

    def post(self, t_us: int, run: Callable[[], object]) -> Timer:
        return self.kernel.post(self, t_us, run)

    def expose(self, exposed: bool) -> None:
        if exposed != self.exposed:
            self.exposed = exposed
            self.kernel.expose(self, exposed)
            self.kernel.touch(self)

    def drive(self, pin: int, level: bool) -> None:
        bit = 1 << pin
        if level == bool(self.levels & bit):
            return
        self.levels ^= bit
        if (self.irq_rising if level else self.irq_falling) & bit:
            self.irq_pending |= bit
        if self.asleep and self._wakes():
            self._wake_up(link.EXT1_WAKE)
        elif self.interruptible and (self.irq_pending or self._wakes()):
            self.wake()

    def note_misuse(self, text: str) -> None:
        self.misuse.append(f"{self.now_us} us: {text}")

    # -- time --

    def progress(self, safe_us: int) -> None:
        """Go on as far as allowed: own events, then the message or wake-up that waits."""
        timeline = self.timeline
        while not self.running:
            until_us = safe_us if self.exposed else self.kernel.limit_us
            event_us = timeline.next_us
            if event_us <= self.target_us:
                if event_us >= until_us:
                    break
                self.now_us = max(self.now_us, event_us)
                timeline.pop().run()
            else:
                if self.target_us >= until_us or self._arrive is None:
                    break
                self.now_us = max(self.now_us, self.target_us)
                arrive, self._arrive, self.target_us = self._arrive, None, NEVER_US
                self.interruptible = False
                arrive()
        if not self.running:
            self._bound_waiting()

    def then(self, t_us: int, arrive: Callable[[], None], interruptible: bool = False) -> None:
        """Go on with `arrive` when the board's clock is there; at once if nothing is between."""
        interrupted = interruptible and (
            self.irq_pending or self.terminal.abandoned or self._wakes()
        )
        if not interrupted and self.free_until(t_us):
            self.now_us = t_us
            arrive()
            return
        self.wait(t_us, arrive)
        self.interruptible = interruptible
        if interrupted:
            self.wake()

    def wait(self, t_us: int, arrive: Callable[[], None] | None) -> None:
        self.running = False
        self.interruptible = False
        self.target_us = t_us
        self._arrive = arrive
        self._bound_waiting()
        self.kernel.touch(self)

    def wake(self, t_us: int | None = None) -> None:
        """End a wait now, or at t_us."""
        self.target_us = max(self.now_us, min(self.target_us, t_us or 0))
        self._bound_waiting()
        self.kernel.touch(self)

    def _bound_waiting(self) -> None:
        target_us = self.target_us if self._arrive else NEVER_US
        self.kernel.bounds[self.index] = min(target_us, self.timeline.next_us)

    def wall_bound_us(self) -> int | None:
        """A node at its REPL or service window, with a person there, lives in wall time."""
        return self.terminal.wall_bound_us()

    # -- messages --

    def _receive(self, request: Request) -> None:
        self._calls[request.op] += 1
        self._fed_us = request.fed_us
        if request.mark_us:
            self.terminal.emit(request.mark_us)
        t_us = request.now_us
        if request.op in link.ONE_WAY:
            HANDLERS[request.op](self, request)
            return
        if self.interactive:
            t_us = max(t_us, self.now_us, self.kernel.now_us)
            self.terminal.live_in_wall_time(False)
        self.running = False
        if self.free_until(t_us):
            self.now_us = t_us
            HANDLERS[request.op](self, request)
        else:
            self.wait(t_us, lambda: HANDLERS[request.op](self, request))

    def free_until(self, t_us: int) -> bool:
        """Nothing can happen to this board up to and at t_us."""
        return not self.exposed and t_us < self.timeline.next_us and t_us < self.kernel.limit_us

    def reply(self, t_us: int, value: int = 0, payload: bytes = b"") -> None:
        """Answer when the board's clock is at t_us."""
        if t_us > self.now_us:
            self.then(t_us, lambda: self.send(value, payload))
        else:
            self.send(value, payload)

    def send(self, value: int, payload: bytes) -> None:
        """Answer now."""
        self.running = True
        self.kernel.bounds[self.index] = NEVER_US if self.interactive else self.now_us
        self.process.send(link.REPLY.pack(*self.reply_words(value)) + payload)
        if self.terminal.abandoned:
            self.terminal.tell_abandoned()

    def reply_words(self, value: int) -> tuple[int, int, int, int, int, int]:
        now_us = self.now_us
        lease_us = min(self.timeline.next_us, self.kernel.limit_us)
        if self.exposed:
            lease_us = min(lease_us, self.kernel.horizon_us(self))
        if self.interactive:
            lease_us = now_us
            self.terminal.live_in_wall_time(True)
        pending, self.irq_pending = self.irq_pending, 0
        levels = self.levels | (self.busy_mask if self.busy_until_us > now_us else 0)
        return now_us, lease_us, levels, self.busy_until_us, pending, value

    def tell(self, t_us: int, hook: Callable[..., None] | None, *args: Any) -> None:
        """Call a hook of the world in the order of world time."""
        if hook is not None:
            chosen = hook
            self.post(t_us, lambda: chosen(t_us, *args))

    # -- for calls.py --

    def uart_port(self, number: int) -> UartPort:
        port = self._ports.get(number)
        if port is None:
            chance = self.spec.chance(f"uart {number}")
            port = self._ports[number] = UartPort(self.uart.get(number), chance)
        return port

    def set_outs(self, outs: int) -> None:
        """New levels of the output pins: tell the chips that watch them."""
        changed = (outs ^ self.outs) & ~self.cs_mask
        self.outs = outs
        if changed:
            for pin, listener in self.watched.items():
                if changed >> pin & 1:
                    listener(bool(outs >> pin & 1), self.now_us)

    def start_watchdog(self, now_us: int, timeout_us: int) -> None:
        self._watchdog_us = timeout_us
        if self._watchdog is not None:
            self._watchdog.cancel()
        self._watchdog = self.at(now_us + timeout_us, self._watchdog_due)

    def _watchdog_due(self) -> None:
        end_us = self._fed_us + self._watchdog_us
        if end_us > self.now_us:
            self._watchdog = self.at(end_us, self._watchdog_due)
        else:
            self.restart(link.WDT_RESET)

    def enter_repl(self) -> None:
        """The scripts are over. Without a client the node stays at its prompt for ever."""
        if not self.terminal.attached:
            self.terminal.finish()
            self.wait(NEVER_US, None)
            return
        self.interactive = True
        self.send(0, b"")

    # -- life --

    def _start(self, cause: int, wake_reason: int) -> None:
        """Boot: a new process, once the boot time is over."""
        self.cause, self.wake_reason = cause, wake_reason
        self.asleep = self.interactive = False
        self.irq_rising = self.irq_falling = self.irq_pending = 0
        self.wake_high = self.wake_low = 0
        self.rtc_base_us += self.skew_us
        self.skew_us = 0
        soft = cause == link.SOFT_RESET
        self.nomain = self.terminal.rebooted(soft) and soft
        self.wait(self.now_us + (0 if soft else self.spec.boot_us), self._boot)

    def _boot(self) -> None:
        self.counters["boots"] += 1
        self.tell(self.now_us, self.on_boot, self.cause)
        self.running = True
        self.kernel.bounds[self.index] = self.now_us
        first = link.REPLY.pack(*self.reply_words(0)) + welcome(self)
        self.process.boot(self.index, self.terminal.console, first)

    def _stop(self) -> None:
        """The process is killed; what it had printed is kept."""
        if not self.asleep:
            self.process.kill()
        self.terminal.finish()
        self._end_of_process()

    def _end_of_process(self) -> None:
        if self.selected is not None:
            self.selected.deselect(self.now_us)
            self.selected = None
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None
        self._ports.clear()
        self.terminal.reset()
        self.interactive = self.running = False

    def restart(self, cause: int) -> None:
        """Reset by software, watchdog or REPL; RTC memory survives, pins float."""
        self.counters["resets"] += 1
        self._stop()
        if cause != link.SOFT_RESET:
            self.hold = 0
            self.set_outs(self.floating)
        self._start(cause, 0)

    def fall_asleep(self, asked_us: int, wake_high: int, wake_low: int) -> None:
        """Deep sleep: this process ends for good; held pins keep their level."""
        self.counters["cycles"] += 1
        self.terminal.finish()
        self.tell(self.now_us, self.on_sleep, asked_us)
        self._end_of_process()
        self.set_outs((self.outs & self.hold) | (self.floating & ~self.hold))
        self.asleep = True
        self.wake_high, self.wake_low = wake_high, wake_low
        self._slept = (self.now_us, asked_us)
        if asked_us < 0:
            self.wait(NEVER_US, None)
        else:
            true_us = self.sleep_clock.true_us(asked_us, self.now_us)
            self.wait(self.now_us + true_us, lambda: self._wake_up(link.TIMER_WAKE))
        if self._wakes():
            self._wake_up(link.EXT1_WAKE)

    def _wakes(self) -> bool:
        return bool(self.levels & self.wake_high) or bool(
            self.wake_low and not self.levels & self.wake_low
        )

    def _wake_up(self, reason: int) -> None:
        """The node's RTC counted what its sleep clock says, not what passed."""
        begun_us, asked_us = self._slept
        passed_us = self.now_us - begun_us
        believed_us = asked_us
        if reason == link.EXT1_WAKE:
            believed_us = self.sleep_clock.believed_us(passed_us, begun_us)
        self.rtc_base_us += believed_us - passed_us
        self._start(link.DEEPSLEEP_RESET, reason)

    def on_dead(self, boot: int, status: int) -> None:
        """The process ended by itself: at the REPL that is a soft reset, else a crash."""
        if boot != self.process.boots or not self.powered_on or self.asleep:
            return
        if self.interactive:
            self.restart(link.SOFT_RESET)
            return
        self.counters["crashes"] += 1
        raise NodeError(
            self.name, f"the interpreter ended, status {status}: {self.terminal.last_words()}"
        )

    def close(self) -> None:
        self.process.close()
        self.terminal.close()
