"""Settings of microphone and loudspeaker: what is stored, refused and applied (manual: Audio > Device settings)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from axcore.errors import InputError
from axcore.model import events
from axcore.model.audio import MAX_DB, MIN_DB, AudioSettings, ConnectionType
from axcore.model.convert import patched
from axcore.model.events import NewEvent

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

STORED: Final = ("audio", "devices")
Apply = Callable[[AudioSettings], None]


class AudioService:
    """Of one device. ``set`` and ``load`` are jobs of the ledger thread; ``settings`` may be read by any.

    Args:
        inputs, outputs: the connection types that there are.
    """

    def __init__(self, inputs: tuple[ConnectionType, ...], outputs: tuple[ConnectionType, ...]) -> None:
        self.inputs, self.outputs = inputs, outputs
        self.settings = AudioSettings()
        self._apply: Apply = lambda settings: None

    def attach(self, apply: Apply) -> None:
        """Who makes the settings heard; told them now, and after each commit that changes them (set-up)."""
        self._apply = apply
        apply(self.settings)

    def load(self, tx: Transaction) -> None:
        """Read what is stored."""
        raw = tx.get(*STORED)
        self.settings = AudioSettings() if raw is None else msgspec.json.decode(raw, type=AudioSettings)
        self._apply(self.settings)

    def set(self, tx: Transaction, patch: Mapping[str, Any]) -> AudioSettings:
        """Change what the patch names, of input and output too. InputError (``input.gain`` ...)."""
        merged: dict[str, Any] = dict(patch)
        for name in ("input", "output"):
            if isinstance(merged.get(name), dict):
                merged[name] = {**msgspec.to_builtins(getattr(self.settings, name)), **merged[name]}
        new = patched(self.settings, merged, AudioSettings)
        for name, kinds in (("input", self.inputs), ("output", self.outputs)):
            end = getattr(new, name)
            if not math.isfinite(end.gain) or not MIN_DB <= end.gain <= MAX_DB:
                raise InputError(f"{name}.gain", f"must be {MIN_DB:g}..{MAX_DB:g} dB")
            if end.type not in kinds:
                raise InputError(f"{name}.type", f"there is only {', '.join(kinds)}")
        if new != self.settings:
            tx.put(*STORED, msgspec.json.encode(new))
            tx.assign(self, "settings", new)
            data = {"kind": "audio", "key": "devices", "action": "update", "user": tx.actor}
            tx.publish(NewEvent(topic=events.CONFIGURATION_CHANGED, data=data))
            tx.after_commit(lambda: self._apply(new))
        return new
