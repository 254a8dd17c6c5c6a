"""The native rule matcher over ids. The friendly face is ``axcore.rules``; words and meaning are those of ``ax/rules.h``."""

from typing import final

from typing_extensions import Buffer, disjoint_base

MAX_RULES: int
"""Rules of a matcher (256)."""
MAX_CONDITIONS: int
"""Conditions of a rule (16)."""
MAX_TESTS: int
"""Different tests (4096)."""
MAX_EVENTS: int
"""Event ids are below this (65535)."""
ROOM: int
"""Action records that a buffer must have room for, for each event that is to be taken (512)."""
NEVER: int
"""A deadline that does not exist (2**64 - 1)."""
TIMER: int
"""The cause of an action that no event caused (2**32 - 1)."""
INVERT: int
"""Flag of a condition."""
EDGE: int
"""Flag of a rule: its first condition starts it."""
WHILE: int
"""Flag of a rule: its action lasts."""
EARLY: int
"""Flag of an input: it comes before waits that end at the same instant."""
PULSE: int
SET: int
INIT: int
DELETE: int
FIRE: int
START: int
STOP: int
INPUT_SIZE: int
"""Bytes of an input record: t_ns u64, event u32, flags u32, native byte order."""
ACTION_SIZE: int
"""Bytes of an action record: t_ns u64, cause u32, rule u16, what u16."""
LEVELS: tuple[str, ...]
"""Variants of the step on this machine, slowest first."""

Action = tuple[int, int, int, bool]
"""rule, what, t_ns, whether a wait was over (no event caused it)"""

@final
class State:
    """What ``RuleCore.snapshot`` gave."""

    def __init__(self, /, *args: object, **kwargs: object) -> None:
        """TypeError: there is no other way to get one."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@disjoint_base
class RuleCore:
    """A compiled matcher. One thread at a time (StateError otherwise). Numbers beyond the tables: RangeError."""

    def __init__(
        self,
        rules: Buffer,
        conditions: Buffer,
        tests: int,
        max_instances: int,
        max_events: int,
        max_links: int,
        max_masks: int = 0,
    ) -> None:
        """``rules``: records wait_ns u64, first u32, count u16, flags u16; ``conditions``: test u16, flags u16.

        The others are limits: properties, events, entries of all lists of tests, events that get a short cut.
        """
    def feed(self, event: int, t_ns: int, flags: int = 0) -> list[Action] | tuple[()]:
        """One event; gives what is to be done."""
    def feed_into(self, events: Buffer, out: Buffer) -> tuple[int, int]:
        """A buffer of input records; writes action records to ``out``. Returns (actions, inputs taken).

        Fewer inputs than given are taken when less than ``ROOM`` is left, or when one is beyond the table.
        """
    def advance(self, now_ns: int) -> list[Action] | tuple[()]:
        """It is ``now_ns``: what has waited long enough."""
    def enable(self, rule: int, now_ns: int) -> list[Action] | tuple[()]:
        """Turn a rule on, at ``now_ns``; what has waited long enough comes first."""
    def disable(self, rule: int, now_ns: int) -> list[Action] | tuple[()]:
        """Turn a rule off; likewise."""
    def add_instance(self, tests: Buffer) -> int:
        """A property and its tests (u16, rising); gives its number. QueueFullError."""
    def bind(self, event: int, kind: int, instance: int, tests: Buffer) -> None:
        """Give an id a shape; ``tests`` (u16, rising) hold. StateError when it has one, QueueFullError."""
    def value(self, instance: int) -> int | None:
        """The event that gave an instance its value; None = not known."""
    def test_state(self, test: int) -> tuple[int, int]:
        """(known instances that could hold, those that do)"""
    def run_state(self, rule: int) -> tuple[bool, bool, bool, int | None, int | None]:
        """(enabled, active, all conditions hold, last activation if a wait counts from it, due)"""
    def set_run_state(self, rule: int, enabled: bool, active: bool, last_ns: int | None, due_ns: int | None) -> None:
        """Put a run state in, without any action."""
    def snapshot(self) -> State:
        """All that changes while events are fed."""
    def restore(self, state: State) -> None:
        """Go back. StateError when the state is of another core."""
    @property
    def deadline_ns(self) -> int:
        """When ``advance`` would do something; ``NEVER``."""
    @property
    def now_ns(self) -> int:
        """The newest time that was told."""
    @property
    def size(self) -> int:
        """Bytes of the matcher, tables and state."""
    def set_level(self, level: int) -> None:
        """Choose a variant of the step (for tests and benches)."""
