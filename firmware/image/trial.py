# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The trial of a new application (docs/protocol/update.md). Belongs to boot.py, which imports it
while there is one; never updated over the air, and imports nothing of the slots.

Everything is in /slot, and each change of it is one renaming, which LittleFS does at once or not at
all: wherever the power goes, /slot is whole and names a slot that was whole when it was named.

    a                   runs
    b?a3 1234           b on trial since 1234 s on the chip's clock, for three more starts, before a
    a!b error_5         a runs, for b was taken back, and why
"""

import os
import time

import machine

PATH = "/slot"
PATH_NEW = "/slot.new"
STARTS_MAX = 3  # that do not end in an orderly sleep
LIMIT_S = 21_600  # a join takes its time where the duty cycle is spent
# RTC memory: 0 to 3 as failure.py has it; a wake that ends well clears the first eight bytes
_MAGIC, _CODE, _MARK_AT, _MARK = 0x52, 3, 4, 0x54


def read():
    with open(PATH) as file:
        return file.read(64).strip()


def write(text):
    with open(PATH_NEW, "w") as file:
        file.write(text)
    os.rename(PATH_NEW, PATH)


def begin(new, old):
    """From the next start on."""
    write("%s?%s%d %d" % (new, old, STARTS_MAX, time.time()))


def start(service):
    """The slot for this start. In the service window the old one: it counts for nothing."""
    text = read()
    new, old, left, since_s = text[0], text[2], int(text[3]), int(text[5:])
    if service:
        return old
    now_s = int(time.time())
    since_s = min(since_s, now_s)  # the clock starts anew with the supply
    if now_s - since_s >= LIMIT_S:
        back("silent")
    memory = bytearray(machine.RTC().memory())
    memory += bytes(max(0, 8 - len(memory)))
    if machine.reset_cause() != machine.DEEPSLEEP_RESET or memory[_MARK_AT] == _MARK:
        left -= 1
        if left < 0:
            back("error_%d" % memory[_CODE] if memory[0] == _MAGIC else "restarts")
        write("%s?%s%d %d" % (new, old, left, since_s))
    memory[_MARK_AT] = _MARK
    machine.RTC().memory(memory)
    print("revier update result=trial slot=%s starts=%d" % (new, left))
    return new


def commit():
    """The new one has proved itself."""
    new = read()[0]
    write(new)
    print("revier update result=committed slot=%s" % new)


def back(reason):
    """To the old one, at once; never returns."""
    text = read()
    write("%s!%s %s" % (text[2], text[0], reason))
    print("revier update result=rolled_back slot=%s reason=%s" % (text[0], reason))
    machine.reset()
