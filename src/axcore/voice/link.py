"""The process's end of its UNIX socket: a thread that reads commands, and a sender of reports.

A command wakes the owner thread, which sleeps in PJSIP's ``select``, by an empty keep-alive to its own SIP socket. When
the device is gone, so is this process. Threads: ``read`` has its own, ``send`` belongs to the owner thread.
"""

from __future__ import annotations

import os
import socket
import threading
from collections import deque
from collections.abc import Callable

import msgspec

from axcore.model.voice import COMMANDS, FRAME, MAX_FRAME, Command, Report, frame


class Link:
    """See the module's text."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._commands: deque[Command] = deque()
        self._wake: Callable[[], None] = lambda: None

    def send(self, report: Report) -> None:
        """Tell the device; without one there is nothing left to do."""
        try:
            self._connection.sendall(frame(report))
        except OSError:
            os._exit(0)

    def first(self) -> Command:
        """The first command, which is waited for."""
        return self._receive()

    def start(self, wake: Callable[[], None]) -> None:
        """Read from now on; ``wake`` is called after each command."""
        self._wake = wake
        threading.Thread(target=self._read, name="commands", daemon=True).start()

    def take(self) -> Command | None:
        """The oldest command, or None."""
        return self._commands.popleft() if self._commands else None

    def _read(self) -> None:
        while True:
            self._commands.append(self._receive())
            self._wake()

    def _receive(self) -> Command:
        (length,) = FRAME.unpack(self._exactly(FRAME.size))
        if length > MAX_FRAME:
            os._exit(2)
        try:
            return COMMANDS.decode(self._exactly(length))
        except msgspec.DecodeError:
            os._exit(2)

    def _exactly(self, count: int) -> bytes:
        found = bytearray()
        while len(found) < count:
            try:
                part = self._connection.recv(count - len(found))
            except OSError:
                part = b""
            if not part:
                os._exit(0)
            found += part
        return bytes(found)
