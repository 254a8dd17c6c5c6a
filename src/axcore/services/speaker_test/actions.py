"""Action: test the loudspeaker (VAPIX, Auto speaker test service API: perform test action)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from axcore.model.actions import Action, RunSpeakerTest
from axcore.services.events import ActionType, Run

from .service import SpeakerTestService

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction


class SpeakerTestPerformer:
    """Begins tests. ``service`` is asked when a rule fires."""

    kinds = (RunSpeakerTest,)

    def __init__(self, service: Callable[[], SpeakerTestService]) -> None:
        self._service = service

    def describe(self) -> Iterable[ActionType]:
        return (ActionType(type="run_speaker_test", group="Audio", name="Run speaker test", fields={}),)

    def check(self, action: Any) -> Action:
        checked: Action = action
        return checked

    def start(self, tx: Transaction, action: Any, run: Run) -> None:
        self._service().test(tx)

    def stop(self, tx: Transaction, action: Any, run: Run) -> None:
        """Nothing to end: a test ends by itself."""
