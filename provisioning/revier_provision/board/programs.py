# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The programs that repl_board.py sends to a board's REPL.

NVS keys are those of the node: namespace `lorawan`, blobs `dev_eui`, `join_eui` (both as printed,
most significant byte first), `app_key`, `session`. Only blobs and i32 exist for MicroPython
(ports/esp32/esp32_nvs.c).
"""

BLOB = """
import esp32
nvs = esp32.NVS('lorawan')
def blob(key, size):
    buffer = bytearray(size)
    try:
        return bytes(buffer[:nvs.get_blob(key, buffer)])
    except OSError:
        return None
"""

FACTORY_MAC = """
import machine, binascii
print(binascii.hexlify(machine.unique_id()).decode())
"""

STATE = (
    BLOB
    + """
import binascii, json
def printed(key):
    value = blob(key, 8)
    return value and binascii.hexlify(value).decode()
try:
    with open('/node.json') as f:
        node_json = json.load(f)
    if not isinstance(node_json, dict):
        node_json = None
except (OSError, ValueError):
    node_json = None
key = blob('app_key', 16)
print(json.dumps({'dev_eui': printed('dev_eui'), 'join_eui': printed('join_eui'),
    'has_app_key': bool(key and len(key) == 16), 'node_json': node_json}))
"""
)

# The identity is complete only with its key, so the old key goes first and the new one comes last.
# RTC memory holds the running session and survives machine.reset(); the node's counters come back
# from their leases in NVS. Where nothing is left of the reading sequence, it begins at seq_start.
WRITE_IDENTITY = """
import esp32, machine, binascii, os
nvs = esp32.NVS('lorawan')
try:
    nvs.get_i32('seq_lease')
except OSError:
    if not {{'identity.bin', 'identity.alt'}} & set(os.listdir('/')):
        nvs.set_i32('seq_lease', {seq_start})
def drop(key):
    try:
        nvs.erase_key(key)
    except OSError:
        pass
drop('app_key')
drop('session')
nvs.commit()
machine.RTC().memory(b'')
nvs.set_blob('dev_eui', binascii.unhexlify('{dev_eui}'))
nvs.set_blob('join_eui', binascii.unhexlify('{join_eui}'))
nvs.commit()
nvs.set_blob('app_key', binascii.unhexlify('{app_key}'))
nvs.commit()
"""

DIGEST = (
    BLOB
    + """
import binascii, hashlib
key = blob('app_key', 16)
if key and len(key) == 16:
    digest = hashlib.sha256(binascii.unhexlify('{challenge}') + key).digest()
    print(binascii.hexlify(digest).decode())
"""
)

WRITE_NODE_JSON = """
import os
with open('/node.json.new', 'w') as f:
    f.write({text!r})
with open('/node.json.new') as f:
    assert f.read() == {text!r}, 'read back'
os.rename('/node.json.new', '/node.json')
if hasattr(os, 'sync'):
    os.sync()
"""


WRITE_SMALL = """
import os
from binascii import unhexlify
data = unhexlify('{data}')
if data:
    with open('{path}.new', 'wb') as f:
        f.write(data)
    with open('{path}.new', 'rb') as f:
        assert f.read() == data, 'read back'
    os.rename('{path}.new', '{path}')
elif '{path}'[1:] in os.listdir('/'):
    os.remove('{path}')
if hasattr(os, 'sync'):
    os.sync()
"""


# The counters go to the highest of NVS and file before the file goes: no number is used twice.
WIPE = """
import esp32, machine, os
nvs = esp32.NVS('lorawan')
def i32(key):
    try:
        return nvs.get_i32(key) & 0xFFFFFFFF
    except OSError:
        return 0
def gone(path):
    try:
        os.remove(path)
    except OSError:
        pass
files = [name for name in os.listdir('/') if name in ('identity.bin', 'identity.alt')]
if files:
    from revier_node import identity_file
    kept = identity_file.read() or (None, 0, 0, 0)
    for key, number in zip(('dev_nonce', 'f_cnt_lease', 'seq_lease'), kept[1:]):
        number = max(number, i32(key))
        nvs.set_i32(key, number - 0x100000000 if number & 0x80000000 else number)
    nvs.commit()
for key in ('app_key', 'session', 'join_eui', 'dev_eui'):
    try:
        nvs.erase_key(key)
    except OSError:
        pass
nvs.commit()
machine.RTC().memory(b'')
for name in files + ['node.json', 'node.json.new']:
    gone('/' + name)
if hasattr(os, 'sync'):
    os.sync()
"""


# boot.py put the slot of the running application on the import path.
RUNNING = "[path for path in sys.path if path in ('/a', '/b')][:1]"
FIRMWARE = """
import binascii, hashlib, os, sys
slot = {slot}
folders, files = list(slot), []
while folders:
    folder = folders.pop()
    for entry in os.ilistdir(folder):
        path = folder + '/' + entry[0]
        (folders if entry[1] & 0x4000 else files).append(path)
total = hashlib.sha256()
buffer = bytearray(1024)
for path in sorted(files):
    one = hashlib.sha256()
    with open(path, 'rb') as f:
        while True:
            size = f.readinto(buffer)
            if not size:
                break
            one.update(memoryview(buffer)[:size])
    total.update(path[len(slot[0]):].encode() + b'\\0' + one.digest())
print(binascii.hexlify(total.digest()).decode() if files else '')
"""

# The firmware's own look at every pin of the description, before the node is told to use it. None:
# the firmware is not on the board yet.
CHECK_DESCRIPTION = """
import json
try:
    from revier_node import board_check
except ImportError:
    found = None
else:
    try:
        with open('/boards/{board}.json') as f:
            description = json.load(f)
        found = board_check.problems(description)
        if {kind!r} not in description['kinds']:
            found.append('it has no wiring for a node of kind {kind}')
    except OSError:
        found = ['there is no file /boards/{board}.json']
    except ValueError:
        found = ['/boards/{board}.json is no JSON']
print(json.dumps(found))
"""
