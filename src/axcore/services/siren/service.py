"""The siren service: which light shows and which sound is heard (manual: Overview, Profiles, Maintenance).

Light and siren each have an arbiter: one activity on a level, the highest wins. Maintenance (11), identify (12) and
health check (13) are the device's own. What is started is told as events and reaches the outputs after the commit.
Methods that take ``tx`` are jobs of the ledger thread; the others may be called from any thread.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from axcore.devices.arbiter import Activity, Arbiter
from axcore.errors import ConflictError, NotFoundError
from axcore.led import INTENSITIES, SYSTEM_PATTERNS, Pattern
from axcore.model import events
from axcore.model.events import NewEvent
from axcore.model.profiles import IDENTIFY, MAINTENANCE, Function, Light, Maintenance, Profile, Siren

from . import choices
from .health import HealthCheck
from .profiles import Profiles
from .signal import NoSignal, Signal, Sound

if TYPE_CHECKING:
    from axcore.runtime.clock import Instant
    from axcore.runtime.ledger import Transaction

KIND = "maintenance"
SECOND_NS = 1_000_000_000
COOL, HOT, HOT_DIM = 55.0, 75.0, 0.4
"""Degrees Celsius: no dimming below; the share of light left at and above (manual: Problems with the light)."""
SAFE_MODE = "SirenAndLight.SafeMode"
"""Parameter, yes as delivered: patterns that flash too often are slowed."""
SYNCHRONIZE = "SirenAndLight.Synchronize"
"""Parameter, no as delivered: patterns keep step with those of other devices instead of beginning at their start."""
FUNCTIONS: tuple[Function, Function] = ("light", "siren")
_SYSTEM = {MAINTENANCE: "Maintenance", IDENTIFY: "Identify", 13: "Health check"}


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """Ids of what a start began."""

    light: int | None = None
    siren: int | None = None


class SirenService:
    """The light and the siren of one device."""

    def __init__(self, submit: Callable[[Callable[[Transaction], Any]], object]) -> None:
        self.profiles = Profiles()
        self.poe_class = 4
        self.light_enabled = True
        """Whether light control may turn the light on ..."""
        self.manual_intensity = 2
        """... and how bright."""
        self._submit = submit
        self._signal: Signal = NoSignal()
        self._light = Arbiter()
        self._siren = Arbiter()
        self._next_id = 1
        self._dim = 1.0
        self._told: dict[str, tuple[object, ...]] = {}
        self._maintenance = Maintenance()
        self.health = HealthCheck(self)

    # --- life

    def load(self, tx: Transaction) -> None:
        """Read what is stored. A device that has never stored anything is in maintenance mode (manual)."""
        self.profiles.load(tx)
        self.health.load(tx)
        raw = tx.get(KIND, "0")
        self._maintenance = Maintenance() if raw is None else msgspec.json.decode(raw, type=Maintenance)

    def attach(self, signal: Signal) -> None:
        """Connect the outputs."""
        self._signal = signal

    def start_up(self, tx: Transaction) -> None:
        """Go on with maintenance mode where it was, and tell the states (start)."""
        mode = self._maintenance
        if mode.on:
            left = mode.left_ns
            if left is not None and mode.until_wall_ns is not None:
                left = min(left, max(0, mode.until_wall_ns - tx.now.wall_ns))
            if left == 0:
                self._keep_maintenance(tx, Maintenance(on=False))
            else:
                self._begin_system(tx, MAINTENANCE, left)
        self._publish(tx)
        tx.publish(_state(events.MAINTENANCE_MODE, {"active": _flag(self.maintenance)}))

    # --- what users see

    @property
    def maintenance(self) -> bool:
        """Whether maintenance mode is on."""
        return any(activity.priority == MAINTENANCE for activity in self._light.activities)

    def activities(self, function: Function) -> tuple[Activity, ...]:
        """What runs, highest priority first: the first one shows."""
        return (self._light if function == "light" else self._siren).activities

    @property
    def most_intensity(self) -> int:
        """The highest intensity that the power allows."""
        return max(INTENSITIES[str(self.poe_class)].possible)

    def capabilities(self) -> dict[str, Any]:
        """What ``getCapabilities`` tells."""
        return choices.capabilities(self.poe_class)

    # --- start and stop

    def start(
        self,
        tx: Transaction,
        *,
        light: Light | None = None,
        siren: Siren | None = None,
        profile: str | None = None,
        owner: str | None = None,
        correlation: str | None = None,
    ) -> Started:
        """Start a light, a siren or both, checked; on a level that is taken they replace what is there."""
        light = None if light is None else choices.check_light(light, self.poe_class)
        siren = None if siren is None else choices.check_siren(siren)
        ids: dict[str, int] = {}
        safe = _safe_mode(tx)
        for function, what in (("light", light), ("siren", siren)):
            if what is not None:
                assert what.priority is not None
                length = choices.length_ns(what, safe=safe)
                ids[function] = self._begin(tx, function, what, what.priority, length, profile=profile, owner=owner)
        self._publish(tx, correlation)
        return Started(**ids)

    def start_profile(
        self, tx: Transaction, name: str, *, owner: str | None = None, correlation: str | None = None
    ) -> Started:
        """Start the light and the siren of a profile."""
        profile = self.profiles.get(name)
        light = None if profile.light is None else choices.fitted(profile.light, self.poe_class)
        return self.start(tx, light=light, siren=profile.siren, profile=name, owner=owner, correlation=correlation)

    def preview(self, tx: Transaction, profile: Profile) -> Started:
        """Start what a profile would do, before it is saved."""
        checked = choices.check_profile(profile, self.poe_class)
        return self.start(tx, light=checked.light, siren=checked.siren, owner="preview")

    def stop_ids(self, tx: Transaction, light: int | None = None, siren: int | None = None) -> None:
        """Stop by id. NotFoundError (``lightId``, ``sirenId``) for one that does not run or is the device's own."""
        for function, number in (("light", light), ("siren", siren)):
            mine = [a.id for a in self.activities(function) if a.priority < MAINTENANCE]  # type: ignore[arg-type]
            if number is not None and number not in mine:
                raise NotFoundError(f"{function}Id", f"no {function} activity has the id {number}")
        self._stop(tx, lambda function, activity: activity.id == (light if function == "light" else siren))

    def stop_profile(self, tx: Transaction, name: str, correlation: str | None = None) -> None:
        """Stop everything that was started by this profile."""
        self.profiles.get(name)
        self._stop(tx, lambda _, activity: activity.profile == name, correlation)

    def stop_all(self, tx: Transaction, function: Function) -> None:
        """Stop every activity of users of a function."""
        self._stop(tx, lambda of, activity: of == function and activity.priority < MAINTENANCE)

    def stop_owner(self, tx: Transaction, owner: str, correlation: str | None = None) -> None:
        """Stop what a rule, or a preview, keeps up."""
        self._stop(tx, lambda _, activity: activity.owner == owner, correlation)

    # --- the device's own

    def set_maintenance(self, tx: Transaction, on: bool, seconds: int | None = None) -> None:
        """Maintenance mode on (for ``seconds``, or until it is turned off) or off."""
        left = seconds * SECOND_NS if on and seconds else None
        until = None if left is None else tx.now.wall_ns + left
        self._keep_maintenance(tx, Maintenance(on=on, left_ns=left, until_wall_ns=until))
        self._end_system(tx, MAINTENANCE)
        if on:
            self._begin_system(tx, MAINTENANCE, left)
        self._publish(tx)

    def set_identify(self, tx: Transaction, on: bool, seconds: int | None = None) -> None:
        """Blink so that the device is found. ConflictError while it does."""
        running = any(activity.priority == IDENTIFY for activity in self._light.activities)
        if on and running:
            raise ConflictError("identify", "the device identifies itself already")
        self._end_system(tx, IDENTIFY)
        if on:
            self._begin_system(tx, IDENTIFY, seconds * SECOND_NS if seconds else None)
        self._publish(tx)

    def begin_system(self, tx: Transaction, level: int, length_ns: int | None, sound: Siren | None = None) -> None:
        """Start something of the device itself: its light, and its sound or silence."""
        self._begin_system(tx, level, length_ns, sound)
        self._publish(tx)

    def end_system(self, tx: Transaction, level: int) -> None:
        self._end_system(tx, level)
        self._publish(tx)

    # --- power and heat

    def set_poe_class(self, tx: Transaction, poe_class: int) -> None:
        """What the supply gives; lights that run are made to fit."""
        tx.assign(self, "poe_class", poe_class)
        for activity in self._light.activities:
            if isinstance(activity.what, Light):
                fitted = msgspec.structs.replace(activity, what=choices.fitted(activity.what, poe_class))
                tx.assign(self, "_light", self._light.start(fitted))
        self._publish(tx)

    def set_temperature(self, tx: Transaction, degrees: float) -> None:
        """In the heat the light is dimmed."""
        share = min(1.0, max(0.0, (degrees - COOL) / (HOT - COOL)))
        tx.assign(self, "_dim", round(1.0 - (1.0 - HOT_DIM) * share, 2))
        self._publish(tx)

    # --- time (a timer of the ledger)

    def next_deadline(self) -> int | None:
        times = (self._light.next_ns(), self._siren.next_ns(), self.health.next_ns)
        return min((t for t in times if t is not None), default=None)

    def advance(self, tx: Transaction, now: Instant) -> None:
        was = self.maintenance
        tx.assign(self, "_light", self._light.advance(now.mono_ns))
        tx.assign(self, "_siren", self._siren.advance(now.mono_ns))
        if was and not self.maintenance:
            self._keep_maintenance(tx, Maintenance(on=False))
        self.health.advance(tx, now)
        self._publish(tx)

    # --- inside

    def _begin(
        self,
        tx: Transaction,
        function: str,
        what: Light | Siren | None,
        priority: int,
        length_ns: int | None,
        *,
        profile: str | None = None,
        owner: str | None = None,
    ) -> int:
        now = tx.now.mono_ns
        number = self._next_id
        epoch = _shared_epoch(tx, what) if isinstance(what, Light) else None
        end = None if length_ns is None else now + length_ns
        activity = Activity(
            id=number,
            priority=priority,
            what=what,
            start_ns=now,
            end_ns=end,
            epoch_ns=epoch,
            profile=profile,
            owner=owner,
        )
        tx.assign(self, "_next_id", number + 1)
        tx.assign(self, f"_{function}", getattr(self, f"_{function}").start(activity))
        return number

    def _begin_system(self, tx: Transaction, level: int, length_ns: int | None, sound: Siren | None = None) -> None:
        self._begin(tx, "light", None, level, length_ns)
        self._begin(tx, "siren", sound, level, length_ns)

    def _end_system(self, tx: Transaction, level: int) -> None:
        self._stop(tx, lambda _, activity: activity.priority == level)

    def _stop(self, tx: Transaction, which: Callable[[str, Activity], bool], correlation: str | None = None) -> None:
        for function in FUNCTIONS:
            gone = [activity.id for activity in self.activities(function) if which(function, activity)]
            if gone:
                tx.assign(self, f"_{function}", getattr(self, f"_{function}").stop(gone))
        self._publish(tx, correlation)

    def _keep_maintenance(self, tx: Transaction, mode: Maintenance) -> None:
        before = self._maintenance.on
        tx.assign(self, "_maintenance", mode)
        tx.put(KIND, "0", msgspec.json.encode(mode))
        if before != mode.on:
            tx.publish(_state(events.MAINTENANCE_MODE, {"active": _flag(mode.on)}))

    def _publish(self, tx: Transaction, correlation: str | None = None) -> None:
        """Bring the outputs and the events to what the arbiters show now."""
        light, siren, safe = self._light.shown, self._siren.shown, _safe_mode(tx)
        shown: dict[str, tuple[object, ...]] = {
            "light": (light.id, light.what, self._dim, safe) if light else (),
            "siren": (siren.id, siren.what) if siren else (),
        }
        for function, now in shown.items():
            before = self._told.get(function)
            if now == before:
                continue
            tx.assign(self, "_told", {**self._told, function: now})
            if function == "light":
                tx.after_commit(partial(self._show, light, self._dim, safe))
            else:
                tx.after_commit(partial(self._play, siren))
            data = {"state": "ON" if now else "OFF"}
            topic = events.LIGHT_STATUS if function == "light" else events.SIREN_STATUS
            if before is None or bool(before) != bool(now):
                tx.publish(_state(topic, data, {"id": "0"}, correlation))

    def _show(self, activity: Activity | None, dim: float, safe: bool) -> None:
        self._signal.show(None if activity is None else light_of(activity, dim, safe))

    def _play(self, activity: Activity | None) -> None:
        self._signal.play(None if activity is None else sound_of(activity))


def light_of(activity: Activity, dim: float = 1.0, safe: bool = False) -> Pattern:
    """The pattern that an activity of the light shows."""
    if activity.what is None:
        return Pattern(SYSTEM_PATTERNS[_SYSTEM[activity.priority]].name, intensity=2, epoch_ns=activity.start_ns)
    epoch = activity.start_ns if activity.epoch_ns is None else activity.epoch_ns
    return choices.pattern(activity.what, epoch_ns=epoch, dim=dim, safe=safe)


def sound_of(activity: Activity) -> Sound | None:
    """What an activity of the siren plays; the device's own are silent but for a test tone."""
    if activity.what is None:
        return None
    return Sound(pattern=activity.what.pattern, intensity=activity.what.intensity, epoch_ns=activity.start_ns)


def _safe_mode(tx: Transaction) -> bool:
    return tx.get("param", SAFE_MODE) != b"no"


def _shared_epoch(tx: Transaction, light: Light) -> int | None:
    """The epoch that devices with the same wall clock (NTP, PTP) share, if they are to (``SYNCHRONIZE``).

    It is the last whole multiple of the pattern's period since 1970. What counts repetitions begins at its beginning.
    """
    counted = light.duration is not None and light.duration.unit == "repetitions"
    if tx.get("param", SYNCHRONIZE) != b"yes" or counted:
        return None
    period = choices.pattern(light, safe=_safe_mode(tx)).period_ns
    return tx.now.mono_ns - tx.now.wall_ns % period if period else None


def _flag(state: bool) -> str:
    return "1" if state else "0"


def _state(
    topic: str, data: dict[str, str], source: dict[str, str] | None = None, correlation: str | None = None
) -> NewEvent:
    return NewEvent(topic=topic, source=source or {}, data=data, is_property=True, correlation=correlation)
