"""``board.sock``: the simulated board as JSON lines on a UNIX socket, in a thread of its own.

One operation a line, one reply a line, in order. Lines are at most 1 MiB. The thread also lets pressed buttons go on
time; it needs no loop, so that a device whose loop hangs can still be acted on.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from axcore.errors import AxError

from .board_ops import AnyOp, OpError, error_reply, parse_line

NAME = "board.sock"
MAX_LINE = 1 << 20
MAX_PENDING = 4 << 20
"""Bytes of replies that a client may leave unread before it is cut off."""
MAX_CLIENTS = 64
MAX_LATER = 10_000

log = logging.getLogger(__name__)


class _Client:
    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.received = bytearray()
        self.pending = bytearray()
        self.ending = False


class BoardThread:
    """The thread. ``later`` may be called before ``start`` and from any thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._run_op: Callable[[AnyOp], dict[str, Any]] | None = None
        self._selector = selectors.DefaultSelector()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._lock = threading.Lock()
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._stopping = False
        self._server: socket.socket | None = None
        self._thread = threading.Thread(target=self._main, name="board", daemon=True)

    def start(self, run_op: Callable[[AnyOp], dict[str, Any]]) -> None:
        """Bind the socket (0600) and serve operations with ``run_op``."""
        self._run_op = run_op
        self._server = _listen(self.path)
        self._selector.register(self._server, selectors.EVENT_READ)
        self._selector.register(self._wake, selectors.EVENT_READ)
        self._thread.start()

    def stop(self) -> None:
        """Close every connection and end the thread. Again: no effect."""
        with self._lock:
            if self._stopping:
                return
            self._stopping = True
            os.eventfd_write(self._wake, 1)
        if self._thread.ident is not None:
            self._thread.join()
        os.close(self._wake)  # not by the thread: who rings would find the descriptor of somebody else
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Call ``action`` in this thread after ``seconds``; ``OpError`` when too much is waiting."""
        with self._lock:
            if len(self._later) >= MAX_LATER:
                raise OpError("busy", "duration", "too many buttons are pressed")
            heapq.heappush(self._later, (time.monotonic() + seconds, next(self._order), action))
            if not self._stopping:
                os.eventfd_write(self._wake, 1)

    # --- the thread

    def _main(self) -> None:
        try:
            while not self._stopping:
                for key, mask in self._selector.select(self._run_due()):
                    if key.fileobj is self._server:
                        self._accept()
                    elif key.fileobj == self._wake:
                        with contextlib.suppress(BlockingIOError):
                            os.eventfd_read(self._wake)
                    else:
                        self._serve(key.data, mask)
        finally:
            for key in list(self._selector.get_map().values()):
                if isinstance(key.fileobj, socket.socket):
                    key.fileobj.close()
            self._selector.close()

    def _run_due(self) -> float | None:
        """Do what is due; seconds until the next."""
        while True:
            with self._lock:
                if not self._later:
                    return None
                wait = self._later[0][0] - time.monotonic()
                if wait > 0:
                    return wait
                action = heapq.heappop(self._later)[2]
            try:
                action()
            except AxError as error:
                log.warning("a button was not let go: %s", error)

    def _accept(self) -> None:
        assert self._server is not None
        try:
            sock, _ = self._server.accept()
        except OSError:
            return
        if len(self._selector.get_map()) >= MAX_CLIENTS + 2:
            sock.close()
            return
        sock.setblocking(False)
        self._selector.register(sock, selectors.EVENT_READ, _Client(sock))

    def _serve(self, client: _Client, mask: int) -> None:
        try:
            if mask & selectors.EVENT_READ and not client.ending:
                self._read(client)
            if client.pending:
                sent = client.sock.send(client.pending)
                del client.pending[:sent]
        except BlockingIOError:
            pass
        except OSError:
            client.ending = True
            client.pending.clear()
        if (client.ending and not client.pending) or len(client.pending) > MAX_PENDING:
            self._selector.unregister(client.sock)
            client.sock.close()
            return
        wanted = (0 if client.ending else selectors.EVENT_READ) | (selectors.EVENT_WRITE if client.pending else 0)
        self._selector.modify(client.sock, wanted, client)

    def _read(self, client: _Client) -> None:
        data = client.sock.recv(1 << 16)
        if not data:
            client.ending = True
            return
        client.received += data
        *lines, rest = client.received.split(b"\n")
        client.received = rest
        for line in lines:
            if len(line) > MAX_LINE:
                self._too_long(client)
                return
            if line.strip():
                client.pending += msgspec.json.encode(self._reply(bytes(line))) + b"\n"
        if len(rest) > MAX_LINE:
            self._too_long(client)

    @staticmethod
    def _too_long(client: _Client) -> None:
        error = OpError("too_large", "body", f"a line has at most {MAX_LINE} bytes")
        client.pending += msgspec.json.encode(error_reply(error)) + b"\n"
        client.received.clear()
        client.ending = True

    def _reply(self, line: bytes) -> dict[str, Any]:
        assert self._run_op is not None
        try:
            return {"status": "success", "data": self._run_op(parse_line(line))}
        except AxError as error:
            return error_reply(error)
        except Exception as error:  # the board thread must outlive a mistake in one operation
            log.exception("board operation failed")
            return error_reply(error)


def _listen(path: Path) -> socket.socket:
    """A listening socket at ``path``, whatever its length (an address holds 107 bytes)."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        server.bind(str(path) if len(os.fsencode(path)) < 100 else f"/proc/self/fd/{folder}/{path.name}")
        path.chmod(0o600)  # before listen: nobody can connect earlier
        server.listen(MAX_CLIENTS)
    except OSError:
        server.close()
        raise
    finally:
        os.close(folder)
    server.setblocking(False)
    return server
