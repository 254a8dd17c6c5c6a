"""Rules: when conditions hold, an action runs. The data model of the whole rule engine.

Semantics are those of the rule engine: conditions are ANDed; the first one may carry the trigger flag; a stateless
condition cannot be inverted; ``wait`` is the least time between two activations.
"""

from __future__ import annotations

import msgspec

MAX_RULES = 256


class Condition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """True while (property) or when (pulse) an event of ``topic`` has these source and data items."""

    topic: str
    source: dict[str, str] = {}
    data: dict[str, str] = {}
    invert: bool = False
    trigger: bool = False


class ToggleIoOnce(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="toggle_io_once"):
    """I/O > Toggle I/O once: bring a port to a state for a time."""

    port: str
    """Port id ("4") or name ("Door")."""
    state: bool = True
    duration: float = 0.0
    """Seconds, 0.05..86400; 0 = leave it there."""


class ToggleIoWhileActive(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="toggle_io_while_active"
):
    """I/O > Toggle I/O while the rule is active."""

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
