"""I/O ports as users see them (manual: System > Accessories > I/O ports; VAPIX portmanagement)."""

from __future__ import annotations

from typing import Literal

import msgspec

Direction = Literal["input", "output"]
Circuit = Literal["open", "closed"]
MANUAL_TRIGGER = 6
"""Number of the manual trigger in requests; its events have one less."""
VIRTUAL_INPUTS = 64
MAX_NAME = 64
MAX_SEQUENCE = 64
"""Steps of a state sequence."""


class PortConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be set on a port and is kept."""

    name: str = ""
    usage: str = ""
    direction: Direction = "input"
    normal_state: Circuit = "open"


class RexConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Request to exit: what the REX input does natively."""

    hold_time: float = 5.0
    """Seconds (0.05..3600) from the press; the door also stays open while the button is held."""
    port: int | None = None
    """Id of the output that REX opens; None = the input only raises an event."""


class Port(msgspec.Struct, frozen=True, kw_only=True):
    """A port and its present state. ``active`` means: the state differs from the normal state."""

    id: int
    """0-based, as in portmanagement.cgi (port.cgi counts from 1)."""
    config: PortConfig
    state: Circuit
    configurable: bool
    readonly: bool = False

    @property
    def active(self) -> bool:
        return self.state != self.config.normal_state


def circuit(normal: Circuit, active: bool) -> Circuit:
    """The state of a circuit whose normal state is ``normal``."""
    if active:
        return "closed" if normal == "open" else "open"
    return normal
