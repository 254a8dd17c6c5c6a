"""A door without hardware: the access service on a ledger in memory, driven by cards and keys, in virtual time."""

from __future__ import annotations

from typing import Any

from axcore.model.credentials import AccessSettings, CardValue, CredentialRead, Holder, HolderSpec
from axcore.model.events import ENTRY_DENIED, ENTRY_GRANTED, KEYPAD_STATE, Event
from axcore.services.access import AccessService
from axcore.services.schedules import ScheduleService
from axcore.testing.clock import VirtualClock
from axcore.testing.memory import MemoryLedger, MemoryStore

CARD = CardValue(bits=26, value="02004fcb")


def card(number: int, bits: int = 26) -> CardValue:
    """Card ``number``, of ``bits`` bits."""
    return CardValue(bits=bits, value=f"{number:0{-(-bits // 8) * 2}x}")


class Door:
    """``swipe`` and ``keys`` return what was decided: ``granted``, the reason of the denial, or None."""

    def __init__(self, store: MemoryStore | None = None, clock: VirtualClock | None = None) -> None:
        self.clock = clock or VirtualClock()
        self.ledger = MemoryLedger(self.clock, store=store)
        self.schedules = ScheduleService(self.clock, self.ledger.bus)
        self.access = AccessService(self.schedules)
        self.schedules.users.add(self.access.holders_using)
        self.ledger.add_timer(self.schedules)
        self.ledger.add_timer(self.access)
        self.ledger.load(self.schedules.load, self.access.load, self.schedules.announce)

    def restart(self) -> Door:
        """The same device after a restart."""
        return Door(self.ledger.store, self.clock)

    def settings(self, **patch: Any) -> AccessSettings:
        """Change settings."""
        return self.ledger.do(lambda tx: self.access.set_settings(tx, patch))

    def add(self, first_name: str = "Anna", **fields: Any) -> Holder:
        """Add a credential holder."""
        spec = HolderSpec(first_name=first_name, **fields)
        return self.ledger.do(lambda tx: self.access.add_holder(tx, spec))

    def update(self, holder_id: str, **patch: Any) -> Holder:
        """Change a credential holder."""
        return self.ledger.do(lambda tx: self.access.update_holder(tx, holder_id, patch))

    def remove(self, holder_id: str) -> None:
        """Remove a credential holder."""
        self.ledger.do(lambda tx: self.access.remove_holder(tx, holder_id))

    def swipe(self, value: CardValue = CARD, *, reader: int = 0, correlation: str | None = None) -> str | None:
        """Swipe a card."""
        return self.read(CredentialRead(kind="card", card=value, reader=reader, correlation=correlation))

    def show(self, text: str) -> str | None:
        """Show a QR code."""
        return self.read(CredentialRead(kind="qr", qr=text))

    def read(self, read: CredentialRead) -> str | None:
        """Let a reader report something."""
        before = len(self.ledger.events)
        self.ledger.do(lambda tx: self.access.on_read(tx, read))
        return self._decided(before)

    def keys(self, keys: str, *, keypad: int = 0, correlation: str | None = None) -> str | None:
        """Press keys, one after the other."""
        before = len(self.ledger.events)
        for key in keys:
            self.ledger.do(lambda tx, key=key: self.access.on_key(tx, key, 0, correlation, keypad=keypad))  # type: ignore[misc]
        return self._decided(before)

    def wait(self, seconds: float) -> str | None:
        """Let time pass."""
        before = len(self.ledger.events)
        self.ledger.advance(seconds)
        return self._decided(before)

    def events(self, topic: str) -> list[Event]:
        """Every event of a topic so far."""
        return [event for event in self.ledger.events if event.topic == topic]

    @property
    def keypad_state(self) -> str:
        """``idle`` or ``entering``."""
        return self.events(KEYPAD_STATE)[-1].data["state"]

    def _decided(self, before: int) -> str | None:
        decided = None
        for event in self.ledger.events[before:]:
            if event.topic == ENTRY_GRANTED:
                decided = "granted"
            elif event.topic == ENTRY_DENIED:
                decided = event.data["reason"]
        return decided
