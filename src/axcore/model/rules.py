"""Rules: when conditions hold, an action runs. The data model of the whole rule engine.

Semantics are those of the rule engine: conditions are ANDed; the first one may carry the trigger flag; a stateless
condition cannot be inverted; ``wait`` is the least time between two activations. Actions are in ``model/actions.py``.
"""

from __future__ import annotations

import msgspec

from .actions import MAX_DURATION, MIN_DURATION, Action, ToggleIoOnce, ToggleIoWhileActive

__all__ = [
    "MAX_CONDITIONS",
    "MAX_DURATION",
    "MAX_NAME",
    "MAX_RULES",
    "MAX_WAIT",
    "MIN_DURATION",
    "Action",
    "Condition",
    "Rule",
    "RuleSpec",
    "ToggleIoOnce",
    "ToggleIoWhileActive",
]

MAX_RULES = 256
MAX_CONDITIONS = 16
MAX_NAME = 64
MAX_WAIT = 359_999.0
"""Seconds: 99:59:59, the most that hh:mm:ss can say."""


class Condition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """True while (property) or when (pulse) an event of ``topic`` has these source and data items.

    Either a condition of the catalogue (``topic`` is one of its topics; ``source``, ``data`` say which) or an ONVIF
    filter: ``content`` is a message content filter, and ``topic`` a topic expression that may have alternatives
    (``|``) and subtrees (``//.``).
    """

    topic: str
    source: dict[str, str] = {}
    data: dict[str, str] = {}
    content: str = ""
    """``boolean(//SimpleItem[@Name="port" and @Value="1"])``; not together with ``source`` and ``data``."""
    invert: bool = False
    trigger: bool = False


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
