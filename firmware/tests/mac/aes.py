# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""AES for the tests: cryptolib on MicroPython, `cryptography` on CPython."""

import sys

if sys.implementation.name == "micropython":
    import cryptolib

    def new_aes(key):
        return cryptolib.aes(key, 1)

    def decrypt(key, data):
        return cryptolib.aes(key, 1).decrypt(data)

else:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    class _Aes:
        def __init__(self, key):
            self._ecb = Cipher(algorithms.AES(key), modes.ECB()).encryptor()

        def encrypt(self, source, target):
            target[:] = self._ecb.update(bytes(source))

    def new_aes(key):
        return _Aes(key)

    def decrypt(key, data):
        return Cipher(algorithms.AES(key), modes.ECB()).decryptor().update(data)
