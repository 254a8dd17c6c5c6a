"""A voice process and its end of the UNIX socket: started, watched, started again, never waited for.

A thread of its own reads the reports and hands them over; commands are written by whoever has them, without a wait. A
process that ends, aborts, is killed, does not take its commands or shows no life (``Alive``) for ``LOOKS`` times
``LOOK_S`` is gone: that is told (``on_lost``), and another one is started after ``FIRST_DELAY``, later after repeated
failures. It sleeps until SIP comes: who gives it a command knocks at its SIP port. Nothing here needs the event loop,
so calls outlive a blocked one.
Threads: ``start``, ``stop`` and ``send`` any; the callbacks come from the reading thread.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

import msgspec

from axcore.model.voice import (
    FRAME,
    KNOCK,
    LOOPBACK,
    MAX_FRAME,
    REPORTS,
    Alive,
    Command,
    Configure,
    Quit,
    Ready,
    Report,
    frame,
)
from axcore.runtime.clock import NS, Clock, SystemClock

log = logging.getLogger(__name__)

FIRST_DELAY: Final = 0.1
MOST_DELAY: Final = 1.0
SLOW_DELAY: Final = 10.0
FAILURES: Final = 6
"""Ends in a row, each within ``WELL_NS`` of its start, after which it is tried every ``SLOW_DELAY`` only."""
WELL_NS: Final = 5 * NS
BUFFER: Final = 1 << 20
LAST_WORDS_S: Final = 1.5
END_S: Final = 0.25
"""Between the end of its socket and its own."""
LOOK_S: Final = 5.0
LOOKS: Final = 3
"""So many in a row without a word end a process. Looks are counted and not seconds, so that a device that was stopped
for a while, or had no time, does not take that for its process's silence."""
LOOKS_AT_START: Final = 12
"""The same, before it is ready."""
SILENT: Final = "does not answer any more"
MODULE: Final = "axcore.voice"


class VoiceProcess:
    """See the module's text.

    Args:
        name: for threads and logs.
        configure: what the next process is told first.
        on_report, on_lost: what it says, and that it is gone: why, or nothing when that was asked for.
    """

    def __init__(
        self,
        name: str,
        configure: Callable[[], Configure],
        on_report: Callable[[Report], None],
        on_lost: Callable[[str], None],
        *,
        clock: Clock | None = None,
    ) -> None:
        self.name = name
        self.starts = 0
        """How often a process was started."""
        self.untold = False
        """Whether the end of the last one was not told. Of the thread, and of who has stopped it."""
        self._configure, self._on_report, self._on_lost = configure, on_report, on_lost
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._asked = False
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._door: tuple[str, int] | None = None
        """Its SIP port, once it is known."""
        self._knocks = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._thread: threading.Thread | None = None

    @property
    def pid(self) -> int | None:
        """Of the process that runs; None without one."""
        process = self._process
        return None if process is None or process.poll() is not None else process.pid

    def start(self) -> None:
        """Start the thread, which starts the process. Once."""
        self._thread = threading.Thread(target=self._keep, name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Have it hang up and unregister, then end it. Safe to call twice."""
        self._stopping.set()
        self.send(Quit())
        if self._thread is threading.current_thread():
            return
        if self._thread is not None:
            self._thread.join(LAST_WORDS_S)
            self._drop()
            self._thread.join()
        self._knocks.close()

    def restart(self) -> None:
        """End this process; the next one comes at once and is configured anew."""
        self._asked = True
        if not self.send(Quit()):
            self._asked = False

    def send(self, command: Command) -> bool:
        """Give a command; False if there is nobody to take it. One who takes none any more is ended."""
        data = frame(command)
        with self._lock:
            connection = self._socket
            if connection is None:
                return False
            try:
                sent = connection.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
            except OSError:
                sent = 0
        if sent == len(data):
            self._knock()
            return True
        self._drop()
        return False

    def _knock(self) -> None:
        """Have it read its commands now; it looks for them by itself every second."""
        door = self._door
        if door is not None:
            with contextlib.suppress(OSError):
                self._knocks.sendto(KNOCK, socket.MSG_DONTWAIT, door)

    # --- the thread

    def _keep(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            began = self._clock.mono_ns()
            reason = self._run()
            if self._stopping.is_set():
                return
            asked, self._asked, self.untold = self._asked, False, False
            self._on_lost("" if asked else reason)
            if asked:
                continue
            failures = 0 if self._clock.mono_ns() - began >= WELL_NS else failures + 1
            delay = SLOW_DELAY if failures >= FAILURES else min(MOST_DELAY, FIRST_DELAY * 2 ** max(0, failures - 1))
            log.warning("%s is started again in %g s: %s", self.name, delay, reason)
            self._stopping.wait(delay)

    def _run(self) -> str:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with ours:
                ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
                with theirs:
                    process = subprocess.Popen(
                        (sys.executable, "-m", MODULE, "--socket", str(theirs.fileno())),
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL,
                        pass_fds=(theirs.fileno(),),
                        start_new_session=True,
                    )
                self.starts += 1
                self.untold = True
                with self._lock:
                    configure = self._configure()
                    ours.sendall(frame(configure))
                    self._process, self._socket = process, ours
                # While it was made, nobody was there to be told to quit.
                reason = "" if self._stopping.is_set() else self._read(ours, configure.bind or LOOPBACK)
        except OSError as error:
            return f"cannot be started: {error}"
        finally:
            with self._lock:
                self._socket = self._door = None
        ended = self._ended(process)
        return reason if reason == SILENT else ended or reason

    def _read(self, connection: socket.socket, host: str) -> str:
        """Hand over reports until there are no more; why. ``host``: where its SIP port is."""
        buffer, looks = bytearray(), 0
        bell = select.poll()
        bell.register(connection, select.POLLIN)
        while True:
            if not bell.poll(LOOK_S * 1000):
                looks += 1
                if looks >= (LOOKS_AT_START if self._door is None else LOOKS):
                    return SILENT
                continue
            looks = 0
            try:
                part = connection.recv(65536)
            except OSError:
                return "its socket was closed"
            if not part:
                return "it has ended"
            buffer += part
            while len(buffer) >= FRAME.size:
                (length,) = FRAME.unpack_from(buffer)
                if length > MAX_FRAME:
                    return "it spoke nonsense"
                if len(buffer) < FRAME.size + length:
                    break
                body = bytes(buffer[FRAME.size : FRAME.size + length])
                del buffer[: FRAME.size + length]
                try:
                    report = REPORTS.decode(body)
                except msgspec.DecodeError as error:
                    return f"it spoke nonsense: {error}"
                if isinstance(report, Ready):
                    self._door = (host, report.port)
                    self._knock()
                if isinstance(report, Alive):
                    continue
                try:
                    self._on_report(report)
                except Exception:
                    log.exception("a report of %s is lost", self.name)

    def _ended(self, process: subprocess.Popen[bytes]) -> str:
        try:
            code = process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        if code < 0:
            return f"ended by signal {-code}"
        return f"ended with code {code}" if code else ""

    def _drop(self) -> None:
        """Kill the process, if it is still there; the thread sees it."""
        process = self._process
        if process is not None and process.poll() is None:
            process.kill()


class VoiceLines:
    """Several voice processes; ``send`` and ``apply`` return at once.

    Those that are to go say their last words, end, and are told as lost before others with their numbers start: nothing
    that they say is taken for news of those, and their SIP port is free.

    Args:
        count: how many.
        configure: what one is told (its number).
        on_report, on_lost: as of ``VoiceProcess``, with the number first.
    """

    def __init__(
        self,
        count: int,
        configure: Callable[[int], Configure],
        on_report: Callable[[int, Report], None],
        on_lost: Callable[[int, str], None],
    ) -> None:
        self._count, self._configure = count, configure
        self._on_report, self._on_lost = on_report, on_lost
        self._processes: tuple[VoiceProcess, ...] = ()
        self._lock = threading.Lock()
        self._closed = False
        self._change: threading.Thread | None = None
        """The latest one, which begins when the one before is done."""

    @property
    def processes(self) -> tuple[VoiceProcess, ...]:
        """Those that there are."""
        return self._processes

    def send(self, line: int, command: Command) -> bool:
        """Give a command; False if there is nobody to take it."""
        processes = self._processes
        return line < len(processes) and processes[line].send(command)

    def apply(self, on: bool) -> None:
        """Have processes with the present settings, or none."""
        with self._lock:
            old = self._processes
            if self._closed or (not on and not old):
                return
            if on and old:
                for process in old:
                    process.restart()
                return
            self._processes = new = tuple(self._make(number) for number in range(self._count)) if on else ()
            self._change = threading.Thread(target=self._replace, args=(self._change, old, new), name="voice change")
            self._change.start()

    def stop(self) -> None:
        """End all, and wait for that; none begins after it."""
        with self._lock:
            self._closed = True
            old, self._processes = self._processes, ()
            change = self._change
        if change is not None:
            change.join()
        _stop(old)

    @staticmethod
    def unavailable() -> str:
        """Why there can be no voice process."""
        found = importlib.util.find_spec("pjsua2") is not None
        return "" if found else "the package for SIP is not installed: pip install 'axcore[voice]'"

    def _replace(
        self, before: threading.Thread | None, old: tuple[VoiceProcess, ...], new: tuple[VoiceProcess, ...]
    ) -> None:
        if before is not None:
            before.join()
        _stop(old)
        for number, process in enumerate(old):
            if process.untold:
                self._on_lost(number, "")
        for process in new:
            if self._processes is new:  # They are still wanted.
                process.start()

    def _make(self, number: int) -> VoiceProcess:
        return VoiceProcess(
            f"voice {number}",
            partial(self._configure, number),
            partial(self._on_report, number),
            partial(self._on_lost, number),
        )


def _stop(processes: Iterable[VoiceProcess]) -> None:
    """All at the same time."""
    threads = [threading.Thread(target=process.stop) for process in processes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
