# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What flash is written for so many uplinks.  micropython wear.py UPLINKS [LEASE_STEP]

As with ChirpStack: the first downlink sets the data rate, later ones answer an ADRACKReq. Each
uplink is a wake from deep sleep with the shipped store and MAC.
"""

import json
import sys

import cuts
import machine
import survivors
import town as other_side

from revier_node import store


def main(uplinks, lease_step):
    store.LEASE_STEP = lease_step
    survivors.put((b"", {}, {}))
    town = other_side.Town()
    town.keys = [bytes(range(16))]
    cuts.provision(town.keys[0])
    counts = {"uplinks": uplinks, "downlinks": 0, "commits": 0, "nvs_bytes": 0, "file_writes": 0,
              "file_bytes": 0}  # fmt: skip
    cuts.boot(town, machine.PWRON_RESET)
    commit, write = survivors.commit_nvs, survivors.File.write

    def counted_commit():
        counts["commits"] += 1
        for _, value in survivors.pending:
            counts["nvs_bytes"] += 4 if isinstance(value, int) else len(value)
        commit()

    def counted_write(file, data):
        counts["file_writes"] += 1
        counts["file_bytes"] += len(data)
        write(file, data)

    survivors.commit_nvs = counted_commit
    survivors.File.write = counted_write
    for number in range(uplinks):
        node = cuts.boot(town, machine.DEEPSLEEP_RESET)
        asks = node.device.session.adr_ack_cnt >= 64
        what = "adr" if asks or number == 0 else "silent"
        counts["downlinks"] += what == "adr"
        node.send(what)
        town.sent.clear()  # the counters are another test's business
        town.readings.clear()
    print(json.dumps(counts))


main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else cuts.SHIPPED_LEASE_STEP)
