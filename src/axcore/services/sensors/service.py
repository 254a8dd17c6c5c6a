"""Sensors: raw values in, states out as events (manual: Detectors; I/O ports > Supervised; Storage).

A driver or the simulated board tells values; this service knows the limits and publishes what changed. ``tell`` is a
job of the ledger thread.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from axcore.devices import DeviceModel, SensorSpec
from axcore.errors import InputError, NotFoundError
from axcore.model import events
from axcore.model.events import NewEvent

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

SUPERVISED = ("open", "close", "short", "cut")
POE_CLASSES = (3, 4)
STORAGE = ("ok", "low", "disrupted")
SOUND_LEVEL = "AudioSource.A0.TriggerLevel"
"""Parameter: 0..100; a sound above it triggers."""
SHOCK_ENABLED = "ShockDetection.Enabled"
DEFAULTS: Mapping[str, str] = {SOUND_LEVEL: "50", SHOCK_ENABLED: "yes"}
RANGES: Mapping[str, tuple[float, float]] = {
    "temperature": (-273.15, 1000.0), "sound": (0.0, 100.0), "light": (0.0, 200_000.0),
}  # fmt: skip
"""What sensors with a number can tell: degrees Celsius, a level, lux (the sun comes to some 120,000)."""
HYSTERESIS = 2.0
"""Degrees that a temperature must come back by before it counts as inside again."""
Value = float | str
Listener = Callable[["Transaction", Value, str | None], object]


class SensorService:
    """The sensors of one device. ``values`` may be read from any thread."""

    def __init__(self, model: DeviceModel) -> None:
        self._specs = {spec.name: spec for spec in model.sensors}
        self._sounds = {s.name: str(n) for n, s in enumerate((s for s in model.sensors if s.kind == "sound"), 1)}
        self._values: dict[str, Value] = {}
        self._told: dict[tuple[str, ...], str] = {}
        self._tellers: dict[str, Callable[[Transaction, SensorSpec, Value, str | None], None]] = {
            "temperature": self._temperature,
            "storage": self._storage,
            "sound": self._sound,
            "shock": self._shock,
            "supervised": self._supervised,
            "power": lambda tx, spec, value, correlation: None,
            "motion": lambda tx, spec, value, correlation: None,
            "light": lambda tx, spec, value, correlation: None,
        }
        self._listeners: dict[str, list[Listener]] = {}

    def subscribe(self, kind: str, listener: Listener) -> None:
        """``listener`` gets each value of the sensors of a kind and its correlation, in the job that tells it."""
        self._listeners.setdefault(kind, []).append(listener)

    @property
    def specs(self) -> tuple[SensorSpec, ...]:
        """The sensors that there are."""
        return tuple(self._specs.values())

    @property
    def values(self) -> Mapping[str, Value]:
        """The latest value of each sensor that has told one."""
        return self._values

    def announce(self, tx: Transaction) -> None:
        """Publish the states of a device that is well (start); the sensors correct them."""
        for name, spec in self._specs.items():
            normal: dict[str, Value] = {"temperature": 25.0, "storage": "ok", "sound": 0.0, "supervised": "open"}
            if spec.kind in normal:
                self.tell(tx, name, normal[spec.kind])
        tx.assign(self, "_values", {})

    def tell(self, tx: Transaction, name: str, value: Value | bool, correlation: str | None = None) -> None:
        """A sensor has a value: degrees Celsius, a sound level 0..100, lux, a word of the others. Raises InputError."""
        checked = self.check(name, value)
        spec = self._specs[name]
        tx.assign(self, "_values", {**self._values, name: checked})
        self._tellers[spec.kind](tx, spec, checked, correlation)
        for listener in self._listeners.get(spec.kind, ()):
            listener(tx, checked, correlation)

    def check(self, name: str, value: Value | bool) -> Value:
        """The value as it is kept. InputError (``name``, ``value``) if there is no such sensor or value. Any thread."""
        spec = self._specs.get(name)
        if spec is None:
            known = ", ".join(self._specs) or "none"
            raise NotFoundError("name", f"there is no sensor {name[:40]!r} (there are: {known})")
        return _checked(spec, value)

    # --- one kind each

    def _temperature(self, tx: Transaction, spec: SensorSpec, value: Value, correlation: str | None) -> None:
        degrees, source = float(value), {"sensor": spec.name}
        was_hot = self._told.get((events.TEMPERATURE_ABOVE, spec.name)) == "1"
        was_cold = self._told.get((events.TEMPERATURE_BELOW, spec.name)) == "1"
        hot = degrees > spec.high - (HYSTERESIS if was_hot else 0.0)
        cold = degrees < spec.low + (HYSTERESIS if was_cold else 0.0)
        states = (
            (events.TEMPERATURE_ABOVE, hot),
            (events.TEMPERATURE_BELOW, cold),
            (events.TEMPERATURE_INSIDE, not hot and not cold),
        )
        for topic, state in states:
            self._publish(tx, topic, source, {"sensor_level": _flag(state)}, correlation)

    def _storage(self, tx: Transaction, spec: SensorSpec, value: Value, correlation: str | None) -> None:
        source = {"disk_id": spec.name}
        self._publish(tx, events.STORAGE_DISRUPTION, source, {"disruption": _flag(value == "disrupted")}, correlation)
        self._publish(tx, events.STORAGE_ALERT, source, {"alert": _flag(value != "ok")}, correlation)

    def _sound(self, tx: Transaction, spec: SensorSpec, value: Value, correlation: str | None) -> None:
        loud = float(value) > float(_parameter(tx, SOUND_LEVEL))
        self._publish(
            tx, events.AUDIO_LEVEL, {"channel": self._sounds[spec.name]}, {"triggered": _flag(loud)}, correlation
        )

    def _shock(self, tx: Transaction, spec: SensorSpec, value: Value, correlation: str | None) -> None:
        if value == "hit" and _parameter(tx, SHOCK_ENABLED) == "yes":
            tx.publish(NewEvent(topic=events.SHOCK, correlation=correlation))

    def _supervised(self, tx: Transaction, spec: SensorSpec, value: Value, correlation: str | None) -> None:
        port = str(int(spec.name.removeprefix("port")) - 1)
        self._publish(tx, events.SUPERVISED_PORT, {"port": port}, {"state": str(value)}, correlation)

    def _publish(
        self, tx: Transaction, topic: str, source: dict[str, str], data: dict[str, str], correlation: str | None
    ) -> None:
        key, state = (topic, *source.values()), "".join(data.values())
        if self._told.get(key) == state:
            return
        tx.assign(self, "_told", {**self._told, key: state})
        tx.publish(NewEvent(topic=topic, source=source, data=data, is_property=True, correlation=correlation))


def _checked(spec: SensorSpec, value: Value | bool) -> Value:
    words = {"storage": STORAGE, "supervised": SUPERVISED, "shock": ("hit",), "motion": ("moved",)}.get(spec.kind)
    if words is not None:
        if value not in words:
            raise InputError("value", f"must be one of {', '.join(words)}")
        return str(value)
    if spec.kind == "power":
        if value not in POE_CLASSES or isinstance(value, bool):
            raise InputError("value", f"must be a PoE class, {' or '.join(map(str, POE_CLASSES))}")
        return float(value)
    low, high = RANGES[spec.kind]
    if isinstance(value, str | bool) or not math.isfinite(value) or not low <= value <= high:
        raise InputError("value", f"must be a number, {low:g}..{high:g}")
    return float(value)


def _parameter(tx: Transaction, name: str) -> str:
    raw = tx.get("param", name)
    return DEFAULTS[name] if raw is None else raw.decode()


def _flag(state: bool) -> str:
    return "1" if state else "0"
