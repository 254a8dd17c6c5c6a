"""Blocking work (look-ups, FTP, POP, SMB) in threads of its own: bounded, and ended from outside.

The loop's default executor is for the loop: a dead name server must not stop what else uses it. A thread here is a
daemon, so that one that hangs in a look-up does not keep the process from ending.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from .delivery import DeliveryError

T = TypeVar("T")
MAX_THREADS = 64
"""More than recipients can keep busy, three look-ups that hang for each."""


class Cutter:
    """Ends what a thread waits for: every socket that was added is shut down, and none can be added any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._cut = False

    def add(self, sock: socket.socket) -> None:
        """Have ``sock`` shut down by ``cut``. DeliveryError if that has been."""
        with self._lock:
            if not self._cut:
                self._sockets.append(sock)
                return
        sock.close()
        raise DeliveryError("took too long", transient=True)

    def cut(self) -> None:
        """Any thread."""
        with self._lock:
            self._cut = True
            for sock in self._sockets:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)  # of a TLS socket: without a farewell


class Threads:
    """``running`` counts threads that have not ended."""

    def __init__(self, limit: int = MAX_THREADS) -> None:
        self.running = 0
        self._limit = limit
        self._lock = threading.Lock()

    async def run(self, work: Callable[[Cutter], T]) -> T:
        """``work(cutter)`` in a thread; when the caller is cancelled, what it waits for is cut off."""
        with self._lock:
            if self.running >= self._limit:
                raise DeliveryError("too many look-ups and transfers hang already", transient=True)
            self.running += 1
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        cutter = Cutter()

        def target() -> None:
            result: Any = None
            failure: BaseException | None = None
            try:
                result = work(cutter)
            except BaseException as error:
                failure = error
            with self._lock:
                self.running -= 1
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
                loop.call_soon_threadsafe(_settle, future, result, failure)

        threading.Thread(target=target, name="recipient", daemon=True).start()
        try:
            return await future
        except asyncio.CancelledError:
            cutter.cut()
            raise


def _settle(future: asyncio.Future[Any], result: Any, failure: BaseException | None) -> None:
    if future.done():
        return
    if failure is None:
        future.set_result(result)
    else:
        future.set_exception(failure)
