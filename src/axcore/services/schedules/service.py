"""Schedules of a device: kept in the store, told as events at their instants, asked by whoever has one.

The wall clock decides (D7, D8): intervals are told as a property, pulses as events, at the monotonic moment at which
the wall clock gets there. Each turn of the ledger looks whether the wall clock was stepped; then, and when the time
zone changes, states are worked out anew at once, and pulses that were jumped over are not made up for. Neither are
those that came due while the program stood still for more than ``LATE_S``. A clock that goes back meets its pulses
again. While the wall clock is not set (before 2024), only *Always* holds and no pulse happens.

Threads: methods with ``tx`` are ledger jobs, and so are ``next_deadline`` and ``advance``; everything else reads
snapshots. Records: ``schedule/<id>``, ``counter/schedule``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from heapq import heapify, heappop, heappush, heapreplace
from itertools import count, islice
from typing import TYPE_CHECKING, Any

import msgspec

from axcore.errors import ConflictError, InputError, LimitError, NotFoundError
from axcore.model import events
from axcore.model.convert import convert, patched
from axcore.model.events import Event, NewEvent
from axcore.model.schedules import MAX_NAME, MAX_SCHEDULES, STANDARD_ALWAYS, Schedule, ScheduleSpec
from axcore.rules.schedule import Edge, Zone
from axcore.runtime.clock import CLOCK_SET_NS, NS, Clock, Instant, clock_is_set
from axcore.services import time as zones
from axcore.services.events.conditions import ConditionType
from axcore.services.users import Users, refuse_if_used

from .conditions import conditions
from .delivered import DELIVERED
from .plan import Plan

if TYPE_CHECKING:
    from axcore.runtime.bus import Bus
    from axcore.runtime.ledger import Transaction

log = logging.getLogger(__name__)

KIND = "schedule"
ZONE = ("param", "Time.TimeZone")
STEP_NS = NS // 10
"""A wall clock that moves more than this against the monotonic one between two turns was stepped; less is slewing."""
LATE_S = 10
"""Seconds after which what is due is not told one by one any more. A turn happens at least once a second."""
LAST_S = 220_000_000_000
"""Early in the year 8941: what a clock says beyond this is taken for it."""
_COUNTER = ("counter", KIND)
_FLAG = {True: {"active": "1"}, False: {"active": "0"}}


class _Entry:
    """A schedule that runs."""

    __slots__ = ("always", "interval", "live", "looks", "plan", "rank", "schedule", "source", "told")

    def __init__(self, schedule: Schedule, plan: Plan) -> None:
        self.schedule = schedule
        self.plan = plan
        self.interval = plan.stateful
        self.live = True
        """Not replaced and not removed."""
        self.always = schedule.id == STANDARD_ALWAYS
        self.source = {"id": schedule.id}
        self.rank = (not plan.stateful, _order(schedule.id))
        """At one instant intervals change before pulses happen (D9), older ones first."""
        self.told = False
        self.looks: Iterator[Edge] = iter(())

    def active(self, t: int) -> bool:
        return self.always or (clock_is_set(t * NS) and self.plan.active(t))


_Look = tuple[int, tuple[bool, int], int, bool | None, _Entry]
"""When (UTC seconds), rank, serial number, what happens, to whom."""


class ScheduleService:
    """See the module's text. Construct it, ``Ledger.load(load, ..., announce)``, and add it first of all timers."""

    def __init__(self, clock: Clock, bus: Bus) -> None:
        self._clock = clock
        self._bus = bus
        self.users = Users[str]()
        """Asked by id before a schedule is removed or becomes another kind."""
        self._zone = Zone(zones.zone("UTC"))
        self._entries: Mapping[str, _Entry] = {}
        self._heap: list[_Look] = []
        self._serial = count()
        self._started = False
        self._stale = False
        """The heap must be made anew, from ``_at``."""
        self._at = 0
        """UTC second up to which everything is told."""
        self._offset = 0
        """Wall minus monotonic time (ns) at the last look."""
        bus.in_transaction(events.CONFIGURATION_CHANGED, self._on_configuration)

    # --- life

    def load(self, tx: Transaction) -> None:
        """Read the schedules and the time zone. What runs goes on after ``announce``."""
        stored = {key: msgspec.json.decode(raw, type=ScheduleSpec) for key, raw in tx.items(KIND)}
        self._zone = _zone_of(tx)
        entries: dict[str, _Entry] = {}
        for key in sorted({**DELIVERED, **stored}, key=_order):
            try:
                entries[key] = self._entry(key, stored.get(key) or DELIVERED[key])
            except InputError as error:
                log.warning("schedule %s is left out: %s", key, error)
        self._entries = entries
        self._stale = True

    def announce(self, tx: Transaction) -> None:
        """Publish the state of every interval (start; it is no trigger), and run from here."""
        self._remember(tx)
        self._started = True
        self._offset = tx.now.wall_ns - tx.now.mono_ns
        self._at = _seconds(tx.now.wall_ns)
        self._rebuild(self._at)
        for entry in self._entries.values():
            if entry.interval:
                tx.publish(_state(entry, entry.told), logged=entry.told)

    # --- what others ask, any thread

    def schedules(self) -> tuple[Schedule, ...]:
        """Every schedule: the delivered ones, then the others, oldest first."""
        return tuple([entry.schedule for entry in self._entries.values()])

    def schedule(self, schedule_id: str) -> Schedule:
        """One schedule. NotFoundError."""
        return self._get(schedule_id).schedule

    def resolve(self, text: str, field: str = "schedule") -> str:
        """The id of the interval with this id or name (without regard to case). InputError names ``field``."""
        entries = self._entries
        found = entries.get(text.strip())
        key = text.strip().casefold()
        for entry in entries.values():
            if found is None and entry.schedule.name.casefold() == key:
                found = entry
        if found is None:
            names = ", ".join([entry.schedule.name for entry in entries.values() if entry.interval][:8])
            raise InputError(field, f"there is no schedule {text[:40]!r} (there are {names}); add it first")
        if not found.interval:
            raise InputError(field, f"{found.schedule.name} is a pulse: it has no length; choose an interval")
        return found.schedule.id

    def active(self, schedule_id: str, wall_ns: int) -> bool:
        """Whether an interval holds at a wall time. A pulse, and a schedule that is not there, never does."""
        entry = self._entries.get(schedule_id)
        return entry is not None and entry.active(_seconds(wall_ns))

    def excepted(self, schedule_id: str, wall_ns: int) -> bool:
        """Whether the exception of a schedule holds at a wall time. NotFoundError."""
        return self._get(schedule_id).plan.excepted(_seconds(wall_ns))

    def next_edge(self, schedule_id: str, wall_ns: int) -> Edge | None:
        """The first change after a wall time; None: never again. NotFoundError."""
        return next(iter(self.edges(schedule_id, wall_ns, 1)), None)

    def edges(self, schedule_id: str, wall_ns: int, most: int) -> list[Edge]:
        """The next ``most`` changes after a wall time. NotFoundError."""
        entry = self._get(schedule_id)
        return [] if entry.always else list(islice(entry.plan.edges(_seconds(wall_ns)), most))

    def conditions(self) -> tuple[ConditionType, ...]:
        """What rules can use, with the schedules that there are now (a ``ConditionSource``). Any thread."""
        return conditions([entry.schedule for entry in self._entries.values()])

    # --- settings

    def add(self, tx: Transaction, spec: ScheduleSpec | dict[str, Any]) -> Schedule:
        """Keep a schedule and run it. InputError; ConflictError for a name that is taken; LimitError."""
        if isinstance(spec, dict):
            spec = convert(spec, ScheduleSpec)
        if len(self._entries) >= MAX_SCHEDULES:
            raise LimitError("schedules", f"there are {MAX_SCHEDULES} schedules already; remove one first")
        number = int(tx.get(*_COUNTER) or b"0") + 1
        entry = self._entry(str(number), self._checked(spec, None))
        self._sync(tx)
        tx.put(*_COUNTER, b"%d" % number)
        self._put(tx, entry)
        return entry.schedule

    def update(self, tx: Transaction, schedule_id: str, patch: Mapping[str, Any]) -> Schedule:
        """Change the given fields. InputError, NotFoundError; ConflictError for *Always*, a taken name, a used kind."""
        old = self._get(schedule_id)
        if old.always:
            raise ConflictError("id", f"{old.schedule.name} cannot be changed; add a schedule of your own")
        fields = dict(patch)
        if fields.pop("id", schedule_id) != schedule_id:
            raise InputError("id", "cannot be changed")
        new = self._entry(schedule_id, self._checked(patched(_spec(old.schedule), fields, ScheduleSpec), schedule_id))
        if new.schedule == old.schedule:
            return old.schedule
        if new.schedule.kind != old.schedule.kind:
            refuse_if_used("icalendar", f"cannot become {_a(new.schedule)}: it", self.users.of(schedule_id))
        self._sync(tx)
        if old.told and not new.interval:
            tx.publish(_state(old, False))
        self._put(tx, new, old)
        return new.schedule

    def remove(self, tx: Transaction, schedule_id: str) -> None:
        """Forget a schedule. NotFoundError; ConflictError names who uses it, or says that it is a delivered one."""
        entry = self._get(schedule_id)
        if schedule_id in DELIVERED:
            raise ConflictError("id", f"{entry.schedule.name} belongs to the device and cannot be removed")
        refuse_if_used("id", entry.schedule.name, self.users.of(schedule_id))
        self._sync(tx)
        if entry.told:
            tx.publish(_state(entry, False))
        entry.live = False
        self._entries = {key: other for key, other in self._entries.items() if key != schedule_id}
        tx.delete(KIND, schedule_id)
        tx.publish(_changed(schedule_id, "remove", tx.actor))
        tx.after_commit(lambda: self._bus.forget(events.SCHEDULE_INTERVAL, entry.source))

    # --- time (a timer of the ledger)

    def next_deadline(self) -> int | None:
        """Also looks at the wall clock: at once when it was stepped."""
        if not self._started:
            return None
        offset = self._look()
        if self._stale or abs(offset - self._offset) > STEP_NS:
            return 0
        self._offset = offset
        if self._at * NS < CLOCK_SET_NS:
            return CLOCK_SET_NS - offset
        return self._heap[0][0] * NS - offset if self._heap else None

    def advance(self, tx: Transaction, now: Instant) -> None:
        """Tell everything that is due."""
        self._sync(tx, now)

    # --- inside

    def _look(self) -> int:
        """Wall minus monotonic time; read again when something came between the two."""
        clock = self._clock
        mono = clock.mono_ns()
        for _ in range(3):
            wall, after = clock.wall_ns(), clock.mono_ns()
            if after - mono < STEP_NS // 100:
                break
            mono = after
        return wall - mono

    def _sync(self, tx: Transaction, now: Instant | None = None) -> None:
        """Tell what is due by now; work everything out anew after a step of the clock."""
        if not self._started:
            return
        now = now or tx.now
        offset, until = now.wall_ns - now.mono_ns, _seconds(now.wall_ns)
        self._remember(tx)
        if self._stale:
            self._rebuild(self._at)
        drift = offset - self._offset
        smooth = abs(drift) <= STEP_NS and clock_is_set(self._at * NS) is clock_is_set(now.wall_ns)
        if smooth and not self._late(until):
            self._run(tx, until, offset)
            self._at = max(until, self._at)
        else:
            due = (now.mono_ns + self._offset) // NS  # what was due before the step is not jumped over
            if drift > 0 and not self._late(due):
                self._run(tx, due, self._offset)
            self._jump(tx, until)
        self._offset = offset

    def _late(self, t: int) -> bool:
        return bool(self._heap) and t - self._heap[0][0] > LATE_S

    def _run(self, tx: Transaction, until: int, offset: int) -> None:
        """Tell what happens up to ``until``, one after the other."""
        heap = self._heap
        while heap and heap[0][0] <= until:
            t, rank, serial, active, entry = heap[0]
            following = next(entry.looks, None) if entry.live else None
            if following is None:
                heappop(heap)
            else:
                heapreplace(heap, (following[0], rank, serial, following[1], entry))
            if not entry.live:
                continue
            if active is None:
                tx.publish(_pulse(entry, t * NS - offset), lazy=True)
            elif active is not entry.told and entry.interval:
                entry.told = active
                tx.publish(_state(entry, active, t * NS - offset), lazy=True)

    def _jump(self, tx: Transaction, t: int) -> None:
        """Everything as it is at ``t``; what is different is told, pulses are not."""
        told = {key: entry.told for key, entry in self._entries.items()}
        self._at = t
        self._rebuild(t)
        for key, entry in self._entries.items():
            if entry.told is not told[key]:
                tx.publish(_state(entry, entry.told))

    def _rebuild(self, t: int) -> None:
        """The heap and the states at ``t``."""
        self._stale = False
        self._heap = [look for entry in self._entries.values() if (look := self._seek(entry, t)) is not None]
        heapify(self._heap)

    def _seek(self, entry: _Entry, t: int) -> _Look | None:
        """Bring an entry to ``t``; gives its first look."""
        entry.live = True
        entry.told = entry.active(t)
        if entry.always or not clock_is_set(t * NS):
            return None
        entry.looks = entry.plan.looks(t)
        first = next(entry.looks, None)
        return None if first is None else (first.t, entry.rank, next(self._serial), first.active, entry)

    def _put(self, tx: Transaction, entry: _Entry, old: _Entry | None = None) -> None:
        """Run and keep ``entry`` from now on, in place of ``old``."""
        key = entry.schedule.id
        self._remember(tx)
        if old is not None:
            old.live = False
        self._entries = {**self._entries, key: entry}
        tx.put(KIND, key, msgspec.json.encode(_spec(entry.schedule)))
        tx.publish(_changed(key, "add" if old is None else "update", tx.actor))
        if not self._started:
            return
        look = self._seek(entry, self._at)
        if look is not None:
            heappush(self._heap, look)
        was = old is not None and old.interval
        if entry.interval and (not was or old is None or entry.told is not old.told):
            tx.publish(_state(entry, entry.told))
        elif was and not entry.interval:
            tx.after_commit(lambda: self._bus.forget(events.SCHEDULE_INTERVAL, entry.source))

    def _on_configuration(self, tx: Transaction, event: Event) -> None:
        """The time zone is changed: schedules are local times."""
        if (event.data.get("kind"), event.data.get("key")) != ZONE:
            return
        self._sync(tx)
        self._remember(tx)
        self._zone = _zone_of(tx)
        entries = {key: self._entry(key, _spec(entry.schedule)) for key, entry in self._entries.items()}
        for key, entry in self._entries.items():
            entries[key].told = entry.told
        self._entries = entries
        if self._started:
            self._jump(tx, _seconds(tx.now.wall_ns))

    def _entry(self, key: str, spec: ScheduleSpec) -> _Entry:
        plan = Plan(spec.icalendar, spec.exception, self._zone)
        fields = {name: getattr(spec, name) for name in ScheduleSpec.__struct_fields__}
        return _Entry(Schedule(**fields, id=key, kind="interval" if plan.stateful else "pulse"), plan)

    def _get(self, schedule_id: str) -> _Entry:
        try:
            return self._entries[schedule_id]
        except KeyError:
            raise NotFoundError("id", f"there is no schedule {schedule_id[:40]!r}") from None

    def _checked(self, spec: ScheduleSpec, own: str | None) -> ScheduleSpec:
        name = spec.name.strip()
        if not name or len(name) > MAX_NAME or not name.isprintable():
            raise InputError("name", f"must be 1..{MAX_NAME} printable characters")
        for key, entry in self._entries.items():
            if key != own and entry.schedule.name.casefold() == name.casefold():
                raise ConflictError("name", f"another schedule is called {entry.schedule.name} already")
        icalendar, exception = spec.icalendar.strip(), spec.exception.strip()
        return msgspec.structs.replace(spec, name=name, icalendar=icalendar, exception=exception)

    def _remember(self, tx: Transaction) -> None:
        """A job that fails leaves no trace: what was told is worked out anew from where everything was told."""
        before = self._at, self._offset, self._entries, self._zone, self._started

        def undo() -> None:
            self._at, self._offset, self._entries, self._zone, self._started = before
            self._stale = True

        tx.on_rollback(undo)


def _seconds(wall_ns: int) -> int:
    return min(wall_ns // NS, LAST_S)


def _zone_of(tx: Transaction) -> Zone:
    raw = tx.get(*ZONE)
    return Zone(zones.zone(raw.decode("utf-8", "replace") if raw else "UTC"))


def _order(schedule_id: str) -> int:
    """The delivered ones first, then in the order of creation."""
    return list(DELIVERED).index(schedule_id) if schedule_id in DELIVERED else len(DELIVERED) + int(schedule_id)


def _spec(schedule: Schedule) -> ScheduleSpec:
    return ScheduleSpec(**{name: getattr(schedule, name) for name in ScheduleSpec.__struct_fields__})


def _a(schedule: Schedule) -> str:
    return "an interval" if schedule.kind == "interval" else "a pulse"


def _state(entry: _Entry, active: bool, t_ns: int = 0) -> NewEvent:
    topic = events.SCHEDULE_INTERVAL
    return NewEvent(topic=topic, source=entry.source, data=_FLAG[active], is_property=True, t_ns=t_ns)


def _pulse(entry: _Entry, t_ns: int) -> NewEvent:
    return NewEvent(topic=events.SCHEDULE_PULSE, source=entry.source, t_ns=t_ns)


def _changed(key: str, action: str, user: str) -> NewEvent:
    data = {"kind": KIND, "key": key, "action": action}
    return NewEvent(topic=events.CONFIGURATION_CHANGED, data={**data, "user": user} if user else data)
