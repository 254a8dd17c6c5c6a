"""Anti-passback data: where each credential was seen last, kept in the store and in memory.

Changed in place by the ledger thread, with an undo for each change: a site has 100,000 credentials, and an entry must
not copy them. What a timed rule does not need any more is looked for once an hour.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from axcore.model.pacs import Passage
from axcore.runtime.clock import NS, Instant
from axcore.services.pacs.events import passback_event

if TYPE_CHECKING:
    from axcore.runtime.transaction import Transaction

KIND = "pacs.passage"
SWEEP_NS = 3_600 * NS
SWEEP_MOST = 1_000
"""Records that one sweep removes; the next one follows a second later."""


class Passages:
    """See the module's text."""

    def __init__(self) -> None:
        self.held: dict[str, Passage] = {}
        """By credential. Changed by this class alone."""
        self.sweep_ns: int | None = None
        """When to look through it (monotonic ns)."""
        self._violations: frozenset[str] = frozenset()
        """Credentials that the property *ApbViolation* is told of."""

    def load(self, passages: dict[str, Passage], now: Instant) -> None:
        """Start with what the store has."""
        self.held = passages
        self.sweep_ns = now.mono_ns + SWEEP_NS
        self._violations = frozenset()

    def put(self, tx: Transaction, passage: Passage) -> None:
        """Remember one."""
        key, held = passage.credential, self.held
        before = held.get(key)
        if passage == before:
            return
        held[key] = passage
        tx.on_rollback(lambda: _restore(held, key, before))
        tx.put(KIND, key, msgspec.json.encode(passage), volatile=True)

    def forget(self, tx: Transaction, credentials: Iterable[str]) -> None:
        """Forget some."""
        held = self.held
        for key in credentials:
            before = held.pop(key, None)
            if before is not None:
                tx.on_rollback(lambda key=key, before=before: _restore(held, key, before))  # type: ignore[misc]
                tx.delete(KIND, key)

    def violated(self, tx: Transaction, credential: str) -> None:
        """The violation was told."""
        tx.assign(self, "_violations", self._violations | {credential})

    def cleared(self, tx: Transaction, credential: str, user: str, *, by_client: bool = False) -> None:
        """The credential is where it may be: tell the end of a violation, if one was told."""
        if credential in self._violations:
            tx.assign(self, "_violations", self._violations - {credential})
            tx.publish(passback_event(credential, user, False, by_client=by_client))

    def sweep(self, tx: Transaction, now: Instant) -> None:
        """Forget what counts no more: a timed rule whose time is over."""
        over = [p.credential for p in self.held.values() if p.by_time and now.wall_ns >= p.pass_ok_ns]
        self.forget(tx, over[:SWEEP_MOST])
        tx.assign(self, "sweep_ns", now.mono_ns + (SWEEP_NS if len(over) <= SWEEP_MOST else NS))


def _restore(held: dict[str, Passage], key: str, before: Passage | None) -> None:
    if before is None:
        held.pop(key, None)
    else:
        held[key] = before
