"""A real device in a process of its own, seen only from outside: what the demo, the kill loop, the benches and the
end-to-end tests share. Nothing here sleeps to synchronise: each wait is for a datagram or a reply, with a deadline.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from axcore.interfaces.cli.board import Board
from axcore.interfaces.cli.client import Client
from axcore.interfaces.cli.output import CliError
from axcore.interfaces.cli.paths import Running, read_running

MODEL = "a8207-ve-mk2"
PATIENCE = 90.0
"""Seconds that a device gets for what it does at once on an idle machine; nothing is measured with it."""
END_S = 20.0
"""Seconds to end by itself, before it is killed."""


class Edge(NamedTuple):
    """One output edge from the tap."""

    io: str
    active: bool
    t_ns: int


class Tap:
    """The receiving end of ``AXCORE_BOARD_TAP``. Outlives the device, so that the last edge before a kill is seen."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self.path = path
        self.edges: list[Edge] = []
        """Every edge seen so far."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind(str(path))

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()
        self.path.unlink(missing_ok=True)

    def next(self, timeout: float) -> Edge | None:
        """The next edge, or None when none came in ``timeout`` seconds (0 = only what is there already)."""
        self._socket.settimeout(timeout)
        try:
            record = json.loads(self._socket.recv(65536))
        except (TimeoutError, BlockingIOError):
            return None
        edge = Edge(record["io"], record["active"], record["t_ns"])
        self.edges.append(edge)
        return edge

    def expect(self, io: str, active: bool, timeout: float) -> Edge:
        """Wait for an edge of one output; other outputs' edges are passed over. TimeoutError when it does not come."""
        deadline = time.monotonic() + timeout
        while True:
            edge = self.next(max(0.0, deadline - time.monotonic()))
            if edge is None:
                raise TimeoutError(f"{io} did not become {'active' if active else 'inactive'} within {timeout:g} s")
            if edge.io == io and edge.active == active:
                return edge

    def drain(self) -> list[Edge]:
        """Everything that has come so far and was not read yet."""
        found = []
        while (edge := self.next(0)) is not None:
            found.append(edge)
        return found


class Instance:
    """``axcore run MODEL --simulate`` as a subprocess on free ports of 127.0.0.1.

    ``data_dir`` None makes a temporary one, removed by ``close``. ``env`` is added to the environment.
    """

    def __init__(
        self, data_dir: Path | None = None, *, model: str = MODEL, env: Mapping[str, str] | None = None,
        args: Sequence[str] = (), log: Path | None = None,
    ) -> None:  # fmt: skip
        self._own = Path(tempfile.mkdtemp(prefix="axcore-"))
        self.data_dir = data_dir or self._own / "data"
        self.tap = Tap(self._own / "tap")
        self.log = log or self._own / "output"
        self.user, self.password = "admin", "correct horse"
        self.states: list[str] = []
        """What the device told its supervisor: READY=1, WATCHDOG=1, STOPPING=1 ..."""
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(str(self._own / "notify"))
        self.arguments = tuple(args)
        """More of the command line; counts from the next start on."""
        self._model, self._env = model, dict(env or {})
        self._handed: list[Client | Board] = []
        self.process: subprocess.Popen[bytes] | None = None
        self.ready_s = 0.0
        """Seconds from exec to READY=1 of the last start."""

    def __enter__(self) -> Instance:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self, timeout: float = PATIENCE) -> Running:
        """Start and wait until it is ready (told by sd_notify after the ports are bound)."""
        command = [sys.executable, "-m", "axcore", "run", self._model, "--simulate", "--data-dir", str(self.data_dir)]
        command += ["--bind", "127.0.0.1", "--http-port", "0", "--https-port", "0", "--rtsp-port", "0", *self.arguments]
        env = {
            **os.environ, "AXCORE_BOARD_TAP": str(self.tap.path), "NOTIFY_SOCKET": str(self._own / "notify"),
            "PYTHONUNBUFFERED": "1", **self._env,
        }  # fmt: skip
        self._close_handed()
        self.states.clear()
        began = time.monotonic()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.wait_state("READY=1", timeout)
        self.ready_s = time.monotonic() - began
        return self.running

    def wait_state(self, state: str, timeout: float) -> None:
        """Wait for one line of the supervisor protocol. CliError with the device's output when it ends instead."""
        deadline = time.monotonic() + timeout
        while True:
            self._notify.settimeout(max(0.001, min(0.25, deadline - time.monotonic())))
            try:
                lines = self._notify.recv(4096).decode().splitlines()
            except TimeoutError:
                lines = []
            self.states += lines
            if state in lines:
                return
            if self.process is not None and self.process.poll() is not None and not lines:
                raise CliError(f"the device ended ({self.process.returncode}) before {state}\n{self.output()}")
            if time.monotonic() > deadline:
                raise CliError(f"no {state} within {timeout:g} s\n{self.output()}")

    def next_state(self, timeout: float) -> str | None:
        """The next datagram to the supervisor, or None."""
        self._notify.settimeout(timeout)
        try:
            text = self._notify.recv(4096).decode()
        except (TimeoutError, BlockingIOError):
            return None
        self.states += text.splitlines()
        return text

    def output(self, size: int = 3000) -> str:
        """The end of what the device printed."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-size:] if self.log.exists() else ""

    @property
    def running(self) -> Running:
        """Addresses of the device."""
        running = read_running(self.data_dir)
        if running is None:
            raise CliError(f"no device runs with {self.data_dir}\n{self.output()}")
        return running

    @property
    def pid(self) -> int:
        """Process id of the device."""
        assert self.process is not None
        return self.process.pid

    def client(self, timeout: float = PATIENCE) -> Client:
        """A new HTTPS client with the admin's password; closed at the next start or at the end."""
        client = Client.of(self.running, self.user, self.password, timeout)
        self._handed.append(client)
        return client

    def board(self, timeout: float = PATIENCE) -> Board:
        """A new connection to the board; closed at the next start or at the end."""
        board = Board(self.data_dir, timeout)
        self._handed.append(board)
        return board

    def _close_handed(self) -> None:
        while self._handed:
            self._handed.pop().close()

    def create_admin(self) -> str:
        """First set-up, as a user does it."""
        client = Client.of(self.running, timeout=PATIENCE)
        fields = {
            "action": "add",
            "user": self.user,
            "pwd": self.password,
            "grp": "root",
            "sgrp": "admin:operator:viewer:ptz",
        }
        try:
            return client.text("POST", "/axis-cgi/pwdgrp.cgi", fields).strip()
        finally:
            client.close()

    def kill(self) -> None:
        """SIGKILL, now."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, timeout: float = PATIENCE) -> int:
        """Ctrl-C; gives the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout)

    def close(self) -> None:
        """End the process if it still runs, remove temporary files."""
        self._close_handed()
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.stop(END_S)
            if self.process.poll() is None:
                self.kill()
        self.tap.close()
        self._notify.close()
        shutil.rmtree(self._own, ignore_errors=True)


def wait_for(what: str, probe: Callable[[], Any], timeout: float, step: float = 0.005) -> Any:
    """Ask again until ``probe`` gives something true; TimeoutError naming ``what`` after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        if found := probe():
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {timeout:g} s")
        time.sleep(step)
