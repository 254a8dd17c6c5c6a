"""Actions: run a light and siren profile, stop it, run it while the rule is active (manual: Set up rules)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from axcore.model.actions import Action, ProfileWhileActive, StartProfile, StopProfile
from axcore.services.events import ActionType, Run

from .service import SirenService

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

GROUP = "Light and siren"


class ProfilePerformer:
    """Starts and stops profiles."""

    kinds = (StartProfile, StopProfile, ProfileWhileActive)

    def __init__(self, siren: SirenService) -> None:
        self._siren = siren

    def describe(self) -> Iterable[ActionType]:
        profile: dict[str, dict[str, Any]] = {
            "profile": {"type": "string", "title": "Profile", "enum": list(self._siren.profiles.all)}
        }
        run = "Run light and siren profile"
        return (
            ActionType(type="start_profile", group=GROUP, name=f"{run}: Start", fields=profile),
            ActionType(type="stop_profile", group=GROUP, name=f"{run}: Stop", fields=profile),
            ActionType(
                type="profile_while_active", group=GROUP, name=f"{run} while the rule is active", fields=profile
            ),
        )

    def check(self, action: Any) -> Action:
        checked: Action = msgspec.structs.replace(action, profile=self._siren.profiles.get(action.profile).name)
        return checked

    def start(self, tx: Transaction, action: Any, run: Run) -> None:
        if isinstance(action, StopProfile):
            self._siren.stop_profile(tx, action.profile, run.correlation)
            return
        owner = _owner(run) if isinstance(action, ProfileWhileActive) else None
        self._siren.start_profile(tx, action.profile, owner=owner, correlation=run.correlation)

    def stop(self, tx: Transaction, action: Any, run: Run) -> None:
        self._siren.stop_owner(tx, _owner(run), run.correlation)


def _owner(run: Run) -> str:
    return f"rule {run.rule}"
