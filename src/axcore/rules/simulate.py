"""What would have fired: an event log through rules, on a clock that the log moves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from axcore.errors import InputError
from axcore.model import events
from axcore.model.events import Event, NewEvent
from axcore.model.rules import Rule
from axcore.model.times import parse_rfc3339, rfc3339

from .definition import Kinds, RuleDef, define
from .matcher import Matcher, Step

SCHEDULED = frozenset((events.SCHEDULE_INTERVAL, events.SCHEDULE_PULSE))
"""Topics of schedules: at one instant they come before the ends of waits (D9)."""
REBOOT_NS = 10_000_000_000
"""A log whose monotonic times go back by more than this goes over a restart."""


class Fired(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a rule would have done."""

    t_ns: int
    rule: str
    what: str
    """``fire``, ``start`` or ``stop``."""
    event: int | None
    """Index of the event in the log that caused it; None: a wait was over."""
    time: str = ""
    """Wall time, if the log has wall times."""


class Recorded(NewEvent, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """An event of a log, as the event log gives it; number and times may be missing."""

    id: int = 0
    time: str = ""


def simulate(
    rules: Iterable[Rule | RuleDef],
    log: Iterable[NewEvent],
    kinds: Kinds | None = None,
    *,
    until: int | None = None,
) -> list[Fired]:
    """Replay ``log`` (in the order of its ``t_ns``) to ``rules``, all of them on from the start.

    Goes on to ``until`` (ns) or, without it, until no wait is left. InputError names the event that is older than the
    one before it.
    """
    matcher: Matcher | None = None
    rules = tuple(rules)
    fired: list[Fired] = []
    now = 0
    for index, event in enumerate(log):
        if matcher is None:
            matcher = Matcher(rules, kinds, event.t_ns)
        elif event.t_ns < now:
            raise InputError(f"log[{index}].t_ns", f"is {now - event.t_ns} ns before the event before it")
        now = event.t_ns
        fired += _fired(matcher.feed(event, now, early=event.topic in SCHEDULED), index)
    if matcher is None:
        return fired
    while (due := matcher.next_deadline()) is not None and (until is None or due <= until):
        fired += _fired(matcher.advance(due), None)
    return fired


def replay(rules: Iterable[Rule | RuleDef], log: Sequence[Event | Recorded], kinds: Kinds | None = None) -> list[Fired]:
    """``simulate`` for a log as devices keep it: in the order of ids, over restarts and steps of the wall clock.

    Time is the monotonic time of the events, which only goes forward: a restart takes as long as the wall clock says,
    an event that was told late counts from when it was told, and without monotonic times the wall clock's count. A
    restart (``SystemReady`` goes to 0) turns every rule on anew; the states that it announces are no triggers. Goes on
    until no wait is left. InputError names the event whose time is wrong.
    """
    defs = [rule if isinstance(rule, RuleDef) else define(rule, kinds or {}) for rule in rules]
    moments = list(_moments(log))
    matcher, started, fired = Matcher(defs, kinds, moments[0][0] if moments else 0), "", list[Fired]()
    now = wall = 0
    for index, (event, (now, wall)) in enumerate(zip(log, moments, strict=True)):
        if event.topic == events.SYSTEM_READY and event.data.get("ready") == "0":
            matcher, started = Matcher(defs, kinds, now), event.time
        init = bool(started) and event.time == started and event.is_property
        steps = matcher.feed(event, now, init=init, early=event.topic in SCHEDULED)
        fired += _fired(steps, index, wall - now if wall else None)
    while (due := matcher.next_deadline()) is not None:
        fired += _fired(matcher.advance(due), None, wall - now if wall else None)
    return fired


def _moments(log: Iterable[Event | Recorded]) -> Iterator[tuple[int, int]]:
    """Time since some beginning, and wall time (0: none), of each event; neither the first nor later ones go back."""
    now = last = wall = 0
    for index, event in enumerate(log):
        here = _wall(event, index) if event.time else 0
        since_wall = max(0, here - wall) if here and wall else 0
        if index == 0:
            now = event.t_ns or here
        elif event.t_ns and last and event.t_ns > last - REBOOT_NS:
            now += max(0, event.t_ns - last)
        else:
            now += since_wall
            last = 0
        last = max(last, event.t_ns)
        wall = here or wall
        yield now, wall


def _wall(event: Event | Recorded, index: int) -> int:
    try:
        return parse_rfc3339(event.time)
    except (ValueError, OverflowError) as error:
        raise InputError(f"log[{index}].time", str(error)) from None


def _fired(steps: Iterable[Step], index: int | None, offset: int | None = None) -> Iterator[Fired]:
    """``offset`` leads from the log's time to wall time."""
    for step in steps:
        time = "" if offset is None else rfc3339(step.t_ns + offset)
        event = None if step.timer else index
        yield Fired(t_ns=step.t_ns, rule=step.rule.id, what=step.what, event=event, time=time)
