"""May this holder come in now? Pure functions; wall time in nanoseconds is an argument."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from axcore.model.credentials import Between, CardValue, Holder, Scheduled, Times
from axcore.model.schedules import STANDARD_ALWAYS
from axcore.runtime.clock import clock_is_set, parse_rfc3339

# Reasons of ENTRY_DENIED.
UNKNOWN = "unknown_credential"
DISABLED = "disabled"
NOT_YET_VALID = "not_yet_valid"
EXPIRED = "expired"
CLOCK_NOT_SET = "clock_not_set"
NO_USES_LEFT = "no_uses_left"
SCHEDULE_INACTIVE = "schedule_inactive"
WRONG_PIN = "wrong_pin"
PIN_TIMEOUT = "pin_timeout"
PIN_BLOCKED = "pin_blocked"
PIN_NOT_USED = "pin_not_used"


class Schedules(Protocol):
    """What is needed of the schedule service."""

    def active(self, schedule_id: str, wall_ns: int) -> bool: ...
    def resolve(self, text: str, field: str = "schedule") -> str: ...


class Index(NamedTuple):
    """The entry list, ready for look-ups. Immutable as a whole: a change makes a new one."""

    holders: dict[str, Holder]
    cards: dict[tuple[int, str], str]
    qrs: dict[str, str]
    pins: tuple[tuple[bytes, str], ...]
    """PIN and holder id of everyone who comes in with a PIN alone."""


def index(holders: Iterable[Holder]) -> Index:
    """Build the look-ups. Values are unique (``validate.check_unique``)."""
    by_id = {holder.id: holder for holder in holders}
    return Index(
        holders=by_id,
        cards={(h.card.bits, h.card.value): h.id for h in by_id.values() if h.card is not None},
        qrs={h.qr: h.id for h in by_id.values() if h.qr is not None},
        pins=tuple((h.pin.encode(), h.id) for h in by_id.values() if h.pin is not None and h.card is None),
    )


def by_card(entries: Index, card: CardValue) -> Holder | None:
    """Who has this card."""
    return entries.holders.get(entries.cards.get((card.bits, card.value), ""))


def by_qr(entries: Index, text: str) -> Holder | None:
    """Who has this QR code."""
    return entries.holders.get(entries.qrs.get(text, ""))


def by_pin(entries: Index, digits: str) -> Holder | None:
    """Who has this PIN and no card. Looks at every PIN, whatever the digits are."""
    entered, found = digits.encode(), ""
    for pin, holder in entries.pins:
        if hmac.compare_digest(pin, entered):
            found = holder
    return entries.holders.get(found)


def pin_is_right(holder: Holder, digits: str) -> bool:
    """Compare in a time that tells nothing of the digits."""
    return holder.pin is not None and hmac.compare_digest(holder.pin.encode(), digits.encode())


def is_anyones_pin(entries: Index, digits: str) -> bool:
    """Is this number someone's PIN, alone or with a card?"""
    entered, found = digits.encode(), False
    for holder in entries.holders.values():
        found |= holder.pin is not None and hmac.compare_digest(holder.pin.encode(), entered)
    return found


def refusal(holder: Holder, wall_ns: int, schedules: Schedules | None = None) -> str | None:
    """Why this holder may not come in at ``wall_ns``; None = welcome. Without ``schedules`` none is ever active."""
    validity = holder.validity
    if not holder.enabled:
        return DISABLED
    if isinstance(validity, Times):
        return None if holder.remaining else NO_USES_LEFT
    if isinstance(validity, Between):
        return _out_of_time(validity, wall_ns)
    if isinstance(validity, Scheduled):
        return _off_schedule(validity, wall_ns, schedules)
    return None


def _off_schedule(validity: Scheduled, wall_ns: int, schedules: Schedules | None) -> str | None:
    if not clock_is_set(wall_ns) and validity.schedule != STANDARD_ALWAYS:
        return CLOCK_NOT_SET
    if schedules is None or not schedules.active(validity.schedule, wall_ns):
        return SCHEDULE_INACTIVE
    return None


def _out_of_time(validity: Between, wall_ns: int) -> str | None:
    if validity.start is None and validity.end is None:
        return None
    if not clock_is_set(wall_ns):
        return CLOCK_NOT_SET
    if validity.start is not None and wall_ns < parse_rfc3339(validity.start):
        return NOT_YET_VALID
    if validity.end is not None and wall_ns >= parse_rfc3339(validity.end):
        return EXPIRED
    return None
