"""The access service: what readers and keypads report becomes a decision, written down before anything moves.

Every method that takes ``tx`` is a job of the ledger thread. A read, its decision, the count of uses and the events
are one transaction; who acts on ENTRY_GRANTED (rules) does so after its commit. Properties are snapshots for any
thread.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import msgspec

from axcore.errors import InputError
from axcore.model import events as topics
from axcore.model.credentials import AccessSettings, CardValue, CredentialRead, Holder, HolderSpec, Scheduled
from axcore.model.events import NewEvent
from axcore.runtime.clock import NS, Instant
from axcore.runtime.transaction import Transaction
from axcore.services.access import decision, entry, validate
from axcore.services.access.entry import IDLE, Entry, Outcome
from axcore.services.access.entry_list import EntryList

MAX_WRONG_PINS = 5
"""Wrong PINs within ``WRONG_PIN_MEMORY_NS`` after which the device refuses PINs ..."""
WRONG_PIN_MEMORY_NS = 600 * NS
BLOCK_SECONDS = 60
"""... for this long."""


class _Cause(NamedTuple):
    """Where a decision comes from."""

    reader: int
    credential: str
    t_ns: int
    correlation: str | None


class Controller(Protocol):
    """The door controller that this device is a reader of, if any. Methods are part of the job that calls them."""

    def forward(self, tx: Transaction, read: CredentialRead) -> bool:
        """Send a card or a QR code; False when there is no controller for it."""

    def forward_key(self, tx: Transaction, key: str) -> bool:
        """Send a key as it is pressed."""

    def forward_pin(self, tx: Transaction, digits: str, *, as_typed: bool) -> bool:
        """Send a whole PIN. ``as_typed``: its keys were forwarded already."""


class AccessService:
    """See the module's text. Construct it, then ``Ledger.load(service.load)`` and ``Ledger.add_timer(service)``."""

    def __init__(self, schedules: decision.Schedules | None = None) -> None:
        self._schedules = schedules
        self._list = EntryList(schedules)
        self._latest: CredentialRead | None = None
        self._entries: dict[int, Entry] = {}
        self._wrong_pins: tuple[int, ...] = ()
        self._blocked_until_ns = 0
        self.controller: Controller | None = None
        """Where credentials go that are not for the entry list to decide on. Set before the start."""

    # snapshots, any thread

    @property
    def settings(self) -> AccessSettings:
        return self._list.settings

    @property
    def latest(self) -> CredentialRead | None:
        """*Get latest*: the last card or QR code that was read, known or not; lost at a restart. PINs are not kept."""
        return self._latest

    def holders(self) -> tuple[Holder, ...]:
        """Every holder, oldest first."""
        return self._list.holders()

    def holder(self, holder_id: str) -> Holder:
        """One holder. Raises NotFoundError."""
        return self._list.holder(holder_id)

    def holders_using(self, schedule_id: str) -> list[str]:
        """The holders who are valid during this schedule, in words."""
        return [
            f"credential holder {holder.id} ({_name(holder)})"
            for holder in self.holders()
            if isinstance(holder.validity, Scheduled) and holder.validity.schedule == schedule_id
        ]

    # configuration

    def load(self, tx: Transaction) -> None:
        """Read everything from the store. After a recovery no limited use is left: they may have been spent already."""
        self._list.load(tx)
        self._entries = {}
        _publish(tx, topics.KEYPAD_STATE, {"keypad": "0"}, {"state": "idle"}, is_property=True)

    def set_settings(self, tx: Transaction, patch: dict[str, Any]) -> AccessSettings:
        """Change settings; whatever is being typed is dropped. Raises InputError."""
        settings = self._list.set_settings(tx, patch)
        for keypad in list(self._entries):
            self._set_entry(tx, keypad, IDLE, None)
        return settings

    def add_holder(self, tx: Transaction, spec: HolderSpec | dict[str, Any]) -> Holder:
        """Add a credential holder.

        Raises InputError; LimitError for the 51st; ConflictError for what is someone else's.
        """
        return self._list.add_holder(tx, spec)

    def update_holder(self, tx: Transaction, holder_id: str, patch: dict[str, Any]) -> Holder:
        """Change the given fields of a holder (null takes a credential away). Raises InputError, NotFoundError.

        Uses left start anew when the number of times changes; ``remaining`` (0..count) sets them.
        """
        return self._list.update_holder(tx, holder_id, patch)

    def remove_holder(self, tx: Transaction, holder_id: str) -> None:
        """Remove a holder. Raises NotFoundError."""
        self._list.remove_holder(tx, holder_id)

    # readers

    def on_read(self, tx: Transaction, read: CredentialRead) -> None:
        """A reader has read a card or a QR code, or a whole PIN came at once.

        Card frames of 4 or 8 bits are keys of a Wiegand keypad.
        """
        cause = _Cause(read.reader, read.kind, read.t_ns or tx.now.mono_ns, read.correlation)
        if read.card is not None and read.whole and read.card.bits in (4, 8):
            self._short_frame(tx, read.card.bits, int(read.card.value, 16), cause)
            return
        self._expire(tx, cause.t_ns)
        self._set_entry(tx, cause.reader, IDLE, cause.correlation)
        if read.kind == "pin":
            self._pin_entered(tx, None, read.pin or "", cause)
            return
        tx.assign(self, "_latest", msgspec.structs.replace(read, pin=None, t_ns=cause.t_ns))
        source, holder = _source(cause.reader), None
        if read.kind == "card" and read.card is not None:
            data = {"card": read.card.value, "bits": str(read.card.bits)}
            _publish(tx, topics.RFID, source, data, cause)
            holder = decision.by_card(self._list.index, read.card)
        elif read.qr is not None:
            _publish(tx, topics.QR, source, {}, cause)
            holder = decision.by_qr(self._list.index, read.qr)
        if not self.settings.use_entry_list:
            self._forward(tx, read)
        elif holder is not None or not (self.settings.use_connected_controller and self._forward(tx, read)):
            self._decide(tx, holder, cause)

    def _forward(self, tx: Transaction, read: CredentialRead) -> bool:
        return self.controller is not None and self.controller.forward(tx, read)

    def rehearse(self, tx: Transaction) -> None:
        """Decide on a card as if it had been read: for ``Ledger.rehearsal``, which undoes all of it."""
        card = next((h.card for h in self.holders() if h.card is not None), CardValue(bits=26, value="00000000"))
        self.on_read(tx, CredentialRead(kind="card", card=card, t_ns=tx.now.mono_ns))

    def on_frame(
        self, tx: Transaction, reader: int, bits: int, value: int, *, t_ns: int = 0, correlation: str | None = None
    ) -> None:
        """A frame came over the line, first bit most significant in ``value``."""
        card = validate.card_value(bits, value)
        self.on_read(tx, CredentialRead(kind="card", card=card, reader=reader, t_ns=t_ns, correlation=correlation))

    def on_fault(
        self,
        tx: Transaction,
        error: str,
        *,
        reader: int = 0,
        bits: int = 0,
        glitches: int = 0,
        t_ns: int = 0,
        correlation: str | None = None,
    ) -> None:
        """A frame was refused: told, and never compared with any card."""
        data = {"error": error, "bits": str(bits), "glitches": str(glitches)}
        _publish(tx, topics.READER_FAULT, _source(reader), data, _Cause(reader, "card", t_ns, correlation))

    def _short_frame(self, tx: Transaction, bits: int, value: int, cause: _Cause) -> None:
        key = entry.wiegand_key(bits, value)
        if key is None:
            where = {"reader": cause.reader, "t_ns": cause.t_ns}
            self.on_fault(tx, "key", bits=bits, correlation=cause.correlation, **where)
        else:
            self.on_key(tx, key, cause.t_ns, cause.correlation, keypad=cause.reader)

    # keypads

    def on_key(
        self, tx: Transaction, key: str, t_ns: int = 0, correlation: str | None = None, *, keypad: int = 0
    ) -> None:
        """A key was pressed: ``0``-``9``, ``*``, ``#`` or ``C`` (the call key). Raises InputError for any other.

        A number before the call key is told as a speed dial number, unless it is someone's PIN.
        """
        if key not in entry.KEYS:
            raise InputError("key", "must be one of 0-9, *, # and C")
        t_ns = t_ns or tx.now.mono_ns
        if self.controller is not None and not self.settings.use_entry_list and key != "C":
            self.controller.forward_key(tx, key)
        self._expire(tx, t_ns)
        before = self._entries.get(keypad, IDLE)
        after, outcome, digits = entry.press(before, key, t_ns, self.settings, correlation)
        self._set_entry(tx, keypad, after, correlation)
        cause = _Cause(keypad, "pin" if before.holder is None else "card+pin", t_ns, correlation)
        if outcome is Outcome.PIN:
            self._pin_entered(tx, before.holder, digits, cause)
        elif outcome is Outcome.DIAL and not decision.is_anyones_pin(self._list.index, digits):
            _publish(tx, topics.SPEED_DIAL, {"keypad": str(keypad)}, {"number": digits}, cause)

    def next_deadline(self) -> int | None:
        """When the next keypad goes back to idle (monotonic ns)."""
        return min((e.deadline_ns for e in self._entries.values() if e.deadline_ns is not None), default=None)

    def advance(self, tx: Transaction, now: Instant) -> None:
        """Bring keypads back to idle whose time is over."""
        self._expire(tx, now.mono_ns)

    def _expire(self, tx: Transaction, t_ns: int) -> None:
        for keypad, current in list(self._entries.items()):
            if current.deadline_ns is None or current.deadline_ns > t_ns:
                continue
            self._set_entry(tx, keypad, IDLE, current.correlation)
            if current.holder is not None:
                holder = self._list.index.holders.get(current.holder)
                cause = _Cause(keypad, "card+pin", current.deadline_ns, current.correlation)
                _deny(tx, decision.PIN_TIMEOUT, holder, cause)

    def _set_entry(self, tx: Transaction, keypad: int, after: Entry, correlation: str | None) -> None:
        before = self._entries.get(keypad, IDLE)
        if after == before:
            return
        entries = {number: e for number, e in self._entries.items() if number != keypad}
        if not after.idle:
            entries[keypad] = after
        tx.assign(self, "_entries", entries)
        if after.idle != before.idle:
            state = {"state": "idle" if after.idle else "entering"}
            cause = _Cause(keypad, "", 0, correlation)
            _publish(tx, topics.KEYPAD_STATE, {"keypad": str(keypad)}, state, cause, is_property=True)

    # decisions

    def _decide(self, tx: Transaction, holder: Holder | None, cause: _Cause) -> None:
        """A card or a QR code: let in, ask for the PIN, or deny."""
        reason = decision.UNKNOWN if holder is None else decision.refusal(holder, tx.now.wall_ns, self._schedules)
        if holder is None or reason is not None:
            _deny(tx, reason or decision.UNKNOWN, holder, cause)
        elif cause.credential == "card" and holder.pin is not None and self.settings.pin_length > 0:
            waiting = entry.waiting_for_pin(holder.id, cause.t_ns, entry.timeout_ns(self.settings), cause.correlation)
            self._set_entry(tx, cause.reader, waiting, cause.correlation)
        else:
            self._grant(tx, holder, cause)

    def _pin_entered(self, tx: Transaction, card_holder: str | None, digits: str, cause: _Cause) -> None:
        _publish(tx, topics.KEYPIN, _source(cause.reader), {}, cause)
        if not self.settings.use_entry_list:
            if self.controller is not None:
                self.controller.forward_pin(tx, digits, as_typed=True)
            return
        index = self._list.index
        if card_holder is None:
            holder, right, reason = decision.by_pin(index, digits), True, decision.UNKNOWN
        else:
            holder, reason = index.holders.get(card_holder), decision.WRONG_PIN
            right = holder is not None and decision.pin_is_right(holder, digits)
        if (
            holder is None
            and card_holder is None
            and self.settings.use_connected_controller
            and self.controller is not None
            and self.controller.forward_pin(tx, digits, as_typed=False)
        ):
            return
        known = holder if card_holder is not None else None  # nobody is named for a PIN that was not looked at
        if self.settings.pin_length == 0:
            _deny(tx, decision.PIN_NOT_USED, known, cause)
        elif cause.t_ns < self._blocked_until_ns:
            _deny(tx, decision.PIN_BLOCKED, known, cause)
        elif holder is None or not right:
            _deny(tx, reason, holder, cause)
            self._count_wrong_pin(tx, cause)
        elif (refused := decision.refusal(holder, tx.now.wall_ns, self._schedules)) is not None:
            _deny(tx, refused, holder, cause)
        else:
            tx.assign(self, "_wrong_pins", ())
            self._grant(tx, holder, cause)

    def _count_wrong_pin(self, tx: Transaction, cause: _Cause) -> None:
        wrong = (*(t for t in self._wrong_pins if t > cause.t_ns - WRONG_PIN_MEMORY_NS), cause.t_ns)
        if len(wrong) >= MAX_WRONG_PINS:
            wrong = ()
            tx.assign(self, "_blocked_until_ns", cause.t_ns + BLOCK_SECONDS * NS)
            reason = f"{MAX_WRONG_PINS} wrong PINs: no PIN is accepted for {BLOCK_SECONDS} s"
            _publish(tx, topics.SYSTEM_FAULT, {}, {"component": "keypad", "reason": reason}, cause)
        tx.assign(self, "_wrong_pins", wrong)

    def _grant(self, tx: Transaction, holder: Holder, cause: _Cause) -> None:
        holder = self._list.spend(tx, holder)
        data = {
            "holder": holder.id,
            "name": _name(holder),
            "credential": cause.credential,
            "condition": holder.event_condition,
        }
        if holder.remaining is not None:
            data["remaining"] = str(holder.remaining)
        _publish(tx, topics.ENTRY_GRANTED, _source(cause.reader), data, cause, lazy=False)


def _deny(tx: Transaction, reason: str, holder: Holder | None, cause: _Cause) -> None:
    data = {"reason": reason, "credential": cause.credential}
    if holder is not None:
        data.update(holder=holder.id, name=_name(holder))
    _publish(tx, topics.ENTRY_DENIED, _source(cause.reader), data, cause)


def _publish(
    tx: Transaction,
    topic: str,
    source: dict[str, str],
    data: dict[str, str],
    cause: _Cause | None = None,
    *,
    is_property: bool = False,
    lazy: bool = True,
) -> None:
    """Lazy events may wait for a commit with others; a rule that acts on one makes it urgent."""
    t_ns, correlation = (cause.t_ns, cause.correlation) if cause is not None else (0, None)
    event = NewEvent(topic=topic, source=source, data=data, is_property=is_property, t_ns=t_ns, correlation=correlation)
    tx.publish(event, lazy=lazy)


def _source(reader: int) -> dict[str, str]:
    return {"reader": str(reader)}


def _name(holder: HolderSpec) -> str:
    return f"{holder.first_name} {holder.last_name}".rstrip()
