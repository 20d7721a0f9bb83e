# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""With the chip's costs each call takes its time; interruptions come where the port has them."""

from __future__ import annotations

import statistics

from revier_bench.virtual_board import Kernel
from revier_bench.virtual_board.costs import CHIP, Costs

from .conftest import SECOND_US, MakeNode
from .test_time import RADIO, Ether

STEPS = "def steps(n):\n    worst = 0\n    for i in range(n):\n        t = time.ticks_us()\n"
WORST = (
    "        d = time.ticks_diff(time.ticks_us(), t)\n"
    "        worst = max(worst, d)\n"
    "    return worst\n"
)


def run(make_node: MakeNode, kernel: Kernel, code: str, costs: Costs = CHIP) -> list[str]:
    node = make_node("import gc, micropython, machine, time\n" + code, costs=costs)
    node.board.power_on()
    kernel.run_until(60 * SECOND_US)
    return node.lines


def test_a_factor_is_one_of_times_only() -> None:
    thrice = CHIP.times(3)
    assert (thrice.select_us, thrice.soft_irq_us) == (75, (300, 30_000))
    assert thrice.collect_us == (15_000, 150_000)
    assert thrice.collect_every_bytes == CHIP.collect_every_bytes


def test_no_call_takes_less_than_25_us(make_node: MakeNode, kernel: Kernel) -> None:
    calls = (
        "cs(1)", "cs()", "busy()", "reset(1)", "spi.write(buf)", "spi.write_readinto(buf, buf)",
        "time.sleep_us(1)", "time.sleep_ms(1)", "time.ticks_ms()", "time.time_ns()", "wdt.feed()",
        "machine.idle()",
    )  # fmt: skip
    code = "".join(
        f"t = time.ticks_us()\n{call}\nprint(time.ticks_diff(time.ticks_us(), t))\n"
        for call in calls
    )
    # the second reading of the clock takes 25 us itself
    took_us = run(make_node, kernel, RADIO + "wdt = machine.WDT()\nbuf = bytearray(4)\n" + code)
    assert len(took_us) >= len(calls)
    shortest = min(zip(took_us, calls, strict=False), key=lambda pair: int(pair[0]))
    assert int(shortest[0]) >= 50, shortest


def test_a_collection_comes_where_heap_is_taken(make_node: MakeNode, kernel: Kernel) -> None:
    lines = run(
        make_node,
        kernel,
        STEPS + "        bytearray(100)\n" + WORST + "print(steps(300))\n"
        "t = time.ticks_us()\ngc.collect()\nprint(time.ticks_diff(time.ticks_us(), t))\n",
    )
    worst_us, collect_us = map(int, lines)
    assert 5_000 <= worst_us <= 50_200
    assert 5_000 <= collect_us <= 50_200


def test_no_collection_comes_where_none_is_taken(make_node: MakeNode, kernel: Kernel) -> None:
    """Under the lock, and without it for a program that takes no heap."""
    lines = run(
        make_node,
        kernel,
        STEPS + "        pass\n" + WORST + "steps(2)\na = steps(300)\n"
        "micropython.heap_lock()\nb = steps(300)\nmicropython.heap_unlock()\nprint(a, b)\n",
    )
    assert max(map(int, lines[0].split())) <= 25 + CHIP.stray_us * 2


def test_to_take_heap_under_the_lock_is_an_error(make_node: MakeNode, kernel: Kernel) -> None:
    lines = run(make_node, kernel, "micropython.heap_lock()\nbytearray(100)\n")
    assert any("MemoryError" in line for line in lines)


def interrupts_us(make_node: MakeNode, kernel: Kernel, costs: Costs) -> list[int]:
    air = Ether()
    node = make_node(
        RADIO + "at = []\ndio1.irq(lambda pin: at.append(time.ticks_us()), 1)\nsetup()\n"
        "for i in range(60):\n"
        "    command(0x0E, 0, 1, 2, 3, 4, 5)\n"
        "    command(0x83, 0, 0, 0)\n"
        "    time.sleep_ms(100)\n"
        "    command(2, 3, 255)\n"
        "for one in at: print(one)\n",
        air=air,
        costs=costs,
    )
    node.board.power_on()
    kernel.run_until(20 * SECOND_US)
    assert len(node.lines) == len(air.emitted) == 60
    return [
        int(line) - emission.end_us
        for line, emission in zip(node.lines, air.emitted, strict=True)
    ]  # fmt: skip


def test_a_soft_interrupt_is_late_with_a_tail(make_node: MakeNode, kernel: Kernel) -> None:
    late_us = interrupts_us(make_node, kernel, CHIP)
    assert min(late_us) >= 100
    assert statistics.median(late_us) < 3_000
    assert 5_000 < max(late_us) <= 10_000 + 200


def test_without_its_cost_it_is_on_time(make_node: MakeNode, kernel: Kernel) -> None:
    assert max(interrupts_us(make_node, kernel, Costs())) <= 10
