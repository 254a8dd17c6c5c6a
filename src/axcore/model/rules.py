"""Rules: when conditions hold, an action runs. The data model of the whole rule engine.

Semantics are those of the rule engine: conditions are ANDed; the first one may carry the trigger flag; a stateless
condition cannot be inverted; ``wait`` is the least time between two activations.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

MAX_RULES = 256
MAX_CONDITIONS = 16
MAX_NAME = 64
MIN_DURATION = 0.05
"""Seconds; the shortest that "Toggle I/O once" can be, besides 0 = stay there."""
MAX_DURATION = 86_400.0
MAX_WAIT = 359_999.0
"""Seconds: 99:59:59, the most that hh:mm:ss can say."""


class Condition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """True while (property) or when (pulse) an event of ``topic`` has these source and data items."""

    topic: str
    source: dict[str, str] = {}
    data: dict[str, str] = {}
    invert: bool = False
    trigger: bool = False


class ToggleIoOnce(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="toggle_io_once"):
    """I/O > Toggle I/O once: bring a port to a state for a time."""

    while_active: ClassVar[bool] = False

    port: str
    """Port id ("4") or name ("Door")."""
    state: bool = True
    duration: float = 0.0
    """Seconds, 0.05..86400; 0 = leave it there."""


class ToggleIoWhileActive(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="toggle_io_while_active"
):
    """I/O > Toggle I/O while the rule is active."""

    while_active: ClassVar[bool] = True
    """The action has no length of its own: it starts and stops with its rule."""

    port: str
    state: bool = True


Action = ToggleIoOnce | ToggleIoWhileActive


class RuleSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a user enters for a rule."""

    name: str
    conditions: tuple[Condition, ...]
    action: Action
    enabled: bool = True
    wait: float = 0.0
    """Seconds between two activations."""


class Rule(RuleSpec, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stored rule."""

    id: str
