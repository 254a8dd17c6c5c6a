"""What is being typed on a keypad: a pure state machine. Times are monotonic nanoseconds.

* After a card whose holder has a PIN, the entry ends by itself at the PIN length; ``#`` ends it earlier.
* Without a card, ``#`` ends the entry (a PIN) and the call key makes it a speed dial number.
* ``*`` cancels. ``pin_timeout`` seconds without a key bring the keypad back to idle.
"""

from __future__ import annotations

import enum

import msgspec

from axcore.model.credentials import HIDDEN, MAX_PIN_LENGTH, AccessSettings
from axcore.runtime.clock import NS

DIGITS = frozenset("0123456789")
KEYS = DIGITS | {"*", "#", "C"}
CALL_KEY = "C"
MAX_SPEED_DIAL = 16


class Entry(msgspec.Struct, frozen=True):
    """A keypad's state; ``holder`` is set while a card waits for its PIN."""

    holder: str | None = None
    digits: str = ""
    deadline_ns: int | None = None
    correlation: str | None = None
    """Of what came last: goes on the events of a time-out."""

    @property
    def idle(self) -> bool:
        return self.deadline_ns is None

    def __repr__(self) -> str:
        return f"Entry(holder={self.holder!r}, digits={HIDDEN if self.digits else ''}, deadline_ns={self.deadline_ns})"


IDLE = Entry()


class Outcome(enum.Enum):
    """What a key has led to."""

    NOTHING = "nothing"
    PIN = "pin"
    """The digits are complete."""
    DIAL = "dial"
    """The digits are a speed dial number."""


def timeout_ns(settings: AccessSettings) -> int:
    """``pin_timeout`` in nanoseconds."""
    return round(settings.pin_timeout * NS)


def waiting_for_pin(holder: str, t_ns: int, timeout_ns: int, correlation: str | None) -> Entry:
    """A card was read whose holder has a PIN."""
    return Entry(holder, "", t_ns + timeout_ns, correlation)


def press(
    entry: Entry, key: str, t_ns: int, settings: AccessSettings, correlation: str | None
) -> tuple[Entry, Outcome, str]:
    """The state after a key, what it led to, and the digits for that."""
    deadline_ns = t_ns + timeout_ns(settings)
    if key in DIGITS:
        digits = (entry.digits + key)[: MAX_PIN_LENGTH + 1]  # one too many stays one too many
        if entry.holder is not None and len(digits) >= settings.pin_length:
            return IDLE, Outcome.PIN, digits
        return Entry(entry.holder, digits, deadline_ns, correlation), Outcome.NOTHING, ""
    if key == "#":
        if entry.digits:
            return IDLE, Outcome.PIN, entry.digits
        after = entry if entry.idle else Entry(entry.holder, "", deadline_ns, correlation)
        return after, Outcome.NOTHING, ""
    if key == CALL_KEY and entry.holder is None and 0 < len(entry.digits) <= MAX_SPEED_DIAL:
        return IDLE, Outcome.DIAL, entry.digits
    return IDLE, Outcome.NOTHING, ""


def wiegand_key(bits: int, value: int) -> str | None:
    """The key of a 4 or 8 bit frame (0-9, 10 = ``*``, 11 = ``#``); None = not a key.

    8 bits carry the key in the low half; the high half is its complement (EightBitInvertPadded) or zero
    (EightBitZeroPadded).
    """
    low, high = value & 0xF, value >> 4
    if bits == 8 and high not in (0, low ^ 0xF):
        return None
    return "0123456789*#"[low] if low < 12 and bits in (4, 8) else None
