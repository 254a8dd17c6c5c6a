"""The sounds of calls: which clip or tone is played when, and how loud (manual: Calls > Audio).

What is played is said by ``devices.call_sound``. What is chosen counts from the next call on. Changes are jobs of the
ledger thread.
"""

from __future__ import annotations

import logging
import math
from array import array
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec

from axcore.devices.call import Call
from axcore.devices.call_sound import ENDS, CallSound, sound_of
from axcore.errors import InputError
from axcore.model.clips import MAX_GAIN_DB, MIN_GAIN_DB, AudioClip
from axcore.model.convert import patched_groups
from axcore.model.intercom import CallSounds, SoundChoice
from axcore.services.clips import ClipService
from axcore.services.stored import keep_settings, load_settings

from . import notices
from .media import SoundPlayer

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

log = logging.getLogger(__name__)

SOUNDS: Final = ("intercom", "sounds")
CLIP_RATE: Final = 48_000
MOST_GAIN: Final = 16.0
_TONES: Final[dict[str, tuple[str, int]]] = {
    "busy": ("busy", 3),
    "declined": ("busy", 3),
    "no_answer": ("congestion", 6),
    "failed": ("congestion", 6),
}
"""Of ``axcore.audio.tones.CALL_TONES``, and how often: about three seconds."""
_CLIPS: Final = {"ringtone": "ring", "ringback": "ringback"}


class SoundsOfCalls:
    """See the module's text. ``settings`` may be read by any thread."""

    def __init__(self, clips: ClipService | None, submit: Callable[[Callable[[Transaction], Any]], object]) -> None:
        self.settings = CallSounds()
        self._clips, self._submit = clips, submit
        self._player: SoundPlayer | None = None
        self._chosen = CallSounds()
        """Those of the present call."""
        self._now: CallSound = ""

    def attach(self, player: SoundPlayer | None) -> None:
        """Who plays them (set-up)."""
        self._player = player

    def load(self, tx: Transaction) -> None:
        """Read what is stored."""
        self.settings = load_settings(tx, SOUNDS, CallSounds)

    def users(self, clip: AudioClip) -> Iterable[str]:
        """Which sounds are made of a clip."""
        for name in CallSounds.__struct_fields__:
            if getattr(self.settings, name).clip == clip.location:
                yield f"the sound of calls {name!r}"

    def set(self, tx: Transaction, patch: Mapping[str, Any]) -> CallSounds:
        """Change what the patch names, in each sound too. InputError, NotFoundError (``ringtone.clip`` ...)."""
        new = patched_groups(self.settings, patch, CallSounds)
        checked = {name: self._check(name, getattr(new, name)) for name in CallSounds.__struct_fields__}
        new = CallSounds(**checked)
        keep_settings(tx, SOUNDS, self, new)
        return new

    # --- calls

    def begin(self, tx: Transaction) -> None:
        """A call begins: it sounds as chosen now."""
        tx.assign(self, "_chosen", self.settings)

    def follow(self, tx: Transaction, call: Call) -> None:
        """A call is in another state."""
        sound, player = sound_of(call), self._player
        if sound == self._now or player is None:
            return
        tx.assign(self, "_now", sound)
        choice = getattr(self._chosen, sound) if sound else SoundChoice(enabled=False)
        if choice.enabled:
            load, gain, times = self._of(sound, choice)
            tx.after_commit(lambda: player.ring(load, gain, times))
        else:
            tx.after_commit(player.hush)

    # --- inside

    def _check(self, name: str, choice: SoundChoice) -> SoundChoice:
        if not math.isfinite(choice.gain) or not MIN_GAIN_DB <= choice.gain <= MAX_GAIN_DB:
            raise InputError(f"{name}.gain", f"must be {MIN_GAIN_DB:g}..{MAX_GAIN_DB:g} dB")
        if not choice.clip.strip() or self._clips is None:
            return msgspec.structs.replace(choice, clip="")
        location = self._clips.find(choice.clip, f"{name}.clip").location
        return msgspec.structs.replace(choice, clip=location)

    def _of(self, sound: CallSound, choice: SoundChoice) -> tuple[Callable[[], array[int]], float, int]:
        """How a sound is loaded, its gain, and how often it is played (0: until the end)."""
        tone, rounds = partial(render, sound), _TONES[sound][1] if sound in ENDS else 0
        found = self._clips.matching(choice.clip) if self._clips is not None and choice.clip else []
        if not found or self._clips is None:
            return tone, min(MOST_GAIN, 10 ** (choice.gain / 20)), rounds
        clips, clip = self._clips, found[0]

        def load() -> array[int]:
            try:
                return clips.samples(clip)
            except (OSError, ValueError) as error:
                reason = f"{clip.name}: {error}; the tone of the device is played"
                self._submit(lambda tx: tx.publish(notices.fault(reason)))
                return tone()

        gain = min(MOST_GAIN, 10 ** ((choice.gain + clip.gain) / 20))
        return load, gain, 1 if sound in ENDS else 0


def render(sound: str) -> array[int]:
    """One round of the device's own tone, at 48 kHz."""
    from axcore.audio.tones import CALL_TONES, Tone
    from axcore.services.clips import delivered

    if sound in _CLIPS:
        return delivered.render(_CLIPS[sound])
    return Tone(CALL_TONES[_TONES[sound][0]], CLIP_RATE).samples()
