"""Wrong PINs are counted by reader: after ``MAX_WRONG`` within ``MEMORY_NS`` none is accepted there for ``BLOCK_NS``.

The limits are those of ``reader.Reader``, which counts for a keypad; this is for what is asked over the network too.
The counts belong to the ledger thread; they are undone with the transaction that they were made in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from axcore.model import events as topics
from axcore.model.events import NewEvent
from axcore.services.pacs.decision import Decision, Request
from axcore.services.pacs.reader import BLOCK_NS, MAX_WRONG, MEMORY_NS, NS

if TYPE_CHECKING:
    from axcore.runtime.transaction import Transaction


class PinGuard:
    """See the module's text."""

    def __init__(self) -> None:
        self._wrong: dict[str, tuple[int, ...]] = {}
        self._blocked: dict[str, int] = {}

    def reset(self) -> None:
        """Forget everything (start)."""
        self._wrong, self._blocked = {}, {}

    def is_blocked(self, id_point: str, now: int) -> bool:
        """Whether PINs are refused (monotonic ns)."""
        return now < self._blocked.get(id_point, 0)

    def decided(self, tx: Transaction, request: Request, decision: Decision, now: int) -> None:
        """Count a decision in which a PIN was shown."""
        reader = request.id_point
        if decision.granted:
            if reader in self._wrong:
                tx.assign(self, "_wrong", {key: held for key, held in self._wrong.items() if key != reader})
            return
        alone = set(request.id_data) == {"PIN"}
        if not (decision.reason == "InvalidPIN" or (decision.reason == "InvalidCredential" and alone)):
            return
        wrong = (*(at for at in self._wrong.get(reader, ()) if at > now - MEMORY_NS), now)
        if len(wrong) >= MAX_WRONG:
            wrong = ()
            tx.assign(self, "_blocked", {**self._blocked, reader: now + BLOCK_NS})
            reason = f"{MAX_WRONG} wrong PINs: no PIN is accepted for {BLOCK_NS // NS} s"
            data = {"component": f"reader {reader}", "reason": reason}
            tx.publish(NewEvent(topic=topics.SYSTEM_FAULT, data=data))
        tx.assign(self, "_wrong", {**self._wrong, reader: wrong})
