# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the log costs the flash, on LittleFS over blocks that count how often they are erased."""

import gc

import vfs
from runner import run

from revier_node import app, reading_log, reading_search, store
from revier_payload.codec import encode

BLOCK = 4096
BLOCKS = 64  # a small part of a node's 2 MB, so that it goes round
AIR_A_DAY = 288  # one reading in five minutes, the most that a node makes
CYCLES_MIN = 100_000  # of a block of NOR flash, as its data sheets promise


class Blocks:
    """As ESP32's partition: LittleFS asks for an erase before it writes."""

    def __init__(self):
        self.data = [bytearray(b"\xff" * BLOCK) for _ in range(BLOCKS)]
        self.erased = [0] * BLOCKS

    def readblocks(self, n, buf, off=0):
        buf[:] = self.data[n][off : off + len(buf)]

    def writeblocks(self, n, buf, off=0):
        self.data[n][off : off + len(buf)] = buf

    def ioctl(self, op, arg):
        if op == 4:
            return BLOCKS
        if op == 5:
            return BLOCK
        if op == 6:
            self.erased[arg] += 1
        return 0


class Remembering:
    def __init__(self, state):
        self.state = state
        self.clock = self.wake = self

    @staticmethod
    def sinks():
        return False

    @staticmethod
    def unix_s():
        return 1_800_000_000


def check_erases_a_day_and_their_spread():
    gc.collect()
    blocks = Blocks()
    vfs.VfsLfs2.mkfs(blocks)
    vfs.mount(vfs.VfsLfs2(blocks), "/flash")
    reading_log.FOLDER = reading_search.FOLDER = "/flash/log"
    node = Remembering(store.State())
    days = 20
    before = sum(blocks.erased)
    for seq in range(days * AIR_A_DAY):
        data = encode(10, {"seq": seq & 0x1FF, "pm25": seq % 1000})
        app.Node.remember(node, seq, 10, data)
    appends = days * AIR_A_DAY // app.RECENT_MAX
    erases = sum(blocks.erased) - before
    print("erases", erases, "in", days, "days,", appends, "appends; most of a block",
          max(blocks.erased), "mean", sum(blocks.erased) // BLOCKS)  # fmt: skip
    assert appends <= erases <= 2 * appends
    years = CYCLES_MIN * days / 365 / max(blocks.erased)
    assert years >= 100, years
    node.state.recent = b""
    firsts = range(0, days * AIR_A_DAY, 24)
    kept = sum([len(reading_search.find(node.state, first, 24, 24)) for first in firsts])
    print("readings kept", kept)
    in_a_file = reading_log.FILE_CHUNKS * app.RECENT_MAX
    most = reading_log.FILES_MAX * in_a_file
    assert most - in_a_file < kept <= most


run(globals())
