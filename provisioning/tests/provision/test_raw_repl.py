# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The raw REPL's client against a scripted stream, with a clock that only reading advances."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revier_provision.board.raw_repl import (
    BANNER,
    OUTPUT_BYTES_MAX,
    BoardSilentError,
    BoardTimeoutError,
    RawRepl,
    RemoteError,
)
from revier_provision.errors import BoardError

Answer = Callable[[str], tuple[bytes, bytes]]


def echo(source: str) -> tuple[bytes, bytes]:
    """What a board answers to print('...'): output, traceback."""
    if source.startswith("print("):
        return source[7:-2].encode() + b"\r\n", b""
    return b"", b""


class ScriptedBoard:
    """The board's side of the protocol. `paste` is its answer to Ctrl-E A Ctrl-A."""

    def __init__(
        self,
        answer: Answer = echo,
        *,
        paste: bytes = b"R\x01",
        window: int = 32,
        deaf_knocks: int = 0,
        read_max: int = 7,
    ) -> None:
        self.answer = answer
        self.paste = paste
        self.window = window
        self.deaf_knocks = deaf_knocks
        self.read_max = read_max
        self.now = 0.0
        self.out = b""
        self.pending = b""
        self.mode = "friendly"
        self.source = b""
        self.room = 0
        self.mute = False
        self.gone = False
        self.sources: list[str] = []

    # ByteStream

    def read(self, size: int = 1) -> bytes:
        if self.gone:
            raise OSError(5, "Input/output error")
        data, self.out = self.out[: min(size, self.read_max)], self.out[min(size, self.read_max) :]
        if not data:
            self.now += 0.02
        return data

    @property
    def in_waiting(self) -> int:
        return min(len(self.out), self.read_max)

    def write(self, data: bytes) -> int:
        if self.gone:
            raise OSError(5, "Input/output error")
        for byte in data:
            self._take(bytes([byte]))
        return len(data)

    # The board

    def _take(self, byte: bytes) -> None:
        getattr(self, f"_take_{self.mode}")(byte)

    def _take_friendly(self, byte: bytes) -> None:
        if byte != b"\x01":
            return
        if self.deaf_knocks:
            self.deaf_knocks -= 1
            self.out += b"ets Jul 29 2019 12:21:46\r\nrst:0x1 (POWERON)\xff\xfe"
            return
        self.mode, self.pending = "raw", b""
        self.out += b"\r\n>>> \r\n" + BANNER

    def _take_raw(self, byte: bytes) -> None:
        if byte == b"\x01" and self.pending == b"\x05A":
            self.pending = b""
            self.out += self.paste
            if self.paste == b"R\x01":
                self.mode, self.source, self.room = "paste", b"", self.window
                self.out += self.window.to_bytes(2, "little")
            elif self.paste != b"R\x00":
                self.out += b"w REPL; CTRL-B to exit\r\n>"
        elif byte == b"\x01":
            self.pending = b""
            self.out += BANNER
        elif byte == b"\x03":
            self.pending = b""
        elif byte == b"\x02":
            self.mode = "friendly"
        elif byte == b"\x04":
            self.out += b"OK"
            self._execute(self.pending.lstrip(b"\r"))
        else:
            self.pending += byte

    def _take_paste(self, byte: bytes) -> None:
        if byte == b"\x04":
            self.out += b"\x04"
            self.mode = "raw"
            self._execute(self.source)
            return
        assert self.room > 0, "the client wrote more than the window"
        self.source += byte
        self.room -= 1
        if self.room == 0:
            self.out += b"\x01"
            self.room = self.window

    def _execute(self, source: bytes) -> None:
        self.pending = b""
        self.sources.append(source.decode())
        if self.mute:
            return
        output, traceback = self.answer(source.decode())
        self.out += output + b"\x04" + traceback + b"\x04>"


def repl_of(board: ScriptedBoard) -> RawRepl:
    def sleep(seconds: float) -> None:
        board.now += seconds

    return RawRepl(board, clock=lambda: board.now, sleep=sleep)


def entered(board: ScriptedBoard) -> RawRepl:
    repl = repl_of(board)
    repl.enter()
    return repl


PASTES = pytest.mark.parametrize("paste", [b"R\x01", b"R\x00", b"ra"])


@PASTES
def test_a_program_runs_whatever_the_board_knows_of_raw_paste(paste: bytes) -> None:
    board = ScriptedBoard(paste=paste)
    repl = entered(board)
    assert repl.run("print('hello')") == "hello\n"
    assert repl.run("print('again')") == "again\n"
    assert board.sources[-2:] == ["print('hello')", "print('again')"]


@given(
    text=st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF), max_size=300),
    window=st.integers(1, 64),
    read_max=st.integers(1, 64),
    paste=st.sampled_from([b"R\x01", b"R\x00", b"ra"]),
)
def test_any_program_arrives_whole(text: str, window: int, read_max: int, paste: bytes) -> None:
    board = ScriptedBoard(window=window, read_max=read_max, paste=paste)
    entered(board).run("#" + text)
    assert board.sources[-1] == "#" + text


def test_knocking_goes_on_until_the_board_has_started() -> None:
    board = ScriptedBoard(deaf_knocks=40)
    entered(board)
    assert board.mode == "raw"
    assert 4.0 <= board.now < 6.0


def test_a_board_that_never_answers_is_silent_not_a_hang() -> None:
    board = ScriptedBoard(deaf_knocks=10_000)
    with pytest.raises(BoardSilentError, match=r"within 5 s.*press its reset button"):
        repl_of(board).enter(window_s=5)
    assert board.now < 6


def test_a_program_that_never_ends_is_interrupted() -> None:
    board = ScriptedBoard()
    repl = entered(board)
    board.mute = True
    began = board.now
    with pytest.raises(BoardTimeoutError, match="did not answer in time"):
        repl.run("while True: pass", limit_s=3)
    assert 3 <= board.now - began < 4


def test_an_exception_carries_its_last_line_and_not_the_source() -> None:
    traceback = b'Traceback (most recent call last):\r\n  File "<stdin>"\r\nOSError: 28\r\n'
    board = ScriptedBoard(lambda source: (b"", traceback) if "secret" in source else echo(source))
    repl = entered(board)
    with pytest.raises(RemoteError) as caught:
        repl.run("secret = 'c0ffee'")
    assert caught.value.exception == "OSError: 28"
    assert "c0ffee" not in f"{caught.value!r} {caught.value} {vars(caught.value)}"
    assert repl.run("print('still there')") == "still there\n"


@pytest.mark.parametrize("size", [OUTPUT_BYTES_MAX, OUTPUT_BYTES_MAX + 1])
def test_output_has_a_limit(size: int) -> None:
    def much(source: str) -> tuple[bytes, bytes]:
        return (b"x" * size, b"") if source == "much" else echo(source)

    board = ScriptedBoard(much, read_max=1)
    repl = entered(board)
    board.read_max = 4096
    if size <= OUTPUT_BYTES_MAX:
        assert len(repl.run("much")) == size
    else:
        board.answer = lambda source: (b"x" * (OUTPUT_BYTES_MAX + 8192), b"")
        with pytest.raises(BoardError, match="more than"):
            repl.run("much")


def test_a_pulled_cable_is_said_in_words() -> None:
    board = ScriptedBoard()
    repl = entered(board)
    board.gone = True
    with pytest.raises(BoardError, match=r"The port went away.*Plug the board in again"):
        repl.run("print('x')")


def test_a_board_that_stops_taking_the_program_is_an_error() -> None:
    board = ScriptedBoard(window=4)
    repl = entered(board)

    def abort(byte: bytes) -> None:
        board.out += b"\x04"

    board._take_paste = abort  # type: ignore[method-assign]
    with pytest.raises(BoardError, match="stopped taking"):
        repl.run("print('a program longer than the window')")


def test_another_program_on_the_port_is_noticed() -> None:
    board = ScriptedBoard(lambda source: (b"somebody else's output\r\n", b""))
    with pytest.raises(BoardSilentError, match="Close other programs"):
        repl_of(board).enter()


@given(st.binary(max_size=200))
def test_noise_is_an_error_with_a_next_step_and_never_a_crash(noise: bytes) -> None:
    board = ScriptedBoard()
    repl = entered(board)
    board.mute = True
    board.out += noise
    try:
        repl.run("print('x')", limit_s=1)
    except BoardError as error:
        assert error.cure  # noqa: PT017 - noise that looks like an answer is one


def test_leaving_restarts_the_node() -> None:
    board = ScriptedBoard()
    repl = entered(board)
    repl.leave()
    assert board.sources[-1] == "import machine\nmachine.reset()"
    repl = entered(ScriptedBoard())
    repl.leave(reset=False)
