# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A network with downlinks for the application: `script`, one (f_port, data) for each uplink."""

import struct

import small_world


class Network(small_world.Network):
    def __init__(self):
        small_world.Network.__init__(self)
        self.script = []

    def _data(self, frame):
        answers = small_world.Network._data(self, frame)
        if not answers and self.script:
            answers = [(1_000_000, self._down(*self.script.pop(0)))]
        return answers

    def _down(self, f_port, data):
        nonce = small_world.DEV_ADDR + struct.pack("<I", self.f_cnt_down)
        stream = b""
        for i in range(1, len(data) // 16 + 2):
            block = b"\x01\0\0\0\0\x01" + nonce + bytes((0, i))
            stream += small_world.aes(self.app_s_key, 1).encrypt(block)
        sealed = bytes([data[i] ^ stream[i] for i in range(len(data))])
        body = b"\x60" + small_world.DEV_ADDR + b"\0" + struct.pack("<H", self.f_cnt_down)
        body += bytes((f_port,)) + sealed
        block = b"\x49\0\0\0\0\x01" + nonce + bytes((0, len(body)))
        self.f_cnt_down += 1
        return body + small_world.cmac(self.nwk_s_key, block + body)[:4]
