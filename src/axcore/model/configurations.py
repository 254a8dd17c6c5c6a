"""Action configurations: an action with its values, kept apart from the rules that run it (VAPIX action service)."""

from __future__ import annotations

import msgspec

from .actions import Action

MAX_CONFIGURATIONS = 512
IMPLICIT = 1_000_000
"""The configuration of a rule that was made without one has this number more than the rule."""


class ActionConfiguration(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration. Parameters that are secret are kept empty: what needs them is in a recipient."""

    id: str
    template: str = ""
    """Token of its template; empty = of a rule that was made without a configuration."""
    name: str = ""
    parameters: dict[str, str] = {}
    action: Action
