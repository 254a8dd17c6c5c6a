"""The process's end of its UNIX socket: what the owner thread reads commands from, and sends reports to.

The owner thread sleeps in PJSIP's ``select``. Who gives a command wakes it, by an empty keep-alive to its SIP port
(``drivers.voice``); it reads what there is after each wake-up. Only right after it has told of a caller it waits here
(``wait``). When the device is gone, so is this process: a thread of its own waits for that and for nothing else.
Threads: ``first``, ``wait``, ``take`` and ``send`` belong to the owner thread.
"""

from __future__ import annotations

import os
import select
import socket
import threading

import msgspec

from axcore.model.voice import COMMANDS, FRAME, MAX_FRAME, Command, Report, frame

CHUNK = 65536
ANSWER_MS = 5
"""An answer of the device is worth waiting for as long: it takes a millisecond or two."""


class Link:
    """See the module's text."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = bytearray()

    def send(self, report: Report) -> None:
        """Tell the device; without one there is nothing left to do."""
        try:
            self._connection.sendall(frame(report))
        except OSError:
            os._exit(0)

    def first(self) -> Command:
        """The first command, which is waited for."""
        while (command := self._next()) is None:
            self._read(0)
        return command

    def start(self) -> None:
        """End this process with the device, from now on."""
        threading.Thread(target=self._watch, name="device", daemon=True).start()

    def take(self) -> Command | None:
        """The oldest command, or None. Does not wait."""
        command = self._next()
        return command if command is not None or not self._read(socket.MSG_DONTWAIT) else self._next()

    def wait(self, other: socket.socket | None) -> bool:
        """Whether a command comes within ``ANSWER_MS``, and before anything comes to the ``other`` socket.

        For who has just told something that is answered: the answer is there before the knock, and not by way of PJSIP.
        """
        bell = select.poll()
        for one in (self._connection, other):
            if one is not None:
                bell.register(one, select.POLLIN)
        return any(number == self._connection.fileno() for number, _ in bell.poll(ANSWER_MS))

    def _next(self) -> Command | None:
        """Of what was read."""
        buffer = self._buffer
        if len(buffer) < FRAME.size:
            return None
        (length,) = FRAME.unpack_from(buffer)
        if length > MAX_FRAME:
            os._exit(2)
        end = FRAME.size + length
        if len(buffer) < end:
            return None
        body = bytes(buffer[FRAME.size : end])
        del buffer[:end]
        try:
            return COMMANDS.decode(body)
        except msgspec.DecodeError:
            os._exit(2)

    def _read(self, flags: int) -> bool:
        """Read on; whether there was something."""
        try:
            part = self._connection.recv(CHUNK, flags)
        except BlockingIOError:
            return False
        except OSError:
            part = b""
        if not part:
            os._exit(0)
        self._buffer += part
        return True

    def _watch(self) -> None:
        gone = select.poll()
        gone.register(self._connection, select.POLLRDHUP)  # no POLLIN: commands wake somebody else
        gone.poll()
        os._exit(0)
