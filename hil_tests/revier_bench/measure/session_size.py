# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""session-size: the fullest session record, and the RTC memory that a node uses in all.

The record is searched for: sessions with every counter at its end are driven through random MAC
commands (channels, their RX1 frequencies, answers up to their limit) and random airtime in all
sub-bands, and the one that leaves the ledger the fewest bytes is driven on. Each record must unpack
to a session that packs to the same bytes and has forgotten no airtime. The RTC map is filled on the
virtual board: the shipped store saves the fullest state that it takes and reads it back.
"""

from __future__ import annotations

import ast
import tempfile
from pathlib import Path
from random import Random
from typing import Any

from revier_bench import image
from revier_bench.chips.environments import Still
from revier_bench.constant_inlining import constants_of
from revier_bench.measure.sim_speed import joined_flash
from revier_bench.virtual_board import BoardSpec, Kernel, build_board
from revier_bench.world.air import NullAir
from revier_mac import commands
from revier_mac.airtime import BUCKET_MS, HOUR_MS, SUB_BANDS
from revier_mac.session import ANSWERS_MAX, Session

BUDGET_RECORD = 256
BUDGET_RTC = 2_048
ROUNDS = 2_000
PER_ROUND = 24  # commands: more than there is room for answers
FREQUENCIES = (8631000, 8662000, 8671000, 8683000, 8690500, 8695250, 8698500)
LEDGER_HEAD = 5  # airtime.Ledger.pack(): newest bucket, number of entries
CRC = 4
_SIZES = constants_of(ast.parse((image.FIRMWARE_DIR / "revier_node" / "store_rtc.py").read_text()))
_MAIN = f"""
import machine, sys
sys.path.insert(0, "/a")
from revier_node import store
first = store.Store()
first.state.kind = bytes({_SIZES["KIND_STATE_MAX"]})
first.state.session = bytes({_SIZES["SESSION_MAX"]})
first.save()
first.save()
again = store.Store()
whole = again.resumed and again.state.session == first.state.session
print("rtc", len(machine.RTC().memory()), {_SIZES["SESSION_MAX"]}, int(whole))
"""


class _Context:
    """What the commands want to know (commands.Context)."""

    snr_db = -20
    rssi_dbm = -137
    tx_end_ms = 0
    battery = 254
    adr = True
    window = 1

    def __init__(self) -> None:
        self.news: list[object] = []

    def count(self, what: int, times: int = 1) -> None: ...


def worn() -> Session:
    """Every counter and time at its end."""
    session = Session()
    session.start(b"\xff" * 4, b"\xff" * 16, b"\xff" * 16, 5)
    session.joined = session.ack_due = session.link_check_due = session.device_time_due = True
    session.join_nonce = 0xFFFFFF
    session.f_cnt_up = session.f_cnt_down = 0xFFFFFFFF
    session.adr_ack_cnt = 0xFFFF
    session.joins_tried = 255
    session.quiet_until_s = session.join_first_s = session.join_not_before_s = 0xFFFFFFFF
    return session


def _command(chance: Random) -> bytes:
    frequency = chance.choice(FREQUENCIES).to_bytes(3, "little")
    index = chance.randrange(16)
    return chance.choice(
        (
            bytes((0x07, index)) + frequency + b"\x50",
            bytes((0x0A, index)) + frequency,
            bytes((0x03, 0xFF, 0xFF, 0xFF, chance.randrange(16))),
            bytes((0x04, 15)),
            bytes((0x05, 0x53)) + frequency,
            b"\x06",
            b"\x08\x0f",
        )
    )


def spend(session: Session, chance: Random, now_ms: int) -> None:
    """An hour of airtime in all sub-bands, up to their limits, a bucket at a time."""
    for band, (_, _, one_in) in enumerate(SUB_BANDS):
        left_ms = HOUR_MS // one_in
        for number in range(HOUR_MS // BUCKET_MS):
            airtime_ms = chance.randint(1, max(1, left_ms // 4))
            left_ms -= airtime_ms
            if left_ms > 0:
                session.ledger.add(band, now_ms + number * BUCKET_MS, airtime_ms * 1000)


def faults(session: Session, record: bytes, now_ms: int) -> list[str]:
    """What is wrong with a record."""
    if len(record) > BUDGET_RECORD:
        return [f"{len(record)} bytes"]
    again = Session.unpack(record)
    if again is None:
        return ["does not unpack"]
    found = [] if again.pack() == record else ["packs differently"]
    if again.channels != session.channels or again.rx1_frequencies != session.rx1_frequencies:
        found.append("other channels")
    if again.answers != session.answers:
        found.append("other answers")
    for band in range(len(SUB_BANDS)):
        if again.ledger.spent(band, now_ms) < session.ledger.spent(band, now_ms):
            found.append(f"airtime of sub-band {band} forgotten")
    return found


def search(rounds: int = ROUNDS, seed: int = 4) -> dict[str, Any]:
    """The fullest record found, and everything that was wrong on the way."""
    chance = Random(seed)  # noqa: S311
    context = _Context()
    best = worn()
    least_room = BUDGET_RECORD
    longest = 0
    wrong: list[str] = []
    for _ in range(rounds):
        session = _copy(best)
        for _ in range(PER_ROUND):
            commands.apply(session, _command(chance), context)
        now_ms = chance.randrange(1 << 40) * 100
        spend(session, chance, now_ms)
        end_ms = now_ms + HOUR_MS
        try:
            record = session.pack()
        except AssertionError:
            wrong.append("does not fit")
            continue
        wrong += faults(session, record, end_ms)
        longest = max(longest, len(record))
        room = ledger_room(session)
        if room <= least_room:
            best, least_room = session, room
    return {
        "longest": longest,
        "fullest": best,
        "ledger_room": least_room,
        "wrong": wrong,
    }


def ledger_room(session: Session) -> int:
    """Bytes that the record leaves to the ledger."""
    lists = 6 + 4 * sum(1 for frequency in session.channels[3:] if frequency)
    lists += 3 * sum(1 for frequency in session.rx1_frequencies if frequency)
    return BUDGET_RECORD - CRC - _head_bytes() - lists - len(session.answers)


def _head_bytes() -> int:
    """Of a session without lists, answers and airtime: all but those."""
    return len(Session().pack()) - 6 - LEDGER_HEAD - CRC


def _copy(session: Session) -> Session:
    """The same channels, worn again; its answers have left, its ledger is empty."""
    again = worn()
    for name in ("channels", "dr_ranges", "rx1_frequencies"):
        setattr(again, name, getattr(session, name)[:])
    again.mask = session.mask
    return again


def rtc_bytes() -> tuple[int, bool]:
    """(RTC memory with the fullest state, whether the store reads it back), on the board."""
    lines: list[str] = []
    with tempfile.TemporaryDirectory(prefix="revier-session-size-") as name:
        folder = Path(name)
        build_dir = folder / "build"
        flash = joined_flash("air", 1, folder, build_dir, image.build(build_dir))
        image.write_files(flash, {"/main.py": _MAIN.encode()}, build_dir)
        with Kernel(build_dir=build_dir) as kernel:
            spec = BoardSpec(
                name="rtc", mac=bytes(6), flash_image=flash, work_dir=folder, kind="air"
            )
            board = build_board(kernel, spec, NullAir(), Still())
            board.on_console_line = lambda _t_us, line: lines.append(line)
            board.power_on()
            kernel.run_until(10_000_000)
    told = [line.split() for line in lines if line.startswith("rtc ")]
    if not told:
        raise RuntimeError(f"session-size: {' | '.join(lines)}")
    size, session_max, whole = map(int, told[0][1:])
    return size, bool(whole) and session_max >= BUDGET_RECORD


def summary(found: dict[str, Any], rtc: int, rtc_whole: bool) -> dict[str, Any]:
    fullest: Session = found["fullest"]
    record = found["longest"]
    wrong = found["wrong"]
    return {
        "name": "session-size",
        "value": record,
        "unit": "B",
        "budget": f"<= {BUDGET_RECORD}; RTC memory in all <= {BUDGET_RTC}",
        "holds": record <= BUDGET_RECORD and not wrong and rtc <= BUDGET_RTC and rtc_whole,
        "n": {
            "channels": sum(1 for frequency in fullest.channels if frequency),
            "rx1_frequencies": sum(1 for frequency in fullest.rx1_frequencies if frequency),
            "answers": len(fullest.answers),
            "answers_max": ANSWERS_MAX,
            "ledger_room": found["ledger_room"],
            "wrong": sorted(set(wrong)),
            "rtc_bytes": rtc,
            "rtc_read_back": rtc_whole,
            "new_session_bytes": len(Session().pack()),
        },
        "peer": {
            "LoRa Basics Modem": "48 B of NVM, its duty cycle ledger is in RAM only",
            "RadioLib": "its session buffer holds no duty cycle ledger (RAM only)",
        },
        "rows": [
            {"what": "fullest session record", "bytes": record, "budget": BUDGET_RECORD},
            {"what": "RTC memory", "bytes": rtc, "budget": BUDGET_RTC},
        ],
    }


def measure() -> dict[str, Any]:
    """About five seconds."""
    found = search()
    return summary(found, *rtc_bytes())
