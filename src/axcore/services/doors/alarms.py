"""Alarms of the controller itself: device motion, casing, external tamper, external alarm (manual: I/Os and relays >
Alarms; Tamper/Alarm connector).

Each of the first three can be turned off: a controller without a casing has nothing to tell of it. What is set is the
record ``alarms/0``. A supervised tamper or alarm input whose line is cut or shorted is an alarm too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from axcore.model import events as topics
from axcore.model.convert import patched
from axcore.model.doors import LineState
from axcore.model.events import NewEvent

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

KIND = "alarms"
Kind = Literal["tamper", "alarm"]
TOPICS: dict[Kind, str] = {"tamper": topics.EXTERNAL_TAMPER, "alarm": topics.EXTERNAL_ALARM}


class AlarmSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which alarms the device raises."""

    device_motion: bool = False
    casing_open: bool = True
    external_tamper: bool = False


class AlarmService:
    """Methods with ``tx`` are jobs of the ledger thread."""

    def __init__(self) -> None:
        self._settings = AlarmSettings()
        self._state: Mapping[Kind, tuple[bool, str]] = {"tamper": (False, ""), "alarm": (False, "")}

    def load(self, tx: Transaction) -> None:
        """Read the settings; also after a failed commit."""
        raw = tx.get(KIND, "0")
        self._settings = AlarmSettings() if raw is None else msgspec.json.decode(raw, type=AlarmSettings)

    @property
    def settings(self) -> AlarmSettings:
        return self._settings

    def configure(self, tx: Transaction, patch: Mapping[str, Any]) -> AlarmSettings:
        """Turn alarms on or off. InputError."""
        new = patched(self._settings, patch, AlarmSettings)
        tx.put(KIND, "0", msgspec.json.encode(new))
        tx.publish(NewEvent(topic=topics.CONFIGURATION_CHANGED, data={"kind": KIND, "key": "0", "action": "update"}))
        tx.assign(self, "_settings", new)
        self.announce(tx)
        return new

    def announce(self, tx: Transaction) -> None:
        """Publish the states of the external inputs."""
        for kind, (active, reason) in self._state.items():
            tx.publish(self._event(kind, active, reason, 0, None))

    def on_input(
        self, tx: Transaction, kind: Kind, active: bool, t_ns: int = 0, correlation: str | None = None
    ) -> None:
        """The level of the tamper or the alarm input."""
        self._change(tx, kind, active, "Active" if active else "", t_ns, correlation)

    def on_supervised(self, tx: Transaction, kind: Kind, state: LineState, correlation: str | None = None) -> None:
        """The circuit of a supervised tamper or alarm input."""
        reason = {"open": "", "closed": "Active", "short": "Short", "cut": "Cut"}[state]
        self._change(tx, kind, bool(reason), reason, 0, correlation)

    def on_motion(self, tx: Transaction, correlation: str | None = None) -> None:
        """The device was moved."""
        if self._settings.device_motion:
            tx.publish(NewEvent(topic=topics.DEVICE_MOTION, correlation=correlation))

    def _change(self, tx: Transaction, kind: Kind, active: bool, reason: str, *at: Any) -> None:
        if self._state[kind] == (active, reason):
            return
        tx.assign(self, "_state", {**self._state, kind: (active, reason)})
        tx.publish(self._event(kind, active, reason, *at))

    def _event(self, kind: Kind, active: bool, reason: str, t_ns: int, correlation: str | None) -> NewEvent:
        counts = active and (kind != "tamper" or self._settings.external_tamper)
        data = {"Active": "1" if counts else "0", **({"Reason": reason} if counts else {})}
        return NewEvent(
            topic=TOPICS[kind], source={"Name": kind}, data=data, is_property=True, t_ns=t_ns, correlation=correlation
        )
