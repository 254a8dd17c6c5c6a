"""Messages from the broker that wait for the ledger: bounded, the newest state wins, loss is counted. Sans-I/O.

A stateful subscription has one state, so only its newest message waits; older ones are superseded, not lost. Messages
of stateless subscriptions queue, and what does not fit is lost, newest first. Threads: the loop.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from axcore.model.mqtt import Subscription

from .topics import matches

MAX_MESSAGES = 1000
MAX_OCTETS = 2 << 20
MAX_PAYLOAD = 16_384
"""Octets of a payload that can become an event."""

PACE_S = 0.05
"""Messages are counted over this long, ..."""
MANY = 32
"""... and more than this are many."""


class Arrival(NamedTuple):
    """A message for one subscription."""

    topic_filter: str
    """As configured."""
    stateful: bool
    topic: str
    payload: str


def payload_text(payload: bytes) -> str:
    """A payload as text that every event stream can carry; what is not UTF-8, and control characters, are escaped.

    A zero byte is no XML, a lone surrogate no JSON.
    """
    text = payload.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(_letter(letter) for letter in text)


def _letter(letter: str) -> str:
    code = ord(letter)
    if (code < 32 and letter not in "\t\r\n") or 127 <= code < 160:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code in (0xFFFE, 0xFFFF) else letter


class Pace:
    """Whether many messages come. ``now``: seconds."""

    def __init__(self) -> None:
        self._count = self._before = 0
        self._since = 0.0

    def add(self, now: float) -> None:
        """One has come."""
        passed = now - self._since
        if passed >= PACE_S:
            self._before = self._count if passed < 2 * PACE_S else 0
            self._count, self._since = 0, now
        self._count += 1

    def many(self, now: float) -> bool:
        """More than MANY in the last PACE_S, or the PACE_S before."""
        passed = now - self._since
        return passed < 2 * PACE_S and max(self._count, self._before if passed < PACE_S else 0) > MANY


class Incoming:
    """``filters`` are (subscription, effective filter with the prefix)."""

    def __init__(self, max_messages: int = MAX_MESSAGES, max_octets: int = MAX_OCTETS) -> None:
        self.lost = 0
        """Messages that were lost so far: too many, or too large."""
        self._max_messages, self._max_octets = max_messages, max_octets
        self._filters: tuple[tuple[Subscription, str], ...] = ()
        self._exact: dict[str, tuple[Subscription, ...]] = {}
        self._states: dict[str, Arrival] = {}
        self._pulses: deque[Arrival] = deque()
        self._octets = 0

    def __len__(self) -> int:
        return len(self._states) + len(self._pulses)

    @property
    def octets(self) -> int:
        return self._octets

    def set_filters(self, filters: tuple[tuple[Subscription, str], ...]) -> None:
        """Replace the subscriptions; what waits for ones that are gone is forgotten."""
        self._filters = filters
        self._exact = {}
        known = {(s.topic_filter, s.is_state_data) for s, _ in filters}
        self._states = {key: found for key, found in self._states.items() if (key, True) in known}
        self._pulses = deque(found for found in self._pulses if (found.topic_filter, False) in known)
        self._octets = sum(len(found.payload) for found in (*self._states.values(), *self._pulses))

    def put(self, topic: str, payload: bytes, *, retained: bool = False, whole: bool = True) -> bool:
        """A message arrived; returns whether anything is to be done. ``whole`` is False where it was cut off.

        A retained message tells what was: it sets a state, and is no pulse, or each reconnect would fire rules.
        """
        found = self._for(topic)
        if not found:
            return False
        if not whole or len(payload) > MAX_PAYLOAD or len(text := payload_text(payload)) > MAX_PAYLOAD:
            self.lost += 1
            return False
        added = False
        for subscription in found:
            if subscription.is_state_data:
                self._set(Arrival(subscription.topic_filter, True, topic, text))
                added = True
            elif retained:
                continue
            elif len(self._pulses) >= self._max_messages or self._octets + len(text) > self._max_octets:
                self.lost += 1
            else:
                self._octets += len(text)
                self._pulses.append(Arrival(subscription.topic_filter, False, topic, text))
                added = True
        return added

    def take(self, limit: int) -> list[Arrival]:
        """At most ``limit`` messages, states first."""
        taken: list[Arrival] = []
        while self._states and len(taken) < limit:
            taken.append(self._states.pop(next(iter(self._states))))
        while self._pulses and len(taken) < limit:
            taken.append(self._pulses.popleft())
        self._octets -= sum(len(found.payload) for found in taken)
        return taken

    def put_back(self, arrivals: list[Arrival]) -> None:
        """What was taken could not be handled: keep the states that are still the newest, and the pulses."""
        for arrival in reversed(arrivals):
            if arrival.stateful:
                if arrival.topic_filter not in self._states:
                    self._set(arrival)
            elif len(self._pulses) < self._max_messages:
                self._pulses.appendleft(arrival)
                self._octets += len(arrival.payload)
            else:
                self.lost += 1

    def _set(self, arrival: Arrival) -> None:
        old = self._states.pop(arrival.topic_filter, None)
        self._octets += len(arrival.payload) - (len(old.payload) if old else 0)
        self._states[arrival.topic_filter] = arrival

    def _for(self, topic: str) -> tuple[Subscription, ...]:
        found = self._exact.get(topic)
        if found is None:
            found = tuple(s for s, pattern in self._filters if matches(pattern, topic))
            if len(self._exact) < 256:
                self._exact[topic] = found
        return found
