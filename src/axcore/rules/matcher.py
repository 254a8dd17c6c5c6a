"""The matcher: rules and events as they are spoken of elsewhere, over the native core.

Sans-I/O: time is an argument (ns, monotonic), what is to be done is the result. Rules can be put, edited, turned on and
off while it runs; properties are remembered whether a rule looks at them or not, so that a rule put later knows them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from axcore._native import rules as native
from axcore.errors import LimitError, NotFoundError
from axcore.model.events import NewEvent
from axcore.model.rules import MAX_RULES, Rule

from .definition import Kinds, RuleDef, define
from .filters import Filter, canonical
from .program import DELETE, INIT, PULSE, SET, FullError, Program, Shape

What = Literal["fire", "start", "stop"]
SPARE = 64
"""Events that are met in passing before the matcher is compiled anew, at first ..."""
MOST_SPARE = 4096
"""... and in the end."""
LINKS = 512
MOST_LINKS = 1 << 26
"""A link is two bytes: one for each test of each event and property."""
_WHAT: tuple[What, What, What] = ("fire", "start", "stop")


class Step(NamedTuple):
    """Something to do for a rule."""

    what: What
    rule: RuleDef
    """As it was when it was turned on."""
    t_ns: int
    """When: the time of the event, or the end of the wait."""
    timer: bool
    """No event caused it: a wait was over, or the rule was turned on or off."""


class Snapshot(NamedTuple):
    """What ``Matcher.restore`` needs. Opaque."""

    program: Program
    state: native.State
    defs: dict[str, RuleDef]
    slots: dict[str, int]


class Matcher:
    """Up to 256 rules. One owner at a time.

    ``rules`` are turned on in their order at time ``now``, ``kinds`` says what their topics are (needed for
    ``model.rules.Rule``; a ``RuleDef`` knows). Steps of rules whose conditions hold from the start cannot be had from
    here: a new matcher knows no property, so there are none.
    """

    def __init__(self, rules: Iterable[Rule | RuleDef] = (), kinds: Kinds | None = None, now: int = 0) -> None:
        self._kinds: Kinds = {} if kinds is None else kinds
        self._pinned: list[Shape] = []
        self._spare, self._links = SPARE, LINKS
        defs = [rule if isinstance(rule, RuleDef) else define(rule, self._kinds) for rule in rules]
        self._defs: dict[str, RuleDef] = {rule.id: rule for rule in defs}
        if len(self._defs) > MAX_RULES:
            raise LimitError("rules", f"at most {MAX_RULES}, not {len(self._defs)}")
        self._program = Program(list(self._defs.values()), spare=SPARE, links=LINKS)
        self._slots = {rule_id: slot for slot, rule_id in enumerate(self._defs)}
        for slot in self._slots.values():
            self._program.core.enable(slot, now)

    # --- rules

    def put(self, rule: Rule | RuleDef) -> RuleDef:
        """Add a rule, turned off, or change one. A rule that is on goes on as it was until it is turned on again.

        InputError for conditions that cannot be; LimitError at the 257th.
        """
        found = rule if isinstance(rule, RuleDef) else define(rule, self._kinds)
        if found.id not in self._defs and len(self._defs) >= MAX_RULES:
            raise LimitError("rules", f"there are {MAX_RULES} rules already; remove one first")
        self._defs = {**self._defs, found.id: found}
        return found

    def remove(self, rule_id: str, now: int) -> list[Step]:
        """Turn a rule off and forget it. NotFoundError."""
        self._def(rule_id)
        steps = self.disable(rule_id, now)
        self._defs = {key: rule for key, rule in self._defs.items() if key != rule_id}
        self._slots = {key: slot for key, slot in self._slots.items() if key != rule_id}
        return steps

    def enable(self, rule_id: str, now: int) -> list[Step]:
        """Turn a rule on, as it was put last. Level rules that are satisfied activate at once. NotFoundError."""
        rule = self._def(rule_id)
        steps = self.advance(now)
        if self.enabled(rule_id):
            return steps
        slot = self._slots.get(rule_id)
        if slot is None or self._program.defs[slot] is not rule:
            self._rebuild(rule_id)
            slot = self._slots[rule_id]
        return steps + self._steps(self._program.core.enable(slot, now))

    def disable(self, rule_id: str, now: int) -> list[Step]:
        """Turn a rule off: what it holds is let go, its wait is forgotten. Nothing if it is off or not there."""
        slot = self._slots.get(rule_id)
        if slot is None:
            return []
        return self.advance(now) + self._steps(self._program.core.disable(slot, now))

    def rules(self) -> tuple[RuleDef, ...]:
        """Every rule as it was put last, in the order of creation."""
        return tuple(self._defs.values())

    def has(self, rule_id: str) -> bool:
        """Whether there is a rule with this id."""
        return rule_id in self._defs

    def enabled(self, rule_id: str) -> bool:
        """Whether a rule is on."""
        return self._run_state(rule_id)[0]

    def active(self, rule_id: str) -> bool:
        """Whether the lasting action of a rule runs. May be asked from another thread."""
        return self._run_state(rule_id)[1]

    # --- events

    def feed(self, event: NewEvent, now: int, *, init: bool = False, early: bool = False) -> list[Step]:
        """An event happened. ``init``: it only announces a state; ``early``: it is a schedule's (see D9).

        Waits that are over by ``now`` come first.
        """
        program = self._program
        if event.is_property:
            source, data = event.source, event.data
            kind = INIT if init else SET
            key = (event.topic, kind, tuple(source.items()), tuple(data.items()))
        else:
            topic = program.topic(event.topic)
            if not topic.tests:
                over = now - 1 if early else now
                return self.advance(over) if program.core.deadline_ns <= over else []
            kind = PULSE
            key = topic.key(event.topic, event.source, event.data)
        number = program.ids.get(key)
        if number is None:
            number = self._learn(Shape(event.topic, kind, dict(key[2]), dict(key[3])))
        actions = self._program.core.feed(number, now, native.EARLY if early else 0)
        return self._steps(actions) if actions else []

    def forget(self, topic: str, source: Mapping[str, str], now: int) -> list[Step]:
        """A property is deleted: nothing is known of it any more (D5)."""
        if self._program.property(topic, source) is None:
            return self.advance(now)
        number = self._learn(Shape(topic, DELETE, dict(source), {}))
        return self._steps(self._program.core.feed(number, now))

    def seen(self, asked: Filter) -> list[tuple[Mapping[str, str], Mapping[str, str]]]:
        """Source and data of every known property that a filter could be about."""
        program = self._program
        covered: dict[str, bool] = {}
        found: list[tuple[Mapping[str, str], Mapping[str, str]]] = []
        for number, known in enumerate(program.properties):
            about = covered.get(known.topic)
            if about is None:
                about = covered[known.topic] = asked.covers(canonical(known.topic))
            if about and asked.could(known.source):
                event = program.core.value(number)
                if event is not None:
                    shape = program.shapes[event]
                    found.append((shape.source, shape.data))
        return found

    # --- the hot path: events as small integers

    def intern(self, event: NewEvent, *, init: bool = False, deleted: bool = False) -> int:
        """An id for an event that will come again; it stays the same as long as the matcher lives."""
        kind = PULSE if not event.is_property else DELETE if deleted else INIT if init else SET
        shape = Shape(event.topic, kind, dict(event.source), {} if deleted else dict(event.data))
        number = self._program.ids.get(shape.key)
        if number is not None and number < self._program.pins:
            return number
        if len(self._pinned) >= native.MAX_EVENTS // 2:
            raise LimitError("event", f"{native.MAX_EVENTS // 2} events are interned already")
        self._pinned.append(shape)
        self._pin()
        return len(self._pinned) - 1

    @property
    def core(self) -> native.RuleCore:
        """The native core: ``core.feed(id, now)``, ``core.feed_into(records, out)``; rules are numbers of ``slots``.

        It may be another one after ``intern``, ``enable``, ``feed``, ``forget`` and ``restore``: ask again.
        """
        return self._program.core

    @property
    def slots(self) -> tuple[RuleDef, ...]:
        """The rule of each number of the core."""
        return self._program.defs

    def steps(self, actions: Iterable[native.Action]) -> list[Step]:
        """What the core gave, as steps."""
        return self._steps(actions)

    # --- time

    def next_deadline(self) -> int | None:
        """When ``advance`` would do something."""
        deadline = self._program.core.deadline_ns
        return None if deadline == native.NEVER else deadline

    def advance(self, now: int) -> list[Step]:
        """Activate the level rules whose wait is over."""
        return self._steps(self._program.core.advance(now))

    # --- undo

    def snapshot(self) -> Snapshot:
        """All that ``restore`` needs to come back to now: rules, what runs, what is known."""
        return Snapshot(self._program, self._program.core.snapshot(), self._defs, self._slots)

    def restore(self, snapshot: Snapshot) -> None:
        """Come back. Interned ids stay as they are."""
        self._program, state, self._defs, self._slots = snapshot
        self._program.core.restore(state)
        self._pin()

    # --- inside

    def slot(self, rule_id: str) -> int | None:
        """The number of a rule in the core; None if it was never turned on."""
        return self._slots.get(rule_id)

    def _run_state(self, rule_id: str) -> tuple[bool, bool]:
        slot, program = self._slots.get(rule_id), self._program
        if slot is None or slot >= len(program.defs) or program.defs[slot].id != rule_id:
            return False, False
        return program.core.run_state(slot)[:2]

    def _def(self, rule_id: str) -> RuleDef:
        try:
            return self._defs[rule_id]
        except KeyError:
            raise NotFoundError("id", f"there is no rule {rule_id!r}") from None

    def _steps(self, actions: Iterable[native.Action]) -> list[Step]:
        defs = self._program.defs
        return [Step(_WHAT[what], defs[rule], t_ns, timer) for rule, what, t_ns, timer in actions]

    def _pin(self) -> None:
        try:
            self._program.pin(self._pinned[self._program.pins :])
        except FullError as full:
            if full.what == "links":
                self._links *= 2
            self._rebuild()

    def _learn(self, shape: Shape) -> int:
        """The id of a shape; when there is no room, the matcher is compiled anew, with more."""
        try:
            return self._program.learn(shape)
        except FullError as full:
            self._grow(full)
            self._rebuild()
        while True:
            try:
                return self._program.learn(shape)
            except FullError as full:
                self._grow_again(full)
                self._rebuild()

    def _grow(self, full: FullError) -> None:
        if full.what == "events":  # never met again, most of them: forgetting them is room enough in the end
            self._spare = min(self._spare * 2, MOST_SPARE)
        else:
            self._links *= 2

    def _grow_again(self, full: FullError) -> None:
        if full.what == "events" or self._links > MOST_LINKS:
            raise full
        self._links *= 2

    def _rebuild(self, changed: str | None = None) -> None:
        """``_compile``, with as many links as it takes. FullError when there are too many properties."""
        while True:
            try:
                self._compile(changed)
                return
            except FullError as full:
                self._grow_again(full)

    def _compile(self, changed: str | None) -> None:
        """Compile anew: every rule in its order, ``changed`` as it was put last, the others as they run.

        Events that were met in passing are forgotten unless they are the value of a property: this is also how the
        table of events is kept small.
        """
        old, slots = self._program, self._slots
        values = old.values()
        running = {key: old.core.run_state(slot) for key, slot in slots.items() if key != changed}
        defs = [
            old.defs[slots[key]] if key in running and running[key][0] else rule for key, rule in self._defs.items()
        ]
        new = Program(defs, self._pinned, len(values), self._spare, self._links)
        now = old.core.now_ns
        for shape in values:
            new.core.feed(new.learn(Shape(shape.topic, SET, shape.source, shape.data)), now)
        new.core.advance(now)
        places = {rule.id: slot for slot, rule in enumerate(defs)}
        for key, (enabled, active, _, last, due) in running.items():
            if enabled:
                new.core.set_run_state(places[key], enabled, active, last, due)
        self._program, self._slots = new, places
