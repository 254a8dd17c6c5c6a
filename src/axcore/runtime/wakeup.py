"""A plain eventfd with the ``wait`` and ``wake`` that the ledger asks for, where no native I/O thread lends its own."""

from __future__ import annotations

import os
import select


class Wakeup:
    """``wait`` in one thread, ``wake`` from any. A wake before the wait is not lost."""

    def __init__(self) -> None:
        self._fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN)

    def wait(self, timeout_ns: int) -> bool:
        """Block for at most ``timeout_ns``; True when woken."""
        if not self._poll.poll(max(0, -(-timeout_ns // 1_000_000))):
            return False
        try:
            os.eventfd_read(self._fd)
        except BlockingIOError:
            return False
        return True

    def wake(self) -> None:
        """Make the pending or the next ``wait`` return."""
        os.eventfd_write(self._fd, 1)

    def close(self) -> None:
        """Free the descriptor."""
        os.close(self._fd)
