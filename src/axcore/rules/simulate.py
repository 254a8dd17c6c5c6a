"""What would have fired: an event log through rules, on a clock that the log moves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from axcore.errors import InputError
from axcore.model.events import NewEvent
from axcore.model.rules import Rule

from .definition import Kinds, RuleDef
from .matcher import Matcher, Step


class Fired(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a rule would have done."""

    t_ns: int
    rule: str
    what: str
    """``fire``, ``start`` or ``stop``."""
    event: int | None
    """Index of the event in the log that caused it; None: a wait was over."""


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
        fired += _fired(matcher.feed(event, now), index)
    if matcher is None:
        return fired
    while (due := matcher.next_deadline()) is not None and (until is None or due <= until):
        fired += _fired(matcher.advance(due), None)
    return fired


def _fired(steps: Iterable[Step], index: int | None) -> Iterator[Fired]:
    for step in steps:
        yield Fired(t_ns=step.t_ns, rule=step.rule.id, what=step.what, event=None if step.timer else index)
