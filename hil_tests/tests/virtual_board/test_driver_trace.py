# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The bytes that both drivers send from reset to the end of RX2, against their datasheets' lists.

The lists (sx1262_commands.py, sx1276_registers.py) share nothing with drivers and models. Each
mutation below is a mistake that a driver could make; the lists must find every one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from revier_bench import image
from revier_bench.chips.environments import Still
from revier_bench.virtual_board import BoardSpec, Kernel, Nvs, build_board, clone_image

from . import sx1262_commands, sx1276_registers
from .small_network import APP_KEY, SECOND_US, SmallNetwork
from .spi_recorder import Frame, Recorder, Transfer

POWER_DBM = 14  # RP002-1.0.4 section 2.4.3: 16 dBm EIRP, less the boards' antenna of 2 dBi
TCXO = b"\x02\x00\x01\x40"  # heltec_v3: 1.8 V, 5 ms in steps of 15.625 us (DS 13.3.6)
Trace = list[Transfer]
Exchange = tuple[Trace, list[Frame]]


def play(board: str, folder: Path, firmware: Path, build_dir: Path) -> Exchange:
    """A join and two uplinks, each answered in RX2: what was sent, and what it was for."""
    flash = clone_image(firmware, folder / "flash.img")
    config = f'{{"kind": "waste", "board": "{board}"}}'.encode()
    image.write_files(flash, {"/node.json": config}, build_dir)
    nvs = Nvs(flash)
    nvs.set("lorawan", "dev_eui", bytes.fromhex("025245fffe560001"))
    nvs.set("lorawan", "join_eui", bytes(8))
    nvs.set("lorawan", "app_key", APP_KEY)
    nvs.commit()
    spec = BoardSpec("node", bytes.fromhex("025245560001"), flash, folder, board, "waste", "7")
    with Kernel(build_dir=build_dir) as kernel:
        network = SmallNetwork(kernel, window=2)
        made = build_board(kernel, spec, network, Still())
        network.radio = made.radio
        recorder = Recorder(made)
        made.power_on()
        kernel.run_until(60 * SECOND_US)
        assert made.misuse == []
    frames = []
    for sent in network.sent:
        hz, sf = sent.frequency_hz, sent.spreading_factor
        hz = round(hz, -5)  # the channel, not the synthesiser's step
        frames += [Frame("tx", hz, sf, sent.payload, POWER_DBM), Frame("rx", hz, sf)]
        frames.append(Frame("rx", 869_525_000, 12))
    assert len(frames) >= 9
    return recorder.trace, frames


@pytest.fixture(scope="session")
def exchanges(
    tmp_path_factory: pytest.TempPathFactory, firmware: Path, build_dir: Path
) -> dict[str, Exchange]:
    boards = ("heltec_v3", "lilygo_t3_v1_6_1")
    folders = {board: tmp_path_factory.mktemp(board) for board in boards}
    return {board: play(board, folders[board], firmware, build_dir) for board in boards}


def complaints_1262(exchange: Exchange) -> list[str]:
    return sx1262_commands.complaints(*exchange, TCXO)


def complaints_1276(exchange: Exchange) -> list[str]:
    return sx1276_registers.complaints(*exchange)


def test_the_sx1262_driver_sends_its_datasheets_list(exchanges: dict[str, Exchange]) -> None:
    assert complaints_1262(exchanges["heltec_v3"]) == []


def test_the_sx1276_driver_writes_its_datasheets_registers(
    exchanges: dict[str, Exchange],
) -> None:
    assert complaints_1276(exchanges["lilygo_t3_v1_6_1"]) == []


# -- mistakes --

Mutation = Callable[[Trace], Trace]


def change(start: bytes, edit: Callable[[bytes], bytes], which: int | None = None) -> Mutation:
    """Edit all transfers that start so, or one of them."""

    def mutate(trace: Trace) -> Trace:
        hits = [i for i, transfer in enumerate(trace) if transfer.sent.startswith(start)]
        assert hits, "a mutation without effect proves nothing"
        chosen = hits if which is None else [hits[which]]
        return [
            replace(transfer, sent=edit(transfer.sent)) if i in chosen else transfer
            for i, transfer in enumerate(trace)
        ]

    return mutate


def drop(start: bytes) -> Mutation:
    def mutate(trace: Trace) -> Trace:
        left = [transfer for transfer in trace if not transfer.sent.startswith(start)]
        assert len(left) < len(trace)
        return left

    return mutate


def move(start: bytes, before: bytes) -> Mutation:
    """The first transfer that starts so comes before the first that starts otherwise."""

    def mutate(trace: Trace) -> Trace:
        found = next(t for t in trace if t.sent.startswith(start))
        rest = [t for t in trace if t is not found]
        at = next(i for i, t in enumerate(rest) if t.sent.startswith(before))
        assert [*rest[:at], found, *rest[at:]] != trace
        return [*rest[:at], found, *rest[at:]]

    return mutate


def flip(index: int, bits: int) -> Callable[[bytes], bytes]:
    return lambda sent: sent[:index] + bytes((sent[index] ^ bits,)) + sent[index + 1 :]


def put(index: int, value: int) -> Callable[[bytes], bytes]:
    return lambda sent: sent[:index] + bytes((value,)) + sent[index + 1 :]


MISTAKES_1262 = {
    "IQ bit the wrong way round": (change(b"\x0d\x07\x36", flip(3, 4)), "15.4"),
    "IQ register left alone": (drop(b"\x0d\x07\x36"), "15.4"),
    "IQ register overwritten whole": (change(b"\x0d\x07\x36", put(3, 0)), "other bits"),
    "no TX clamp": (drop(b"\x0d\x08\xd8"), "15.2"),
    "TX clamp overwritten": (change(b"\x0d\x08\xd8", put(3, 0x1E)), "15.2"),
    "500 kHz bit at 125 kHz": (change(b"\x0d\x08\x89", flip(3, 4)), "15.1"),
    "15.1 left out": (drop(b"\x0d\x08\x89"), "15.1"),
    "calibration before the TCXO": (move(b"\x89", b"\x97"), "before Calibrate"),
    "image before calibration": (move(b"\x98", b"\x89"), "before CalibrateImage"),
    "no TCXO": (drop(b"\x97"), "TcxoCtrl"),
    "TCXO at 3.3 V": (change(b"\x97", put(1, 7)), "TcxoCtrl"),
    "no calibration": (drop(b"\x89"), "Calibrate"),
    "LDO": (drop(b"\x96"), "DC-DC"),
    "antenna switch forgotten": (drop(b"\x9d"), "DIO2"),
    "image of 915 MHz": (change(b"\x98", lambda _: b"\x98\xe1\xe9"), "863 to 870"),
    "packet type after modulation": (move(b"\x8b", b"\x8a"), "SetPacketType must come"),
    "private sync word": (change(b"\x0d\x07\x40", put(3, 0x14)), "sync word"),
    "downlink with CRC": (change(b"\x8c\x00\x08\x00\xff", put(5, 1)), "SetPacketParams"),
    "uplink inverted": (change(b"\x8c", put(6, 1)), "SetPacketParams"),
    "preamble of 12": (change(b"\x8c", put(2, 12)), "SetPacketParams"),
    "SF12 without LDRO": (change(b"\x8b\x0c", put(4, 0)), "SetModulationParams"),
    "no symbol timeout": (drop(b"\xa0"), "SetLoRaSymbNumTimeout"),
    "timeout register left out": (drop(b"\x0d\x07\x06"), "0x0706"),
    "timeout register before command": (move(b"\x0d\x07\x06", b"\xa0"), "comes first"),
    "timer ends before the header": (
        change(b"\x82", lambda _: b"\x82\x00\x02\x00"), "before it"),
    "TX timer too short": (change(b"\x83", lambda _: b"\x83\x00\x01\x00"), "SetTx"),
    "3 dB too much": (change(b"\x8e", put(1, 17)), "SetTxParams"),
    "PA of the SX1261": (change(b"\x95", lambda _: b"\x95\x04\x00\x01\x01"), "SetPaConfig"),
    "timeout masked": (change(b"\x08", put(1, 0)), "SetDioIrqParams"),
    "wrong channel": (change(b"\x86", flip(3, 0x40), -1), "SetRfFrequency"),
    "frame after SetTx": (move(b"\x83", b"\x0e"), "WriteBuffer"),
    "a window left out": (lambda trace: trace[: max(
        i for i, t in enumerate(trace) if t.sent[:1] == b"\x82")], "never came"),
    "unknown command": (change(b"\x02", lambda _: b"\xaa\x00"), "not on the list"),
    "parameters in RX": (move(b"\x82", b"\x8b\x07"), "SetRx where a tx"),
}  # fmt: skip

MISTAKES_1276 = {
    "RX not inverted": (change(b"\xb3\x67", put(1, 0x27)), "IQ"),
    "TX bit as the datasheet has it": (change(b"\xb3\x27", put(1, 0x26)), "IQ"),
    "second IQ register left out": (drop(b"\xbb\x19"), "IQ"),
    "LoRa outside of sleep": (drop(b"\x81\x00"), "outside of sleep"),
    "no image calibration": (drop(b"\xbb\x42"), "image calibration"),
    "calibration not awaited": (lambda trace: [t for t in trace if t.sent[:1] != b"\x3b"],
                                "before the image calibration has ended"),
    "spurious reception": (change(b"\xb1\x43", put(1, 0xC3)), "ER 2.3"),
    "intermediate frequency left alone": (drop(b"\xaf"), "ER 2.3"),
    "500 kHz value": (change(b"\xb6", put(1, 2)), "ER 2.1"),
    "private sync word": (drop(b"\xb9"), "sync word"),
    "SF12 without LDRO": (change(b"\xa6\x0c", put(1, 4)), "low data rate"),
    "uplink without CRC": (change(b"\x9e\x74", put(1, 0x70)), "CRC"),
    "RFO instead of PA_BOOST": (change(b"\x89", flip(1, 0x80)), "RegPaConfig"),
    "PA_DAC on": (change(b"\xcd", put(1, 0x87)), "RegPaConfig"),
    "3 symbols": (change(b"\x9f", put(1, 3)), "RegSymbTimeout"),
    "old interrupts": (drop(b"\x92"), "old interrupts"),
    "FIFO pointer astray": (drop(b"\x8e"), "pointer"),
    "length forgotten": (drop(b"\xa2"), "RegPayloadLength"),
    "wrong channel": (change(b"\x87", flip(1, 0x10)), "RegFrf"),
    "endless reception": (change(b"\x81\x86", put(1, 0x85)), "never came"),
    "low frequency port": (change(b"\x81\x83", flip(1, 8)), "RegOpMode"),
    "250 kHz": (change(b"\x9d", put(1, 0x82)), "125 kHz"),
    "FIFO in sleep": (change(b"\x81\x81", put(1, 0x80)), "outside of standby"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES_1262)
def test_a_mistake_with_the_sx1262_is_found(exchanges: dict[str, Exchange], mistake: str) -> None:
    mutate, words = MISTAKES_1262[mistake]
    trace, frames = exchanges["heltec_v3"]
    found = complaints_1262((mutate(trace), frames))
    assert any(words in line for line in found), found


@pytest.mark.parametrize("mistake", MISTAKES_1276)
def test_a_mistake_with_the_sx1276_is_found(exchanges: dict[str, Exchange], mistake: str) -> None:
    mutate, words = MISTAKES_1276[mistake]
    trace, frames = exchanges["lilygo_t3_v1_6_1"]
    found = complaints_1276((mutate(trace), frames))
    assert any(words in line for line in found), found
