"""What each indicator shows (manual: Front panel indicators; Events > LEDs).

Several owners may want one LED: the newest decides, and when it lets go the one before shows again; one may want it
below all others only. A claim may have an end of its own. Changes are told as property events; drivers make light of
them. ``light``, ``release`` and ``advance`` are jobs of the ledger thread, ``shown`` may be called from any thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from axcore.devices import DeviceModel
from axcore.errors import InputError, NotFoundError
from axcore.model import events
from axcore.model.events import NewEvent

if TYPE_CHECKING:
    from axcore.runtime.clock import Instant
    from axcore.runtime.ledger import Transaction

MS = 1_000_000
OFF = "off"
MIN_INTERVAL_MS = 100
MAX_INTERVAL_MS = 60_000


class Shown(NamedTuple):
    """Colour and blink interval (milliseconds of one on and off; 0 = steady)."""

    color: str
    interval_ms: int = 0


_DARK = Shown(OFF)


class _Claim(NamedTuple):
    owner: str
    shown: Shown
    until_ns: int | None
    correlation: str | None


class IndicatorService:
    """The LEDs of one device."""

    def __init__(self, model: DeviceModel) -> None:
        self._specs = {led.name: led for led in model.leds}
        self._claims: dict[str, tuple[_Claim, ...]] = {}

    def shown(self) -> dict[str, Shown]:
        """What every LED shows now."""
        claims = self._claims
        return {name: _top(claims.get(name, ())) for name in self._specs}

    def check(self, led: str, color: str, interval_ms: int) -> None:
        """InputError (``led``, ``color``, ``interval``) for what an LED cannot do."""
        spec = self._specs.get(led)
        if spec is None:
            known = ", ".join(self._specs) or "none"
            raise NotFoundError("led", f"there is no LED {led[:40]!r} (there are: {known})")
        if color not in (*spec.colors, OFF):
            raise InputError("color", f"{spec.nice_name} can be {', '.join(spec.colors)} or off")
        if interval_ms != 0 and not MIN_INTERVAL_MS <= interval_ms <= MAX_INTERVAL_MS:
            raise InputError("interval", f"must be {MIN_INTERVAL_MS / 1000:g}..{MAX_INTERVAL_MS // 1000} s, or 0")

    def announce(self, tx: Transaction) -> None:
        """Publish what the LEDs show (start)."""
        for name, shown in self.shown().items():
            tx.publish(_event(name, shown, None), logged=False)

    def light(
        self,
        tx: Transaction,
        led: str,
        color: str,
        interval_ms: int = 0,
        *,
        owner: str,
        seconds: float | None = None,
        below: bool = False,
        correlation: str | None = None,
    ) -> None:
        """Have an LED show ``color`` for ``owner``, until it lets go or ``seconds`` are over.

        ``below``: only while nobody else wants the LED.
        """
        self.check(led, color, interval_ms)
        until = None if seconds is None else tx.now.mono_ns + round(seconds * 1000 * MS)
        claim = _Claim(owner, Shown(color, interval_ms), until, correlation)
        others = tuple(held for held in self._claims.get(led, ()) if held.owner != owner)
        self._set(tx, led, (claim, *others) if below else (*others, claim), correlation)

    def release(self, tx: Transaction, led: str, owner: str, correlation: str | None = None) -> None:
        """``owner`` no longer wants the LED; nothing if it did not."""
        held = self._claims.get(led, ())
        self._set(tx, led, tuple(claim for claim in held if claim.owner != owner), correlation)

    # --- time (a timer of the ledger)

    def next_deadline(self) -> int | None:
        ends = [claim.until_ns for held in self._claims.values() for claim in held if claim.until_ns is not None]
        return min(ends, default=None)

    def advance(self, tx: Transaction, now: Instant) -> None:
        for led, held in self._claims.items():
            left = tuple(claim for claim in held if claim.until_ns is None or claim.until_ns > now.mono_ns)
            if left != held:
                self._set(tx, led, left, None)

    def _set(self, tx: Transaction, led: str, claims: tuple[_Claim, ...], correlation: str | None) -> None:
        before, after = _top(self._claims.get(led, ())), _top(claims)
        tx.assign(self, "_claims", {**self._claims, led: claims})
        if after != before:
            tx.publish(_event(led, after, correlation))


def _top(claims: tuple[_Claim, ...]) -> Shown:
    """What an LED shows."""
    return claims[-1].shown if claims else _DARK


def _event(led: str, shown: Shown, correlation: str | None) -> NewEvent:
    data = {"color": shown.color, "interval": str(shown.interval_ms)}
    return NewEvent(topic=events.LED_STATE, source={"led": led}, data=data, is_property=True, correlation=correlation)
