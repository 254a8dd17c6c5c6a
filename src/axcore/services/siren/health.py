"""Health check: one light section after the other and a test tone, seen by a light sensor and heard by a microphone.

Manual: Overview > Health check. A small state machine on the timers of the siren service; the result is stored, logged
and told as an event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from axcore.errors import ConflictError, NotFoundError
from axcore.led import SYSTEM_PATTERNS, Layout
from axcore.model import events
from axcore.model.events import NewEvent
from axcore.model.profiles import HEALTH_CHECK, Siren
from axcore.runtime.clock import rfc3339

if TYPE_CHECKING:
    from axcore.runtime.clock import Instant
    from axcore.runtime.ledger import Transaction

    from .signal import Signal

KIND = "healthcheck"
LIGHT_ERROR, SIREN_ERROR = 101, 102
TEST_TONE = Siren(pattern="Notification: Done", intensity=1)
LIT, HEARD = 0.01, 0.001
"""Least light of a section that is on, and least loudness of the test tone, of full scale."""


class Fault(msgspec.Struct, frozen=True):
    """What is wrong: 101 light, 102 siren."""

    code: int
    message: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """Outcome of a health check."""

    timestamp: str
    errors: tuple[Fault, ...] = ()


class Host(Protocol):
    """The service around it."""

    _signal: Signal

    def begin_system(self, tx: Transaction, level: int, length_ns: int | None, sound: Siren | None = None) -> None: ...
    def end_system(self, tx: Transaction, level: int) -> None: ...


class HealthCheck:
    """``result`` is that of the last check; None = there was none."""

    def __init__(self, host: Any) -> None:
        self.result: Result | None = None
        self.next_ns: int | None = None
        self._host: Host = host
        self._section = 0
        self._faults: tuple[Fault, ...] = ()
        self._sections = Layout.siren().sections
        self._step_ns = SYSTEM_PATTERNS["Health check"].period_ms[0] * 1_000_000
        self._loudest = 0.0

    def load(self, tx: Transaction) -> None:
        raw = tx.get(KIND, "0")
        self.result = None if raw is None else msgspec.json.decode(raw, type=Result)

    @property
    def running(self) -> bool:
        return self.next_ns is not None

    def last(self) -> Result:
        """NotFoundError when no check was made yet."""
        if self.result is None:
            raise NotFoundError("healthCheck", "there was no health check yet")
        return self.result

    def run(self, tx: Transaction) -> None:
        """Begin a check; ConflictError while one runs."""
        if self.running:
            raise ConflictError("healthCheck", "a health check is running already")
        for name, value in (("_section", 0), ("_faults", ()), ("_loudest", 0.0)):
            tx.assign(self, name, value)
        # Each section is looked at in the middle of its step.
        tx.assign(self, "next_ns", tx.now.mono_ns + self._step_ns // 2)
        self._host.begin_system(tx, HEALTH_CHECK, None, TEST_TONE)

    def advance(self, tx: Transaction, now: Instant) -> None:
        """Look and listen, if it is time."""
        if self.next_ns is None or now.mono_ns < self.next_ns:
            return
        section = self._section
        seen = self._host._signal.light_seen()
        tx.assign(self, "_loudest", max(self._loudest, self._host._signal.sound_heard()))
        if len(seen) <= section or seen[section] < LIT:
            tx.assign(self, "_faults", (*self._faults, Fault(LIGHT_ERROR, f"light section {section + 1} is dark")))
        tx.assign(self, "_section", section + 1)
        tx.assign(self, "next_ns", self.next_ns + self._step_ns)
        if section + 1 == self._sections:
            self._finish(tx, now)

    def _finish(self, tx: Transaction, now: Instant) -> None:
        faults = self._faults
        if self._loudest < HEARD:
            faults = (*faults, Fault(SIREN_ERROR, "the test tone was not heard"))
        result = Result(timestamp=rfc3339(now.wall_ns), errors=faults)
        tx.assign(self, "result", result)
        tx.assign(self, "next_ns", None)
        tx.put(KIND, "0", msgspec.json.encode(result))
        self._host.end_system(tx, HEALTH_CHECK)
        data = {"passed": "0" if faults else "1", "errors": "; ".join(fault.message for fault in faults)}
        tx.publish(NewEvent(topic=events.HEALTH_CHECK, data=data))
