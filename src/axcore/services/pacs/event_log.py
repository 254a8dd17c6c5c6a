"""The event log as the event logger service shows it: fetched by time, keys and values; filters; alarms.

An event has keys: the names of its source and data, and ``topic0``, ``topic1`` ... for the parts of its topic without
their namespaces (VAPIX *Event logger service*). What an alarm filter matches is kept among the alarms (200 at most, the
oldest go) and told by an event of its own, which is never an alarm itself. An ignore filter hides what came after it
was set; the log keeps it, and so do alarms. ``fetch`` may be called from any thread, the rest is the ledger's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec

from axcore.errors import InputError, NotFoundError
from axcore.model.events import Event, NewEvent
from axcore.model.topics import plain_form

if TYPE_CHECKING:
    from axcore.runtime.transaction import Transaction

ALARM = "tnsaxis:EventLogger/Alarm"
DROPPED_ALARMS = "tnsaxis:EventLogger/DroppedAlarms"
OWN = "tnsaxis:EventLogger"
KIND = "pacs.alarm"
MAX_ALARMS = 200
MAX_FETCH = 1_000
MAX_PAIRS = 32
MAX_TEXT = 512

Read = Callable[[int, int], list[Event]]
"""Events after an id, oldest first, so many at most."""


class Pair(msgspec.Struct, frozen=True):
    """A key, and the value that it must have (empty: any)."""

    key: str
    value: str = ""


class EventFilter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What events must have to be ignored, or to be alarms: all of it."""

    token: str
    key_values: tuple[Pair, ...] = ()
    uuids: tuple[str, ...] = ()
    """Devices whose events count; empty = all."""
    since: int = 0
    """Id of the last event before the filter was set."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Events of a time that have all these keys and values."""

    start: str = ""
    """As events are dated (RFC 3339 with microseconds and Z); empty = open."""
    stop: str = ""
    pairs: tuple[Pair, ...] = ()

    def covers(self, event: Event, keys: Mapping[str, str]) -> bool:
        """Whether an event is one of them."""
        if (self.start and event.time < self.start) or (self.stop and event.time > self.stop):
            return False
        return matches(self.pairs, keys)


def keys_of(event: NewEvent) -> dict[str, str]:
    """The keys of an event with their values."""
    parts = {f"topic{n}": part for n, part in enumerate(plain_form(event.topic).split("/"))}
    return {**event.source, **event.data, **parts}


def matches(pairs: Iterable[Pair], keys: Mapping[str, str]) -> bool:
    """Whether all pairs are there."""
    return all(pair.key in keys and pair.value in ("", keys[pair.key]) for pair in pairs)


def check_filter(held: EventFilter) -> None:
    """A filter asks for something, and not for more than it may."""
    if not 1 <= len(held.token) <= 64 or not held.token.isprintable():
        raise InputError("token", "must have 1..64 characters")
    if not 1 <= len(held.key_values) <= MAX_PAIRS:
        raise InputError("key_values", f"must have 1..{MAX_PAIRS} keys")
    for at, pair in enumerate(held.key_values):
        if not 1 <= len(pair.key) <= MAX_TEXT or len(pair.value) > MAX_TEXT:
            raise InputError(f"key_values[{at}].key", f"must have 1..{MAX_TEXT} characters")


def fetch(
    read: Read, last: int, wanted: tuple[Wanted, ...], limit: int, row: int | None = None, *, descending: bool = False,
    ignored: Iterable[EventFilter] = (), kept: Iterable[EventFilter] = (),
) -> tuple[list[Event], bool]:  # fmt: skip
    """Events that any of ``wanted`` covers (none given: all), after ``row``, and whether there are more.

    ``last`` is the highest id; ``ignored`` are left out unless one of ``kept`` matches them.
    """
    limit = min(max(limit, 0), MAX_FETCH)
    hidden, alarms = tuple(ignored), tuple(kept)
    found: list[Event] = []
    for event in _down(read, last + 1 if row is None else row) if descending else _up(read, row or 0):
        keys = keys_of(event)
        if wanted and not any(entry.covers(event, keys) for entry in wanted):
            continue
        if any(held.since < event.id and matches(held.key_values, keys) for held in hidden) and not any(
            matches(held.key_values, keys) for held in alarms
        ):
            continue
        if len(found) == limit:
            return found, True
        found.append(event)
    return found, False


def _up(read: Read, row: int) -> Iterator[Event]:
    while batch := read(row, MAX_FETCH):
        yield from batch
        row = batch[-1].id


def _down(read: Read, row: int) -> Iterator[Event]:
    first = read(0, 1)
    while first and row > first[0].id:
        low = max(row - MAX_FETCH, first[0].id - 1)
        yield from reversed([event for event in read(low, MAX_FETCH) if event.id < row])
        row = low + 1


class Alarms:
    """The alarms, in the store and in memory."""

    def __init__(self) -> None:
        self.held: dict[int, Event] = {}
        """By id, oldest first."""

    def load(self, tx: Transaction) -> None:
        """Read them."""
        self.held = {int(key): msgspec.json.decode(raw, type=Event) for key, raw in tx.items(KIND)}

    def on_event(self, tx: Transaction, event: Event, filters: Iterable[EventFilter], device_uuid: str) -> None:
        """An event was published: keep it if it is an alarm."""
        if event.topic.startswith(OWN):
            return
        keys = keys_of(event)
        if not any(
            matches(held.key_values, keys) and (not held.uuids or device_uuid in held.uuids) for held in filters
        ):
            return
        alarms = {**self.held, event.id: event}
        dropped = list(alarms)[: max(0, len(alarms) - MAX_ALARMS)]
        for number in dropped:
            del alarms[number]
            tx.delete(KIND, _key(number))
        tx.put(KIND, _key(event.id), msgspec.json.encode(event))
        tx.assign(self, "held", alarms)
        tx.publish(NewEvent(topic=ALARM, data={"RowID": str(event.id)}))
        if dropped:
            tx.publish(NewEvent(topic=DROPPED_ALARMS, data={"count": str(len(dropped))}), logged=False)

    def remove(self, tx: Transaction, numbers: Iterable[int]) -> None:
        """Acknowledge alarms, all or none. NotFoundError."""
        alarms = dict(self.held)
        for number in dict.fromkeys(numbers):
            if alarms.pop(number, None) is None:
                raise NotFoundError("Token", f"there is no alarm {number}")
            tx.delete(KIND, _key(number))
        tx.assign(self, "held", alarms)


def _key(number: int) -> str:
    return f"{number:019}"
