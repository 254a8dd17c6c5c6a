"""Power of a controller: what comes in, what goes out, and its faults (manual: Power monitoring; LED indicators).

Limits are those of the connectors (``PowerSpec``). More current than the connector may give is *over-current*, less
voltage than it needs *under-voltage*; both end when the value is inside again by ``MARGIN``. An input without voltage
is not connected; that is no fault. Faults are told as events and light the LED that the manual names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import msgspec

from axcore.devices import DeviceModel, PowerSpec
from axcore.errors import NotFoundError
from axcore.model import events as topics
from axcore.model.events import NewEvent

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

MARGIN = 0.05
Fault = Literal["None", "OverCurrent", "UnderVoltage"]
Status = Literal["ok", "fault", "not connected"]


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A connector as it is."""

    name: str
    nice_name: str
    side: Literal["in", "out"]
    volt: float
    ampere: float
    watt: float
    max_ampere: float
    status: Status
    fault: Fault
    led: str = ""
    """LED that is red because of it."""


class PowerPage(msgspec.Struct, frozen=True, kw_only=True):
    """The power monitoring page."""

    power_in: tuple[Reading, ...]
    power_out: tuple[Reading, ...]
    temperature: float | None
    """Core temperature, degrees Celsius; None: not measured yet."""
    watt_in: float
    watt_out: float
    source: str
    """The input that feeds the main unit; empty = none is measured."""


class PowerService:
    """``page`` may be called from any thread; the other methods are jobs of the ledger thread."""

    def __init__(self, model: DeviceModel) -> None:
        self._specs: Mapping[str, PowerSpec] = {spec.name: spec for spec in model.power}
        first = next((spec.name for spec in model.power if spec.side == "in"), "")
        self._readings: Mapping[str, Reading] = {
            spec.name: _read(spec, spec.volt if spec.side == "out" or spec.name == first else 0.0, 0.0)
            for spec in model.power
        }
        self._source = first

    def page(self, temperature: float | None = None) -> PowerPage:
        """Everything that is measured."""
        inputs = tuple(reading for reading in self._readings.values() if reading.side == "in")
        outs = tuple(reading for reading in self._readings.values() if reading.side == "out")
        return PowerPage(
            power_in=inputs, power_out=outs, temperature=temperature, watt_in=round(sum(r.watt for r in inputs), 3),
            watt_out=round(sum(r.watt for r in outs), 3), source=self._source,
        )  # fmt: skip

    def check(self, name: str) -> None:
        """NotFoundError names the connectors that are measured."""
        if name not in self._specs:
            raise NotFoundError(
                "name", f"nothing measures {name[:40]!r} (there are: {', '.join(self._specs) or 'none'})"
            )

    def measured(
        self,
        tx: Transaction,
        name: str,
        volt: float | None = None,
        ampere: float | None = None,
        correlation: str | None = None,
    ) -> Reading:
        """A voltage or a current was measured; None = as before. NotFoundError."""
        self.check(name)
        before = self._readings[name]
        now_volt, now_ampere = before.volt if volt is None else volt, before.ampere if ampere is None else ampere
        reading = _read(self._specs[name], now_volt, now_ampere, before.fault)
        tx.assign(self, "_readings", {**self._readings, name: reading})
        if reading.fault != before.fault:
            tx.publish(_event(reading, correlation))
        self._feed(tx)
        return reading

    def announce(self, tx: Transaction) -> None:
        """Publish the state of every connector (start)."""
        for reading in self._readings.values():
            tx.publish(_event(reading, None))

    def _feed(self, tx: Transaction) -> None:
        """What feeds the main unit stays as long as it can, whatever else is connected (manual: Power priority)."""
        fed = [name for name in ("poe", "dc") if name in self._readings and self._readings[name].status == "ok"]
        if self._source not in fed:
            tx.assign(self, "_source", fed[0] if fed else "")


def _read(spec: PowerSpec, volt: float, ampere: float, before: Fault = "None") -> Reading:
    connected = spec.side == "out" or volt > 0
    most = spec.max_ampere * (1 - MARGIN if before == "OverCurrent" else 1)
    least = spec.min_volt * (1 + MARGIN if before == "UnderVoltage" else 1)
    fault: Fault = "None"
    if connected and ampere > most:
        fault = "OverCurrent"
    elif connected and volt < least:
        fault = "UnderVoltage"
    status: Status = "fault" if fault != "None" else ("ok" if connected else "not connected")
    return Reading(
        name=spec.name, nice_name=spec.nice_name, side=spec.side, volt=volt, ampere=ampere,
        watt=round(volt * ampere, 3), max_ampere=spec.max_ampere, status=status, fault=fault,
        led=spec.led if fault != "None" else "",
    )  # fmt: skip


def _event(reading: Reading, correlation: str | None) -> NewEvent:
    data = {"Fault": str(reading.fault)}
    return NewEvent(
        topic=topics.POWER_FAULT, source={"Name": reading.name}, data=data, is_property=True, correlation=correlation
    )
