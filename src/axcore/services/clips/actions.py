"""Actions: play an audio clip, once or while the rule is active, and stop it (manual: Set up rules)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from axcore.model.actions import Action, PlayClip, PlayClipWhileActive, StopClip
from axcore.model.clips import MAX_REPEAT, MAX_VOLUME, AudioClip
from axcore.model.rules import Rule
from axcore.services.events import ActionType, Run

from .service import ClipService, check_play

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

GROUP = "Audio clips"


class ClipPerformer:
    """Plays and stops clips. A rule keeps the location of its clip, as VAPIX does."""

    kinds = (PlayClip, PlayClipWhileActive, StopClip)

    def __init__(self, clips: ClipService) -> None:
        self._clips = clips

    def describe(self) -> Iterable[ActionType]:
        clips = self._clips.clips()
        clip = {
            "type": "string",
            "title": "Clip",
            "enum": [each.location for each in clips],
            "enumNames": [each.name for each in clips],
        }
        volume = {
            "type": "integer",
            "title": "Volume",
            "unit": "%",
            "default": 100,
            "minimum": 0,
            "maximum": MAX_VOLUME,
        }
        repeat = {"type": "integer", "title": "Repeat", "default": 0, "minimum": -1, "maximum": MAX_REPEAT}
        to_call = {"type": "boolean", "title": "Heard in a call too", "default": False}
        play: dict[str, dict[str, Any]] = {"clip": clip, "volume": volume, "to_call": to_call}
        name = "Play audio clip"
        return (
            ActionType(type="play_clip", group=GROUP, name=name, fields={**play, "repeat": repeat}),
            ActionType(
                type="play_clip_while_active", group=GROUP, name=f"{name} while the rule is active", fields=play
            ),
            ActionType(type="stop_clip", group=GROUP, name="Stop playing audio clip", fields={}),
        )

    def check(self, action: Any) -> Action:
        if isinstance(action, StopClip):
            return action
        check_play(action.volume, getattr(action, "repeat", 0))
        clip = self._clips.find(action.clip)
        location = action.clip.strip() if "*" in action.clip else clip.location
        checked: Action = msgspec.structs.replace(action, clip=location)
        return checked

    def start(self, tx: Transaction, action: Any, run: Run) -> None:
        if isinstance(action, StopClip):
            self._clips.stop(tx, correlation=run.correlation)
            return
        clip = self._clips.find(action.clip)
        if isinstance(action, PlayClipWhileActive):
            repeat, owner = -1, _owner(run)
        else:
            repeat, owner = action.repeat, None
        how = {"volume": action.volume, "repeat": repeat, "to_call": action.to_call}
        self._clips.play(tx, clip, owner=owner, correlation=run.correlation, **how)

    def stop(self, tx: Transaction, action: Any, run: Run) -> None:
        self._clips.stop(tx, owner=_owner(run), correlation=run.correlation)


def rules_playing(rules: Iterable[Rule], clip: AudioClip) -> Iterable[str]:
    """The rules that play this very clip."""
    for rule in rules:
        if isinstance(rule.action, PlayClip | PlayClipWhileActive) and rule.action.clip == clip.location:
            yield f"the rule {rule.name!r}"


def _owner(run: Run) -> str:
    return f"rule {run.rule}"
