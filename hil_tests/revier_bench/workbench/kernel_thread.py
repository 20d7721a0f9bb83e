# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A virtual board's kernel in a thread, which takes orders from others."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from revier_bench.virtual_board import Kernel

Answer = TypeVar("Answer")
_FOR_EVER_US = 365 * 86_400 * 1_000_000


class KernelThread:
    """do(order) runs it between two steps of the world and returns what it returns.

    pace: how much faster than the wall's the board's time is.
    """

    def __init__(self, kernel: Kernel, pace: float = 1.0) -> None:
        self._kernel = kernel
        self._pace = pace
        self._orders: queue.Queue[tuple[Callable[[], Any], Future[Any]]] = queue.Queue()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="virtual board")
        self.failure: BaseException | None = None
        self._thread.start()

    def do(self, order: Callable[[], Answer]) -> Answer:
        """Raises what the order raises, and RuntimeError if the world has ended."""
        future: Future[Answer] = Future()
        self._orders.put((order, future))
        if not self._thread.is_alive():
            self._fail_orders()
        else:
            self._kernel.stop()
        return future.result()

    def close(self) -> None:
        if self._thread.is_alive():
            self._closing = True
            self._kernel.stop()
        self._thread.join()
        self._kernel.close()

    def _run(self) -> None:
        try:
            while not self._closing:
                while not self._orders.empty():
                    self._obey(*self._orders.get())
                self._kernel.run_until(_FOR_EVER_US, self._pace)
        except BaseException as error:  # noqa: BLE001 - told to whoever asks next
            self.failure = error
        self._fail_orders()

    @staticmethod
    def _obey(order: Callable[[], Any], future: Future[Any]) -> None:
        try:
            future.set_result(order())
        except BaseException as error:  # noqa: BLE001 - the caller's
            future.set_exception(error)

    def _fail_orders(self) -> None:
        while not self._orders.empty():
            _, future = self._orders.get()
            future.set_exception(RuntimeError(f"the virtual board has ended: {self.failure!r}"))
