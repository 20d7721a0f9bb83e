# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What is inlined, what keeps its definition, and that the firmware does the same as before."""

import pytest

from revier_bench import firmware_mpy
from revier_bench.constant_inlining import inline


def done(sources: dict[str, str], users: dict[str, str] | None = None) -> dict[str, str]:
    """Without the empty lines that are left where something went."""
    texts = inline(sources, users or {})
    for name, text in texts.items():
        assert len(text.splitlines()) == len(sources[name].splitlines())
    return {
        name: "\n".join(line for line in text.splitlines() if line.strip() not in ("", "pass"))
        for name, text in texts.items()
    }


def test_uses_in_the_module_and_from_others():
    table = (
        "LIMIT = 4\n_STEP = 2 * LIMIT - 1\nNAME = 'sent'\ndef f(x):\n    return x + _STEP + LIMIT"
    )
    user = (
        "from mac import table\nfrom mac.table import NAME\n"
        "def g(x):\n    from mac import table as t\n    return (table.LIMIT, t.LIMIT, NAME)"
    )
    found = done({"mac.table": table, "user": user})
    assert found["mac.table"] == "def f(x):\n    return x + 7 + 4"
    assert found["user"] == "def g(x):\n    return (4, 4, 'sent')"


def test_const_is_done_here():
    source = "from micropython import const\nMASK = const(0x0A)\ndef f(x):\n    return x & MASK"
    assert done({"one": source})["one"] == "def f(x):\n    return x & 10"


def test_what_is_read_from_an_object_keeps_its_definition():
    kind = "PORT = 10\nHIDDEN = 1\ndef f():\n    return PORT + HIDDEN"
    found = done({"kind": kind, "user": "def g(kind):\n    return kind.PORT"})
    assert found["kind"] == "PORT = 10\ndef f():\n    return 10 + 1"


def test_what_a_file_outside_reads_keeps_its_definition():
    sources = {"app.store": "FLAG = 1\nOTHER = 2"}
    assert done(sources, {"main": "from app.store import FLAG"})["app.store"] == "FLAG = 1"
    assert done(sources, {"main": "from app import store\nstore.OTHER"})["app.store"] == "OTHER = 2"
    sum_of = {"app.store": "FLAG = 1\nOTHER = FLAG + 2"}
    assert done(sum_of, {"main": "store.OTHER"})["app.store"] == "OTHER = 3"


@pytest.mark.parametrize(
    "source",
    [
        "LIMIT = 4\ndef f(LIMIT):\n    return LIMIT",
        "LIMIT = 4\nLIMIT = 5\nx = LIMIT",
        "LIMIT = 4\ndef f():\n    global LIMIT\n    LIMIT += 1",
        "for LIMIT in x:\n    f()\nLIMIT = 3",
        "limit = 4\nx = limit",
        "LIMIT = f()\nx = LIMIT",
        "TABLE = (1, 2)\nx = TABLE[0]",
    ],
)
def test_what_is_no_constant_stays(source: str):
    compiled = compile(done({"one": source})["one"], "one", "exec")
    assert compiled.co_names == compile(source, "one", "exec").co_names


def test_a_name_of_an_import_that_is_bound_otherwise_too_is_left_alone():
    user = "from mac import table\ndef f(table):\n    return table.LIMIT"
    found = done({"mac.table": "LIMIT = 4", "user": user})
    assert found == {"mac.table": "LIMIT = 4", "user": user}


def test_an_import_that_others_use_through_this_module_stays():
    sources = {
        "a.base": "FAULT = 'fault'",
        "a.sensor": "from a.base import FAULT\nx = FAULT",
        "user": "from a import sensor\ny = sensor.FAULT",
    }
    found = done(sources)
    assert found["a.sensor"] == "from a.base import FAULT\nx = 'fault'"
    assert found["a.base"] == "FAULT = 'fault'"


def test_every_constant_of_the_firmware_that_is_named_anywhere_is_there_or_inlined():
    """The prepared sources compile, and read no name of a module that is gone."""
    texts = firmware_mpy.prepared()
    assert len(texts) > 40
    for name, text in texts.items():
        compile(text, name, "exec")
    joined = "\n".join(texts.values())
    for constant in ("act.TX_DONE", "counts.DUTY", "eu868.BUCKET_MS", "radio_bus.IRQ_TX_DONE"):
        assert constant not in joined
    assert "\nINTERVAL_S = " in texts["revier_node/kinds/air.mpy"]


def test_files_of_constants_alone_are_not_shipped():
    assert "revier_mac/counts.mpy" in firmware_mpy.sources()
    assert "revier_mac/counts.mpy" not in firmware_mpy.prepared()
    assert "revier_node/board_check.mpy" in firmware_mpy.prepared(), "imported by none, not empty"


def test_several_in_one_assignment_are_constants_like_any() -> None:
    done = inline({"m": "A, B = 1, 2\nC, d = 3, 4\n\n\ndef f():\n    return A + C\n"}, {})["m"]
    assert "A" not in done
    assert "return 1 + C" in done
    assert "C, d = 3, 4" in done
    left = inline({"m": "A, B = 1, (2, 3)\n\n\ndef f():\n    return A, B\n"}, {})["m"]
    assert left.splitlines()[0] == "pass; B = (2, 3)"
    assert "return 1, B" in left
