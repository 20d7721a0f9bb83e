# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The demo: start everything, run the world, kill the gateway if asked, judge, end cleanly."""

import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from rich.console import Console

from revier_bench.demo import unboxing
from revier_bench.demo.dashboard import DashboardSnapshot, Result, Screen, result_table
from revier_bench.demo.digest import feed_digest, frames_digest
from revier_bench.demo.observers import EVENTS, FEED, Observer
from revier_bench.demo.options import DemoOptions
from revier_bench.demo.picture import picture
from revier_bench.demo.processes import ChildError
from revier_bench.demo.stack import Stack
from revier_bench.world.checker import Report, check
from revier_bench.world.feed_subscriber import FeedSubscriber
from revier_bench.world.mqtt_wall import WallError
from revier_bench.world.simulation import Settings, Simulation
from revier_bench.world.workshop import Workshop, WorkshopError
from revier_provision import ProvisionError
from revier_provision.lns.reach import payload_codec

BUILD_DIR = Path(".build")
LIVE_WITHOUT_END_S = 10 * 365 * 86_400.0
DRAIN_S_MAX = 60.0
DRAIN_POLL_S = 0.5
REFRESH_S = 0.25
HEADLESS_REFRESH_S = 5.0
# Before a real network server there is no history in which the nodes could have joined, and one
# whose first join-accepts were lost waits for minutes: 1 % duty cycle.
JOINS_S_MAX = 240.0
JOINS_LOOK_S = 5.0
NO_TERMINALS = (
    "  no pseudo-terminals for the boards' consoles (mount -t devpts devpts /dev/pts):"
    " the nodes come ready, none is flashed"
)
CUT_SHORT = 130  # exit code of a run without a person that a signal ended before its time
END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Run:
    """One demo from start to verdict."""

    def __init__(self, options: DemoOptions, work_dir: Path, console: Console) -> None:
        self.options = options
        self.console = console
        self.stack = Stack(work_dir, options)
        self.work_dir = work_dir
        self.phase = "starting"
        self.trouble: str | None = None
        self._is_hurried = False
        self._is_cut_short = False
        self._ended = threading.Event()
        self._live_s = options.duration_s or LIVE_WITHOUT_END_S

    def execute(self) -> int:
        """Exit code: 0 only if every reading heard is on the feed exactly once in effect."""
        with ExitStack() as parts:
            parts.callback(self.stack.stop)
            self.console.print("starting broker and network server ...")
            self.stack.start_network_side()
            self.world = parts.enter_context(Simulation(self._settings(), self._say))
            self.world.provision(self._workshop())
            self.subscriber = FeedSubscriber(*self.stack.feed)
            self.subscriber.start()
            parts.callback(self.subscriber.stop)
            self.events = Observer(*self.stack.mqtt, EVENTS, "events")
            parts.callback(self.events.stop)
            self.feed = Observer(*self.stack.feed, FEED, "feed")
            parts.callback(self.feed.stop)
            self.stack.start_gateway(lambda: self.feed.gateway_bridges)
            self.console.print(f"the page: {self.stack.page_url}")
            if self.options.external:
                self.world.open()  # its clock is the wall's: it starts when all else is up
            with self._watching(), self._stopping_on_signals():
                self._run_world()
                report = self._drain()
        return self._judge(report)

    def _workshop(self) -> type[Workshop]:
        if self.options.provisioned:
            return Workshop
        if not unboxing.is_possible():
            self.console.print(NO_TERMINALS)
            return Workshop
        return unboxing.Unboxing

    def _settings(self) -> Settings:
        host, port = self.stack.grpc
        return Settings(
            mqtt=self.stack.mqtt,
            grpc=f"{host}:{port}",
            api_token=self.stack.token_file.read_text().strip(),
            work_dir=self.work_dir,
            inventory_dir=self.stack.inventory_dir,
            seed=self.options.seed,
            start=self.options.start,
            stepped=not self.options.external,
            codec_js=payload_codec(),
        )

    def _say(self, text: str) -> None:
        self.console.print(f"  {text}", style="dim", highlight=False)

    # -- the world ---------------------------------------------------------------------------

    def _run_world(self) -> None:
        if self.options.history_s:
            self.phase = "history"
            self.world.run_for(self.options.history_s)
        self.phase = "live"
        self.world.run_for(self._live_s, pace=1.0)
        if self.options.external:
            self._wait_for_joins()
        self._is_cut_short = self.options.headless and self.world.stopped
        self.phase = "ending"

    def _wait_for_joins(self) -> None:
        """The run goes on until the last node is in, at most for JOINS_S_MAX."""
        until_us = self.world.now_us + round(JOINS_S_MAX * 1_000_000)
        while not self.world.stopped and self.world.now_us < until_us:
            status = self.world.status()
            if status.nodes_joined == len(status.nodes):
                return
            self.phase = "waiting for the last nodes to join"
            self.world.run_for(JOINS_LOOK_S, pace=1.0)

    @contextmanager
    def _stopping_on_signals(self) -> Iterator[None]:
        """The first signal ends the world and lets the feed catch up; a second one hurries."""

        def stop(_number: int, _frame: FrameType | None) -> None:
            self._is_hurried = self.phase == "ending"
            self.world.stop()

        before = {number: signal.signal(number, stop) for number in END_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _drain(self) -> Report:
        """Wait until the feed has all that was heard, then compare."""
        deadline = time.monotonic() + DRAIN_S_MAX
        while True:
            report = check(self.world.truth.uplinks, self.subscriber.messages())
            if not report.missing or self._is_hurried or time.monotonic() > deadline:
                return report
            time.sleep(DRAIN_POLL_S)

    # -- beside the world: kills and pictures --------------------------------------------------

    @contextmanager
    def _watching(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._show, name="show", daemon=True)]
        if self.options.gateway_kills:
            threads.append(threading.Thread(target=self._kill, name="kill", daemon=True))
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()

    def _progress(self) -> float:
        """Share of the history, or of a live run without history, from 0 to 1."""
        return min(self.world.now_us / 1_000_000 / (self.options.history_s or self._live_s), 1.0)

    def _kill(self) -> None:
        """SIGKILL the gateway at even shares of the way."""
        kills = self.options.gateway_kills
        for number in range(1, kills + 1):
            while self._progress() < number / (kills + 1):
                if self._ended.wait(0.05):
                    return
            self.stack.kill_gateway()
            self.feed.lines.append(f"SIGKILL to the gateway, number {number} of {kills}")
        # A child is tied to the thread that started it: this one stays as long as the run.
        self._ended.wait()

    def _show(self) -> None:
        if self.options.headless:
            self._refresh(HEADLESS_REFRESH_S, self._print_progress)
            return
        with Screen(self.console) as screen:
            self._refresh(REFRESH_S, screen.show)

    def _refresh(self, every_s: float, show: Callable[[DashboardSnapshot], None]) -> None:
        shown_world_s, shown_s = 0.0, time.monotonic()
        while True:
            status = self.world.status()
            now_s, world_s = time.monotonic(), status.world_time.timestamp()
            speed = (
                (world_s - shown_world_s) / max(now_s - shown_s, 1e-3) if shown_world_s else None
            )
            shown_world_s, shown_s = world_s, now_s
            snapshot = picture(
                status=status,
                fleet=self.world.settings.fleet,
                events=self.events,
                feed=self.feed,
                stack=self.stack,
                phase=self.phase,
                progress=self._progress(),
                speed=speed,
                seed=self.options.seed,
            )
            self.trouble = self.trouble or snapshot.trouble
            show(snapshot)
            if self._ended.wait(every_s):
                return

    def _print_progress(self, snapshot: DashboardSnapshot) -> None:
        counters = snapshot.counters
        self.console.print(
            f"{snapshot.world_time:%Y-%m-%d %H:%M:%S}Z {snapshot.phase} {snapshot.progress:4.0%}  "
            f"joined {counters.nodes_joined}  readings {counters.readings_measured}  "
            f"frames {counters.frames_sent}  events {counters.events_published}  "
            f"feed {counters.feed_messages}",
            highlight=False,
        )

    # -- the verdict ---------------------------------------------------------------------------

    def _judge(self, report: Report) -> int:
        status = self.world.status()
        result = Result(
            readings_measured=status.readings_measured,
            frames_sent=status.frames_sent,
            nodes=len(status.nodes),
            nodes_joined=status.nodes_joined,
            events_published=self.events.count,
            feed_messages=self.feed.count,
            missing=len(report.missing),
            duplicated=len(report.duplicated) + len(report.shared_ids),
            gateway_kills=self.stack.gateway_kills,
            seed=self.options.seed,
        )
        self.console.print(result_table(result))
        for line in report.lines():
            self.console.print(line, highlight=False)
        if self.trouble:
            self.console.print(self.trouble, style="red", highlight=False)
        frames = frames_digest(self.world.truth.uplinks)
        feed = feed_digest(self.subscriber.messages())
        self.console.print(f"digest: frames {frames} feed {feed}", highlight=False)
        self.console.print(f"repeat: {self.options.repeat_command}", highlight=False)
        if self._is_cut_short:
            self.console.print("interrupted before its time: this proves nothing", style="red")
            return CUT_SHORT
        kills_missing = self.options.gateway_kills - result.gateway_kills
        if kills_missing > 0:
            self.console.print(f"{kills_missing} kills of the gateway did not happen", style="red")
        return 0 if result.holds and report.ok and not self.trouble and kills_missing <= 0 else 1


def run_demo(options: DemoOptions) -> int:
    """Run it in a folder of its own, which goes at the end unless it is to be kept."""
    console = Console(soft_wrap=True) if options.headless else Console()
    BUILD_DIR.mkdir(exist_ok=True)
    work_dir = Path(tempfile.mkdtemp(prefix="demo-", dir=BUILD_DIR)).resolve()
    code, failed = 1, True
    for number in END_SIGNALS:  # before and after the world runs
        signal.signal(number, signal.default_int_handler)
    try:
        code = Run(options, work_dir, console).execute()
        failed = code not in (0, CUT_SHORT)
    except KeyboardInterrupt:
        failed = False
        console.print("ended before the world had begun")
    except (ChildError, WorkshopError, ProvisionError, WallError, TimeoutError) as error:
        console.print(str(error), style="red", highlight=False, markup=False)
    finally:
        if options.keep or failed:
            console.print(f"logs and database: {work_dir}", highlight=False)
        else:
            shutil.rmtree(work_dir, ignore_errors=True)
    return code
