# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the SX1262 is told before it sends or receives: modulation, packet, power, detection.

DS = SX1261/2 datasheet rev. 2.1. Every setter returns why it refuses, or None.
"""

from collections.abc import Callable

from revier_bench.chips import sx1262_tables as ds
from revier_bench.chips.lora_modem import Modulation

POWER, MODULATION, PACKET, PA = 8, 2, 4, 1
FOR_TX = POWER | MODULATION | PACKET | PA
FOR_RX = MODULATION | PACKET


class Sx1262Parameters:
    """`configured`: which of the groups have been set. `lora` is set for LoRa packets.

    bits, bit_rate   of a packet of another type, and how fast they leave
    """

    def __init__(self, lora: Modulation) -> None:
        self.lora = lora
        self.configured = 0
        self.stop_on_preamble = False
        self.symbol_limit = 0
        self.power_dbm = 0
        self.pa = (4, 7)
        self.ramp_us = 10
        self.cad_symbols = 2
        self.cad_receives = False
        self.cad_timeout = 0
        self.bits = 0
        self.bit_rate = 1.0

    def forget(self) -> None:
        """Another packet type: its two groups must be set anew (DS 14.2)."""
        self.configured &= ~(MODULATION | PACKET)

    def set(self, opcode: int, args: bytes, packet_type: int) -> str | None:
        if opcode == ds.SET_MODULATION:
            lora = packet_type == ds.LORA
            return self._set_modulation(args) if lora else self._set_bit_rate(args)
        if opcode == ds.SET_PACKET_PARAMS:
            (self._set_packet if packet_type == ds.LORA else self._set_bits)(args)
            return None
        setters: dict[int, Callable[[bytes], str | None]] = {
            ds.STOP_TIMER_ON_PREAMBLE: self._set_stop_on_preamble,
            ds.SET_SYMBOL_TIMEOUT: self._set_symbol_limit,
            ds.SET_TX_PARAMS: self._set_tx_params,
            ds.SET_PA_CONFIG: self._set_pa,
            ds.SET_CAD_PARAMS: self._set_cad,
        }
        return setters[opcode](args)

    def _set_modulation(self, args: bytes) -> str | None:
        sf, bandwidth, rate, slow = args
        if not 5 <= sf <= 12 or bandwidth not in ds.BANDWIDTH_HZ or not 1 <= rate <= 4:
            return f"modulation parameters {args.hex()} (DS 13.4.5)"
        now = self.lora
        now.spreading_factor, now.bandwidth_hz = sf, ds.BANDWIDTH_HZ[bandwidth]
        now.coding_rate, now.slow = rate + 4, bool(slow)
        self.configured |= MODULATION
        return None

    def _set_packet(self, args: bytes) -> None:
        now = self.lora
        now.preamble_symbols = args[0] << 8 | args[1]
        now.explicit, now.length = args[2] == 0, args[3]
        now.crc_on, now.iq_inverted = bool(args[4]), bool(args[5])
        self.configured |= PACKET

    def _set_bit_rate(self, args: bytes) -> str | None:
        """DS table 13-45: 32 * Fxtal / bit rate."""
        code = int.from_bytes(args[0:3], "big")
        if not code:
            return f"modulation parameters {args.hex()} (DS 13.4.5)"
        self.bit_rate = 32 * 32_000_000 / code
        self.configured |= MODULATION
        return None

    def _set_bits(self, args: bytes) -> None:
        """DS table 13-58 to 13-65 for GFSK; of the others, the payload's length."""
        self.bits = 8 * args[0]
        if len(args) > 1:
            length, crc = 8 * args[6] + 8 * (args[5] & 1), {0: 8, 1: 0, 4: 8}.get(args[7], 16)
            self.bits = (args[0] << 8 | args[1]) + args[3] + length + crc
        self.configured |= PACKET

    def _set_stop_on_preamble(self, args: bytes) -> None:
        self.stop_on_preamble = bool(args[0])

    def _set_symbol_limit(self, args: bytes) -> None:
        self.symbol_limit = args[0]

    def _set_tx_params(self, args: bytes) -> str | None:
        power_dbm = (args[0] ^ 0x80) - 0x80
        if not -9 <= power_dbm <= 22 or args[1] >= len(ds.RAMP_US):
            return f"TX parameters {args.hex()} (DS 13.4.4)"
        self.power_dbm, self.ramp_us = power_dbm, ds.RAMP_US[args[1]]
        self.configured |= POWER
        return None

    def _set_pa(self, args: bytes) -> str | None:
        duty, hp_max = args[0], args[1]
        if duty > ds.PA_DUTY_CYCLE_MAX or hp_max > ds.PA_HP_MAX or args[2:4] != b"\x00\x01":
            return f"PA configuration {args.hex()} is not for an SX1262 (DS 13.1.14)"
        self.pa = (duty, hp_max)
        self.configured |= PA
        return None

    def output_dbm(self) -> float:
        """DS table 13-21 has four settings; between them each step of hpMax is taken as 1.6 dB.

        RadioLib sends others, measured on one board (its issue 1628); the air needs no more.
        """
        duty, hp_max = self.pa
        offset: float = ds.PA_OFFSET_DB.get(self.pa, 0)
        if self.pa not in ds.PA_OFFSET_DB:
            offset = -1.6 * (ds.PA_HP_MAX - hp_max) - 0.5 * (ds.PA_DUTY_CYCLE_MAX - duty)
        return float(self.power_dbm + offset)

    def _set_cad(self, args: bytes) -> str | None:
        """DS 13.4.7; cadDetPeak and cadDetMin have no meaning in this air."""
        if args[0] >= len(ds.CAD_SYMBOLS) or args[3] > ds.CAD_RX:
            return f"CAD parameters {args.hex()} (DS table 13-72)"
        self.cad_symbols = ds.CAD_SYMBOLS[args[0]]
        self.cad_receives = args[3] == ds.CAD_RX
        self.cad_timeout = int.from_bytes(args[4:7], "big")
        return None
