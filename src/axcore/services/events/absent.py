"""Actions that the model of rules knows and this device cannot perform yet.

They can be stored, so that a configuration made for a whole device is kept, and fail (``ActionFailed``) when they are
to run.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from axcore.errors import InputError
from axcore.model.actions import Action, MakeCall, PlayClip, PlayClipWhileActive, StopClip

from .performers import ActionType, Run

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

NO_SOUND = "this device has no sound output"
NO_CALLS = "this device cannot make calls"


class AbsentPerformer:
    """Clips without a loudspeaker (unless others play ``clips``), calls without an intercom (unless others call)."""

    def __init__(self, *, clips: bool = False, calls: bool = False) -> None:
        sound: tuple[type[Any], ...] = () if clips else (PlayClip, PlayClipWhileActive, StopClip)
        self.kinds: tuple[type[Any], ...] = sound if calls else (*sound, MakeCall)

    def describe(self) -> Iterable[ActionType]:
        clip = {"type": "string", "title": "Clip"}
        volume = {"type": "integer", "title": "Volume", "unit": "%", "default": 100, "minimum": 0, "maximum": 1000}
        repeat = {"type": "integer", "title": "Repeat", "default": 0, "minimum": -1}
        call = {"to": {"type": "string", "title": "To"}, "account": {"type": "string", "title": "From SIP account"}}
        play: dict[str, dict[str, Any]] = {"clip": clip, "volume": volume}
        group, name = "Audio clips", "Play audio clip"
        found = (
            ActionType(
                type="play_clip", group=group, name=name, fields={**play, "repeat": repeat}, unavailable=NO_SOUND
            ),
            ActionType(
                type="play_clip_while_active", group=group, name=f"{name} while the rule is active", fields=play,
                unavailable=NO_SOUND,
            ),
            ActionType(type="stop_clip", group=group, name="Stop playing audio clip", fields={}, unavailable=NO_SOUND),
            ActionType(
                type="make_call", group="Calls", name="Make call", fields=call, unavailable=NO_CALLS,
            ),
        )  # fmt: skip
        tags = {kind.__struct_config__.tag for kind in self.kinds}
        return tuple(each for each in found if each.type in tags)

    def check(self, action: Any) -> Action:
        if isinstance(action, PlayClip | PlayClipWhileActive):
            if not action.clip.strip():
                raise InputError("clip", "is empty")
            if not 0 <= action.volume <= 1000:
                raise InputError("volume", "must be 0..1000 %")
        if isinstance(action, PlayClip) and action.repeat < -1:
            raise InputError("repeat", "must be -1 (until stopped) or more")
        if isinstance(action, MakeCall) and not action.to.strip():
            raise InputError("to", "is empty")
        checked: Action = action
        return checked

    def start(self, tx: Transaction, action: Any, run: Run) -> None:
        raise InputError("type", NO_CALLS if isinstance(action, MakeCall) else NO_SOUND)

    def stop(self, tx: Transaction, action: Any, run: Run) -> None:
        """Nothing was begun."""
