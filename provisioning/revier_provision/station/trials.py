# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A trial: what the network hears of one node at its final place.

The node sends little by itself. The station puts a configuration into its queue that changes
nothing (or tells a parking node that its bay is empty): the node answers it at once. So a node that
is switched on sends diagnosis, reading and answer within the wait after a cold start (at most two
minutes) and half a minute more; one that is awake already does it at its next wake.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from revier_inventory.message import plain
from revier_inventory.model import EUI, Kind
from revier_payload.codec import decode
from revier_payload.downlinks import configuration, outcome_of
from revier_payload.schema.remote import CONFIGURATION, CONFIGURATION_ANSWER
from revier_provision import durable_files
from revier_provision.errors import NetworkServerError
from revier_provision.lns.live import Heard
from revier_provision.station.coverage import UPLINKS_MIN, Uplink, Verdict, judge
from revier_provision.station.refused import RefusedError

TRIALS_MAX = 32  # followed at a time
HEARD_MAX = 64
FOLLOW_S = 6 * 3600.0
RETRY_S = 5.0
OLDEST = timedelta(hours=6)  # a trial that was begun without reception, and told later
FASTER = timedelta(minutes=2)  # a phone's clock before the station's
VACANT = timedelta(minutes=10)  # so long a bay counts as vacant after somebody said so
HEARTBEAT, STATE_VACANT, UNCALIBRATED = 21, 1, 2
WASTE_PORTS = (30, 31)

Baseline = Literal["none", "waiting", "told", "learnt", "occupied", "refused"]


class LiveNetwork(Protocol):
    """What lns_live.Live does. Every method may raise NetworkServerError."""

    def uplinks(self, dev_eui: str, seconds: float) -> AbstractContextManager[Iterator[Heard]]: ...

    def enqueue(self, dev_eui: str, f_port: int, data: bytes, expires_at: datetime) -> None: ...


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """`vacant`: the installer said that the bay is empty. `downlink`: what the node shall answer.
    `trouble`: why the network server is not heard now; empty: it is."""

    dev_eui: str
    kind: Kind
    begun_at: datetime
    downlink: bytes
    vacant: bool = False
    heard: tuple[Heard, ...] = ()
    trouble: str = ""

    def verdict(self) -> Verdict:
        return judge((_uplink(one) for one in self.heard), self.kind)

    def distance_mm(self) -> int | None:
        """The newest that a waste node measured here."""
        for one in reversed(self.heard):
            if one.f_port in WASTE_PORTS:
                distance = decode(one.f_port, one.data).values.get("distance")
                if distance is not None:
                    return int(distance)
        return None

    def baseline(self) -> Baseline:
        """Whether the parking node has learnt its empty bay."""
        if not self.vacant:
            return "none"
        said: Baseline = "waiting"
        for one in self.heard:
            if one.f_port == CONFIGURATION_ANSWER.f_port:
                outcome = outcome_of(self.downlink, one.data)
                if outcome is not None:
                    said = "told" if outcome.applied else "refused"
            elif one.f_port == HEARTBEAT and said in ("told", "learnt", "occupied"):
                values = decode(one.f_port, one.data).values
                if not (values.get("status") or 0) & UNCALIBRATED:
                    said = "learnt" if values.get("state") == STATE_VACANT else "occupied"
        return said


def _uplink(one: Heard) -> Uplink:
    return Uplink(
        dev_addr=one.dev_addr,
        f_cnt=one.f_cnt,
        spreading_factor=one.spreading_factor,
        rssi_dbm=one.rssi_dbm,
        snr_db=one.snr_db,
        gateways=len(one.gateways),
    )


def downlink_for(kind: Kind, begun_at: datetime, *, vacant: bool) -> bytes:
    """The second tells this command from the ones before (setting empty_bay)."""
    if kind == "parking" and vacant:
        return configuration({"empty_bay": int(begun_at.timestamp()) % 65535 + 1})
    return configuration({})


class Trials:
    """All trials of a station, one a device; each is on the disk before anybody sees it.

    Threads follow the network server; close() ends them.
    """

    def __init__(self, folder: Path, live: LiveNetwork, now: Callable[[], datetime]) -> None:
        self._folder = folder
        self._live = live
        self._now = now
        self._lock = threading.RLock()
        self._open: dict[str, Trial] = {}
        self._following: dict[str, threading.Thread] = {}
        self._closed = threading.Event()

    def begin(self, dev_eui: str, kind: Kind, begun_at: datetime, *, vacant: bool) -> Trial:
        """Listen from `begun_at` on; the same again goes on with what is there.

        Raises RefusedError and NetworkServerError; the trial is then begun all the same if only the
        network server did not answer, and is followed as soon as it does.
        """
        assert EUI.match(dev_eui)
        now = self._now()
        if not now - OLDEST <= begun_at <= now + FASTER:
            raise RefusedError("clock")
        if vacant and now - begun_at > VACANT:
            raise RefusedError("vacant_late")
        with self._lock:
            trial = self.get(dev_eui)
            if trial is None or (trial.begun_at, trial.vacant) != (begun_at, vacant):
                downlink = downlink_for(kind, begun_at, vacant=vacant)
                trial = Trial(
                    dev_eui=dev_eui, kind=kind, begun_at=begun_at, vacant=vacant, downlink=downlink
                )
                self._keep(trial)
            self._follow(dev_eui)
        if not any(one.f_port == CONFIGURATION_ANSWER.f_port for one in trial.heard):
            until = begun_at + (VACANT if vacant else timedelta(seconds=FOLLOW_S))
            self._live.enqueue(dev_eui, CONFIGURATION.f_port, trial.downlink, until)
        return trial

    def look(self, dev_eui: str) -> Trial | None:
        """The trial as it is now; a station that was started anew goes on listening."""
        with self._lock:
            if self._goes_on(dev_eui):
                self._follow(dev_eui)
            return self.get(dev_eui)

    def get(self, dev_eui: str) -> Trial | None:
        with self._lock:
            if dev_eui in self._open:
                return self._open[dev_eui]
            try:
                data = (self._folder / f"{dev_eui}.json").read_bytes()
                trial = msgspec.json.decode(data, type=Trial)
            except (OSError, msgspec.DecodeError):
                return None
            self._open[dev_eui] = trial
            return trial

    def close(self) -> None:
        self._closed.set()

    def _keep(self, trial: Trial) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{trial.dev_eui}.json"
        durable_files.replace(path, msgspec.json.encode(trial, enc_hook=plain))
        self._open[trial.dev_eui] = trial

    def _follow(self, dev_eui: str) -> None:
        if dev_eui in self._following:
            return
        if len(self._following) >= TRIALS_MAX:
            raise RefusedError("trials")
        thread = threading.Thread(
            target=self._run, args=(dev_eui,), name=f"trial-{dev_eui}", daemon=True
        )
        self._following[dev_eui] = thread
        thread.start()

    def _run(self, dev_eui: str) -> None:
        try:
            while self._goes_on(dev_eui):
                try:
                    with self._live.uplinks(dev_eui, FOLLOW_S) as uplinks:
                        self._trouble(dev_eui, "")
                        for one in uplinks:
                            if not self._goes_on(dev_eui):
                                return
                            self._hear(dev_eui, one)
                except NetworkServerError as error:
                    self._trouble(dev_eui, error.problem)
                self._closed.wait(RETRY_S)
        finally:
            with self._lock:
                self._following.pop(dev_eui, None)

    def _goes_on(self, dev_eui: str) -> bool:
        trial = self.get(dev_eui)
        if trial is None or self._closed.is_set():
            return False
        return self._now() - trial.begun_at < timedelta(seconds=FOLLOW_S)

    def _trouble(self, dev_eui: str, problem: str) -> None:
        with self._lock:
            trial = self.get(dev_eui)
            if trial is not None and trial.trouble != problem:
                self._keep(msgspec.structs.replace(trial, trouble=problem))

    def _hear(self, dev_eui: str, one: Heard) -> None:
        with self._lock:
            trial = self.get(dev_eui)
            if trial is None or one.at < trial.begun_at or one in trial.heard:
                return
            heard = (*trial.heard, one)[-HEARD_MAX:]
            trial = msgspec.structs.replace(trial, heard=heard, trouble="")
            self._keep(trial)
        answer = one.f_port == CONFIGURATION_ANSWER.f_port
        if answer and trial.verdict().uplinks < UPLINKS_MIN:
            with contextlib.suppress(NetworkServerError):  # the installer presses reset again
                until = trial.begun_at + timedelta(seconds=FOLLOW_S)
                self._live.enqueue(dev_eui, CONFIGURATION.f_port, configuration({}), until)
