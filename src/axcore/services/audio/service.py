"""Settings of microphone and loudspeaker: what is stored, refused and applied (manual: Audio > Device settings)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from axcore.errors import InputError
from axcore.model.audio import MAX_DB, MIN_DB, AudioSettings, ConnectionType
from axcore.model.convert import patched_groups
from axcore.services.stored import keep_settings, load_settings

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
        self.settings = load_settings(tx, STORED, AudioSettings)
        self._apply(self.settings)

    def set(self, tx: Transaction, patch: Mapping[str, Any]) -> AudioSettings:
        """Change what the patch names, of input and output too. InputError (``input.gain`` ...)."""
        new = patched_groups(self.settings, patch, AudioSettings)
        for name, kinds in (("input", self.inputs), ("output", self.outputs)):
            end = getattr(new, name)
            if not math.isfinite(end.gain) or not MIN_DB <= end.gain <= MAX_DB:
                raise InputError(f"{name}.gain", f"must be {MIN_DB:g}..{MAX_DB:g} dB")
            if end.type not in kinds:
                raise InputError(f"{name}.type", f"there is only {', '.join(kinds)}")
        if keep_settings(tx, STORED, self, new):
            tx.after_commit(lambda: self._apply(new))
        return new
