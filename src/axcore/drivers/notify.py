"""Talking to the service manager: READY, STOPPING and the watchdog's keep-alives (sd_notify protocol)."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping

STALL_NS = 1_500_000_000
"""A thread whose progress counter stood still for this long has stalled (each counts at least once a second)."""


def notify(state: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Send ``state`` to ``NOTIFY_SOCKET``; False when there is none or nobody listens."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address or address[0] not in "/@":
        return False
    if address[0] == "@":
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.sendto(state.encode(), address)
    except OSError:
        return False
    return True


def watchdog_interval(environ: Mapping[str, str] = os.environ) -> float | None:
    """Seconds between keep-alives (a third of the limit); None when the manager asks for none of this process."""
    usec, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not usec.isdigit() or int(usec) == 0 or (pid.isdigit() and int(pid) != os.getpid()):
        return None
    return int(usec) / 3_000_000


class Progress:
    """Tells whether every one of some counters still rises. The caller's own life is shown by calling at all."""

    def __init__(self, counters: Mapping[str, Callable[[], int]], mono_ns: Callable[[], int]) -> None:
        self._counters = dict(counters)
        self._mono_ns = mono_ns
        self._seen = {name: (counter(), mono_ns()) for name, counter in self._counters.items()}

    def stalled(self) -> list[str]:
        """Names of the counters that stand still."""
        now, found = self._mono_ns(), []
        for name, counter in self._counters.items():
            value, since = self._seen[name]
            if (current := counter()) != value:
                self._seen[name] = current, now
            elif now - since > STALL_NS:
                found.append(name)
        return found
