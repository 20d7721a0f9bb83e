# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The power may go at every byte of a change of settings: they are the old or the new ones."""

import json

import flash_cuts
import waste_node
from runner import run
from small_world import write_file

from revier_node import settings

OLD, NEW = [[1, 700]], [[1, 900]]
DOWNLINK = b"\x01\x01\x03\x84"


class Json:
    """On streams that are not of the interpreter."""

    @staticmethod
    def load(file):
        return json.loads(file.read())

    @staticmethod
    def dump(value, file):
        file.write(json.dumps(value))


def left_there():
    with open("/node.json") as file:
        return json.load(file)["settings"]


def check_a_cut_leaves_old_or_new():
    config = {"kind": "waste", "board": "heltec_v3", "settings": OLD}
    kept = settings.json, settings.os
    settings.open, settings.json, settings.os = flash_cuts.File, Json, flash_cuts.Os
    seen = []
    try:
        for cut in range(1_000):
            write_file("/node.json", json.dumps(config))
            flash_cuts.left[0] = cut
            whole = flash_cuts.tried(lambda: settings.change(DOWNLINK))
            seen.append(left_there())
            if whole:
                break
    finally:
        settings.json, settings.os = kept
        del settings.open
    assert len(seen) > 80
    assert seen[:-2] == [OLD] * (len(seen) - 2)
    assert seen[-2:] == [NEW] * 2  # after the renaming, and without a cut


assert waste_node
run(globals())
