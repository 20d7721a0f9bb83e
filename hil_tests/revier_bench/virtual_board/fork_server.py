# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A small single-threaded process: an interpreter with the shims loaded, forked for each boot.

Run as `python fork_server.py CONTROL_FD SITE_PACKAGES HEAP_BYTES`; imports nothing of the
project. MicroPython's main() runs in it up to the point where shim/_link.py writes its first byte
to descriptor 3. That byte raises SIGIO on the other end, and the signal's handler is the server:
it serves for ever here, and in each forked child it returns, so that the child's interpreter goes
on behind that write with a board's descriptors in place. Commands come over a SEQPACKET socket:

    {"op": "add", "id": n, "env": {...}, "tty": bool} + two descriptors (link, console)
    {"op": "boot", "id": n} + LF + welcome   kill and reap what runs there, fork
    {"op": "kill", "id": n}   kill and reap
    {"op": "interrupt", "id": n}   SIGINT, where it has a handler
    -> {"op": "dead", "id": n, "boot": n, "status": wait status}   it ended by itself
    -> {"op": "killed", "id": n}
    -> {"op": "interrupted", "id": n, "done": bool}
"""

import contextlib
import ctypes
import fcntl
import gc
import json
import os
import resource
import select
import signal
import socket
import sys
import termios
import time
from typing import Any

LINK_FD = 3
WELCOME_FD = 4


class Server:
    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.boards: dict[int, dict[str, Any]] = {}
        self.by_pid: dict[int, int] = {}
        self.wake_r, self.wake_w = os.pipe()
        os.set_blocking(self.wake_r, False)
        os.set_blocking(self.wake_w, False)

    def serve(self) -> None:
        """Until the control socket closes; returns early in a child, which is a board then."""
        while True:
            watched: list[Any] = [self.control, self.wake_r]
            ready, _, _ = select.select(watched, [], [])
            if self.control in ready:
                data, descriptors, _, _ = socket.recv_fds(self.control, 65536, 2)
                if not data:
                    self.end()
                head, _, welcome = data.partition(b"\n")
                if self.handle(json.loads(head), welcome, descriptors):
                    return
            if self.wake_r in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self.wake_r, 4096)
                self.reap()

    def handle(self, message: dict[str, Any], welcome: bytes, descriptors: list[int]) -> bool:
        """True in a child."""
        op, board_id = message["op"], message["id"]
        if op == "add":
            self.boards[board_id] = message | {"fds": descriptors, "boot": 0, "pid": 0}
        elif op == "boot":
            self.kill(board_id)
            return self.boot(board_id, welcome)
        elif op == "kill":
            self.kill(board_id)
            self.say({"op": "killed", "id": board_id})
        elif op == "interrupt":
            done = interrupted(self.boards[board_id]["pid"])
            self.say({"op": "interrupted", "id": board_id, "done": done})
        return False

    def boot(self, board_id: int, welcome: bytes) -> bool:
        board = self.boards[board_id]
        board["boot"] += 1
        pid = os.fork()
        if pid == 0:
            self.become(board, welcome)
            return True
        board["pid"] = pid
        self.by_pid[pid] = board_id
        return False

    def become(self, board: dict[str, Any], welcome: bytes) -> None:
        """In the child: signals, terminal, descriptors, environment of the board."""
        first_r, first_w = os.pipe()
        os.write(first_w, welcome)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        link, console = board["fds"]
        if board["tty"]:
            os.setsid()
            fcntl.ioctl(console, termios.TIOCSCTTY, 0)
        for target in (0, 1, 2):
            os.dup2(console, target)
        self.control.close()
        os.dup2(link, LINK_FD)
        os.dup2(first_r, WELCOME_FD)
        os.environ.update(board["env"])

    def kill(self, board_id: int) -> None:
        """Wait for the end: a dying process must not read what is meant for the next one."""
        board = self.boards[board_id]
        pid, board["pid"] = board["pid"], 0
        if not pid:
            return
        os.kill(pid, signal.SIGKILL)
        self.by_pid.pop(pid, None)
        os.waitpid(pid, 0)

    def reap(self) -> None:
        while self.by_pid:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            board_id = self.by_pid.pop(pid, None)
            if board_id is None:
                continue
            board = self.boards[board_id]
            if board["pid"] == pid:
                board["pid"] = 0
                self.say({"op": "dead", "id": board_id, "boot": board["boot"], "status": status})

    def say(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(BrokenPipeError):
            self.control.send(json.dumps(message).encode())

    def end(self) -> None:
        for pid in self.by_pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in list(self.by_pid):
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
        os._exit(0)


def interrupted(pid: int) -> bool:
    """SIGINT, if the process has a handler for it: the interpreter has none while Ctrl-C is only a
    byte, and would end. It stands still in between, so that it cannot change its mind."""
    if not pid:
        return False
    with contextlib.suppress(ProcessLookupError, FileNotFoundError):
        os.kill(pid, signal.SIGSTOP)
        try:
            while (status := status_of(pid))["State"][0] not in "TZX":
                time.sleep(0)
            if int(status["SigCgt"], 16) >> (signal.SIGINT - 1) & 1:
                os.kill(pid, signal.SIGINT)
                return True
        finally:
            os.kill(pid, signal.SIGCONT)
    return False


def status_of(pid: int) -> dict[str, str]:
    with open(f"/proc/{pid}/status") as file:  # noqa: PTH123 - each board would have pathlib in memory
        fields = (line.partition(":") for line in file)
        return {name: value.strip() for name, _, value in fields}


def serve_at_first_write(server: Server) -> object:
    """Descriptor 3 becomes a socket whose other end raises SIGIO; returns what must stay alive."""
    near, far = socket.socketpair()
    os.dup2(near.fileno(), LINK_FD)
    handler_type = ctypes.CFUNCTYPE(None, ctypes.c_int)

    def on_write(_number: int) -> None:
        try:
            server.serve()
        except BaseException as error:  # noqa: BLE001 - nothing may return into the template
            os.write(2, f"fork server: {error!r}\n".encode())
            os._exit(70)

    handler = handler_type(on_write)
    libc = ctypes.CDLL(None)
    libc.signal.restype = ctypes.c_void_p
    libc.signal(signal.SIGIO, handler)
    fcntl.fcntl(far.fileno(), fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(far.fileno(), fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    return near, far, handler, libc


def main() -> None:
    heap = sys.argv[3]
    control = socket.socket(fileno=fcntl.fcntl(int(sys.argv[1]), fcntl.F_DUPFD, WELCOME_FD + 1))
    os.close(int(sys.argv[1]))
    for taken in (LINK_FD, WELCOME_FD):  # nothing else may get these numbers
        os.dup2(0, taken)
    server = Server(control)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))  # a reply must not preempt us
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(server.wake_w, warn_on_full_buffer=False)
    keep = serve_at_first_write(server)
    gc.disable()
    gc.freeze()
    status = run_main(["micropython", "-X", f"heapsize={heap}", "-i", "-m", "_boot"])
    del keep
    os._exit(status & 0xFF)


if __name__ == "__main__":
    sys.path.append(sys.argv[2])
    from micropython_run import run_main

    main()
