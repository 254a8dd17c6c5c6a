"""What systemd (or any supervisor of its kind) is told: sd_notify(3) over ``NOTIFY_SOCKET``, and the watchdog.

A keep-alive tells that the loop runs (it is sent from there) and that every counter of progress has moved lately; the
threads behind them turn at least once a second. Sent at most every half of ``WATCHDOG_USEC``. Threads: the loop.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Mapping

from axcore.runtime.clock import NS, Clock

log = logging.getLogger(__name__)

TURN = 1.5
"""Seconds within which a healthy thread makes progress (it turns every second)."""


class Notifier:
    """Does nothing where no supervisor listens. Never raises: a supervisor that went away stops no door."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) if address else None
        if self._socket is not None:
            self._socket.setblocking(False)
        self.watchdog_usec = _watchdog_usec(environment)
        """The limit in microseconds; 0 = no watchdog."""

    def ready(self) -> None:
        """Ports are bound: work can come."""
        self.send("READY=1")

    def stopping(self) -> None:
        """The end has begun."""
        self.send("STOPPING=1")

    def status(self, text: str) -> None:
        """One line for people."""
        self.send("STATUS=" + text.replace("\n", " "))

    def keep_alive(self) -> None:
        """Still well."""
        self.send("WATCHDOG=1")

    def send(self, state: str) -> None:
        """Send a state."""
        if self._socket is None:
            return
        try:
            self._socket.sendto(state.encode(), self._address)
        except OSError as error:
            log.warning("cannot notify the supervisor: %s", error)

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class Watchdog:
    """Sends keep-alives while every counter moves. ``run`` it as a task, or call ``check`` at ``interval``."""

    def __init__(self, notifier: Notifier, clock: Clock, counters: Mapping[str, Callable[[], int]]) -> None:
        self._notifier = notifier
        self._clock = clock
        self._counters = dict(counters)
        self._seen = {name: (read(), clock.mono_ns()) for name, read in self._counters.items()}
        self._stuck: tuple[str, ...] = ()
        self.interval = notifier.watchdog_usec / 1e6 / 2
        """Seconds between checks: half of the limit."""

    def check(self) -> bool:
        """Send a keep-alive if all is well; returns whether it is."""
        now = self._clock.mono_ns()
        for name, read in self._counters.items():
            value = read()
            if value != self._seen[name][0]:
                self._seen[name] = (value, now)
        patience = max(TURN, self.interval) * NS
        stuck = tuple(name for name, (_, moved) in self._seen.items() if now - moved > patience)
        if stuck and stuck != self._stuck:
            log.critical("no progress: %s; no keep-alive is sent", ", ".join(stuck))
        self._stuck = stuck
        if not stuck:
            self._notifier.keep_alive()
        return not stuck

    async def run(self) -> None:
        """Check for ever; returns at once where there is no watchdog."""
        while self.interval > 0:
            self.check()
            await asyncio.sleep(self.interval * 0.9)


def _watchdog_usec(environment: Mapping[str, str]) -> int:
    try:
        usec = int(environment.get("WATCHDOG_USEC", "0"))
        pid = int(environment.get("WATCHDOG_PID", "0"))
    except ValueError:
        return 0
    return usec if usec > 0 and pid in (0, os.getpid()) else 0
