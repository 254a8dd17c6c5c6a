"""What a controller has an LED show and the beeper sound, as values. An LED has a pattern for good, and one for a while
that covers it.

Sans-I/O; times are monotonic nanoseconds. OSDP: commands LED and BUZ, times in 100 ms.
"""

from __future__ import annotations

import msgspec

from axcore.osdp import Color
from axcore.osdp.messages import Buzzer, Led

STEP_NS = 100_000_000
STEP_MS = 100
_STRIPE: dict[int, str] = {
    Color.BLACK: "off",
    Color.RED: "red",
    Color.GREEN: "green",
    Color.AMBER: "amber",
    Color.BLUE: "blue",
    Color.MAGENTA: "red",
    Color.CYAN: "blue",
    Color.WHITE: "white",
}
"""Colours of the indicator stripe; it has neither magenta nor cyan."""


class Pattern(msgspec.Struct, frozen=True):
    """Two colours in turn, or one (``interval_ms`` 0)."""

    color: str = "off"
    interval_ms: int = 0
    """Of one on and off."""


class Lamp(msgspec.Struct, frozen=True):
    """One LED."""

    lasting: Pattern = Pattern()
    passing: Pattern | None = None
    until_ns: int = 0

    def command(self, record: Led, now_ns: int) -> Lamp:
        """What one record makes of it."""
        lamp = self
        if record.temp_control == 1:
            lamp = msgspec.structs.replace(lamp, passing=None)
        elif record.temp_control == 2 and record.temp_timer_100ms:
            shown = _pattern(record.temp_on, record.temp_off, record.temp_on_color, record.temp_off_color)
            until = now_ns + record.temp_timer_100ms * STEP_NS
            lamp = msgspec.structs.replace(lamp, passing=shown, until_ns=until)
        if record.control == 1:
            shown = _pattern(record.on, record.off, record.on_color, record.off_color)
            lamp = msgspec.structs.replace(lamp, lasting=shown)
        return lamp

    def advance(self, now_ns: int) -> Lamp:
        """Let time pass."""
        over = self.passing is not None and now_ns >= self.until_ns
        return msgspec.structs.replace(self, passing=None) if over else self

    @property
    def deadline_ns(self) -> int | None:
        """When the passing pattern ends."""
        return None if self.passing is None else self.until_ns

    @property
    def shown(self) -> Pattern:
        """What is to be seen."""
        return self.lasting if self.passing is None else self.passing


class Beep(msgspec.Struct, frozen=True):
    """Tones in turn with silence, or one tone (``off_ms`` 0), until a time or until told otherwise."""

    on_ms: int
    off_ms: int = 0
    until_ns: int | None = None


STEADY = Beep(1000)
"""What an input of the beeper sounds, as long as it is active."""


def beep(record: Buzzer, now_ns: int) -> Beep | None:
    """What one record asks for; None: silence."""
    if record.tone < 2 or not record.on:
        return None
    turns = (record.on + record.off) * record.count
    until = now_ns + turns * STEP_NS if record.count else None
    return Beep(record.on * STEP_MS, record.off * STEP_MS, until)


def _pattern(on: int, off: int, on_color: int, off_color: int) -> Pattern:
    first, second = _STRIPE.get(on_color, "off"), _STRIPE.get(off_color, "off")
    if not off or not on:
        return Pattern(first if on else second)
    if first == "off":
        first = second  # off and on in turn is a light that blinks
    return Pattern(first, (on + off) * STEP_MS if first != second or "off" in (first, second) else 0)
