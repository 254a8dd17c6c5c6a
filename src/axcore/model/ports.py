"""I/O ports as users see them (manual: System > Accessories > I/O ports; VAPIX portmanagement)."""

from __future__ import annotations

from typing import Literal

import msgspec

Direction = Literal["input", "output"]
Circuit = Literal["open", "closed"]
VIRTUAL_INPUTS = 64


class PortConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be set on a port and is kept."""

    name: str = ""
    usage: str = ""
    direction: Direction = "input"
    normal_state: Circuit = "open"


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
