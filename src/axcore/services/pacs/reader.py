"""What is being shown at a reader: card and PIN in either order, keys one by one; PINs that are refused for a while.

Sans-I/O and immutable: every input gives a new ``Reader`` and a ``Step``. Where a step says ``decide``, its ``id_data``
goes to ``decision.decide`` and the answer back to ``decided``. Times are monotonic nanoseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from axcore.model.credentials import HIDDEN
from axcore.model.pacs import SECRET, IdPoint
from axcore.services.pacs.decision import Decision

NS = 1_000_000_000
MS = 1_000_000
MAX_WRONG = 5
"""Wrong PINs after which none is accepted for ``BLOCK_NS``."""
BLOCK_NS = 60 * NS
MEMORY_NS = 600 * NS
"""A wrong PIN is forgotten after this."""
MAX_KEYS = 64

StepKind = Literal["wait", "decide", "short", "blocked", "timeout"]


class Step(msgspec.Struct, frozen=True):
    """What an input has led to."""

    kind: StepKind = "wait"
    """``decide``: ask; ``short``: not as many digits as PINs have; ``blocked``: PINs are refused; ``timeout``: nothing
    came."""
    id_data: Mapping[str, str] = {}
    """``decide``: what was shown. ``timeout``: what is forgotten (names only)."""

    def __repr__(self) -> str:
        shown = {name: HIDDEN if name in SECRET else value for name, value in self.id_data.items()}
        return f"Step({self.kind!r}, {shown!r})"


WAIT = Step()


class Reader(msgspec.Struct, frozen=True):
    """The state of one reader (id point)."""

    shown: tuple[tuple[str, str], ...] = ()
    """What was shown and was not enough."""
    keys: str = ""
    deadline_ns: int | None = None
    wrong: tuple[int, ...] = ()
    """When wrong PINs were entered."""
    blocked_until_ns: int = 0

    def __repr__(self) -> str:
        names = ", ".join(name for name, _ in self.shown)
        return f"Reader([{names}], keys={HIDDEN if self.keys else ''!r}, deadline_ns={self.deadline_ns})"

    @property
    def waiting(self) -> bool:
        """Somebody is at it."""
        return self.deadline_ns is not None

    def is_blocked(self, now: int) -> bool:
        """PINs are refused."""
        return now < self.blocked_until_ns

    def advance(self, now: int) -> tuple[Reader, Step]:
        """Let time pass; ``timeout`` when what was still required did not come."""
        if self.deadline_ns is None or now < self.deadline_ns:
            return self, WAIT
        names = [name for name, _ in self.shown] + (["PIN"] if self.keys else [])
        return self._idle(), Step("timeout", dict.fromkeys(names, ""))

    def on_id(self, id_data: Mapping[str, str], point: IdPoint, now: int) -> tuple[Reader, Step]:
        """A card was read, a PIN came as a whole, a request to exit was pressed. It adds to what was shown before."""
        reader, _ = self.advance(now)
        if "PIN" in id_data:
            if reader.is_blocked(now):
                return reader._idle(), Step("blocked")
            if not point.min_pin_size <= len(id_data["PIN"]) <= max(point.max_pin_size, point.min_pin_size):
                return reader._idle(), Step("short")
        held = {} if _same_names(reader.shown, id_data) else dict(reader.shown)
        shown = {**held, **id_data}
        kept = msgspec.structs.replace(
            reader, shown=tuple(shown.items()), keys="", deadline_ns=now + point.timeout_ms * MS
        )
        return kept, Step("decide", shown)

    def on_key(self, key: str, point: IdPoint, now: int) -> tuple[Reader, Step]:
        """A key was pressed: a digit, ``*`` (begin again) or the key that ends a PIN."""
        reader, _ = self.advance(now)
        if key == point.end_of_pin:
            return reader._pin(point, now) if reader.keys else (reader, WAIT)
        if key == "*":
            return msgspec.structs.replace(reader, keys=""), WAIT
        keys = (reader.keys + key)[:MAX_KEYS]
        reader = msgspec.structs.replace(reader, keys=keys, deadline_ns=now + point.timeout_ms * MS)
        return reader._pin(point, now) if len(keys) >= point.max_pin_size else (reader, WAIT)

    def decided(self, decision: Decision, point: IdPoint, now: int) -> tuple[Reader, bool]:
        """The answer to a ``decide``; True: that was one wrong PIN too many, and PINs are refused for a minute."""
        if decision.reason == "MoreRequired":
            return msgspec.structs.replace(self, deadline_ns=now + point.timeout_ms * MS), False
        pin_shown = any(name == "PIN" for name, _ in self.shown)
        card_shown = any(name != "PIN" for name, _ in self.shown)
        idle = self._idle()
        if decision.granted:
            return (msgspec.structs.replace(idle, wrong=()) if pin_shown else idle), False
        guessed = decision.reason == "InvalidPIN" or (
            decision.reason == "InvalidCredential" and pin_shown and not card_shown
        )
        if not guessed:
            return idle, False
        wrong = (*(at for at in self.wrong if at > now - MEMORY_NS), now)
        if len(wrong) < MAX_WRONG:
            return msgspec.structs.replace(idle, wrong=wrong), False
        return msgspec.structs.replace(idle, wrong=(), blocked_until_ns=now + BLOCK_NS), True

    def _pin(self, point: IdPoint, now: int) -> tuple[Reader, Step]:
        return self.on_id({"PIN": self.keys}, point, now)

    def _idle(self) -> Reader:
        return msgspec.structs.replace(self, shown=(), keys="", deadline_ns=None)


def _same_names(shown: tuple[tuple[str, str], ...], id_data: Mapping[str, str]) -> bool:
    """A second card replaces the first, and what came with it."""
    return any(name in id_data for name, _ in shown)
