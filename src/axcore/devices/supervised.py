"""Supervised inputs: from a voltage to *open*, *closed*, *short* or *cut* (manuals: Supervised inputs).

The input is pulled up to ``SUPPLY_MV`` through ``PULL_UP_OHM``; end-of-line resistors at the far end of the cable make
four voltages of the four states. *Parallel first*: 22 kOhm across the pair, 4.7 kOhm in series with the switch.
*Serial first*: one resistor in series with the loop, an equal one across the switch.

The voltages of parallel first are those that devices deliver as ``DoorMonitor.Supervised*`` (VAPIX, *Door control
service*: 0, 740, 1855 and 2755 mV). The pull-up follows from them: 22 k * (2755 / 1855 - 1) = 10.67 k and
3.87 k * (2755 / 740 - 1) = 10.55 k. Those of serial first are calculated with it. Times do not occur; voltages are
millivolts.
"""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

from axcore.errors import ConflictError, InputError, NotFoundError
from axcore.model.doors import DoorMonitor, LineState

SUPPLY_MV = 2755
PULL_UP_OHM = 10_600
MAX_MV = 5_000
"""Highest voltage that a range may name."""
HYSTERESIS_MV = 20
"""How far beyond a border a voltage must be to count as the next state."""

Connection = Literal["parallel", "serial_1k", "serial_2k2", "serial_4k7", "serial_10k"]
CONNECTIONS: tuple[Connection, ...] = get_args(Connection)


class Targets(msgspec.Struct, frozen=True):
    """The voltage of each state, mV, rising."""

    short: int
    closed: int
    open: int
    cut: int

    def borders(self) -> tuple[int, int, int]:
        """Half way between neighbours."""
        return (self.short + self.closed) // 2, (self.closed + self.open) // 2, (self.open + self.cut) // 2


def _divided(ohm: int) -> int:
    return round(SUPPLY_MV * ohm / (ohm + PULL_UP_OHM))


def _serial(ohm: int) -> Targets:
    return Targets(short=0, closed=_divided(ohm), open=_divided(2 * ohm), cut=SUPPLY_MV)


TABLE: dict[Connection, Targets] = {
    "parallel": Targets(short=0, closed=740, open=1855, cut=SUPPLY_MV),
    "serial_1k": _serial(1_000),
    "serial_2k2": _serial(2_200),
    "serial_4k7": _serial(4_700),
    "serial_10k": _serial(10_000),
}


def targets(connection: str) -> Targets:
    """The voltages of a connection. NotFoundError lists those that exist."""
    try:
        return TABLE[connection]  # type: ignore[index]
    except KeyError:
        raise NotFoundError("connection", f"must be one of {', '.join(CONNECTIONS)}") from None


def of_monitor(monitor: DoorMonitor) -> Targets:
    """The voltages that are configured for a door monitor."""
    return Targets(
        monitor.supervised_short_mv, monitor.supervised_low_mv, monitor.supervised_high_mv, monitor.supervised_cut_mv
    )


class Range(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The voltages of a state as a client has set them (VAPIX *Supervised I/O*), both limits included."""

    state: LineState
    lower_mv: int
    upper_mv: int


def check_ranges(ranges: tuple[Range, ...]) -> None:
    """Each state at most once, *open* and *closed* among them, no voltage twice. InputError names the range."""
    for at, entry in enumerate(ranges):
        if not 0 <= entry.lower_mv <= entry.upper_mv <= MAX_MV:
            raise InputError(f"ranges[{at}]", f"must be 0 <= lower <= upper <= {MAX_MV} mV")
        for other in ranges[:at]:
            if other.state == entry.state:
                raise ConflictError(f"ranges[{at}]", f"{entry.state} stands twice")
            if entry.lower_mv <= other.upper_mv and other.lower_mv <= entry.upper_mv:
                raise ConflictError(f"ranges[{at}]", f"{entry.state} overlaps {other.state}")
    if ranges and not {"open", "closed"} <= {entry.state for entry in ranges}:
        raise InputError("ranges", "must have one for open and one for closed")


def classify_ranges(millivolt: int, ranges: tuple[Range, ...], before: LineState | None = None) -> LineState:
    """The state whose voltages these are; between two of them it stays what it was ``before``, or is the nearer one."""
    near = [max(entry.lower_mv - millivolt, millivolt - entry.upper_mv, 0) for entry in ranges]
    found = ranges[near.index(min(near))].state
    return before if before is not None and min(near) > 0 and any(e.state == before for e in ranges) else found


def ranges_of(table: Targets) -> tuple[Range, ...]:
    """The voltages of each state of a table: from border to border."""
    first, second, third = table.borders()
    limits = (0, first, second, third, MAX_MV + 1)
    return tuple(
        Range(state=state, lower_mv=low, upper_mv=high - 1)
        for state, low, high in zip(_STATES, limits, limits[1:], strict=False)
    )


_STATES: tuple[LineState, ...] = ("short", "closed", "open", "cut")


def classify(millivolt: int, table: Targets, before: LineState | None = None) -> LineState:
    """The state of a circuit; near a border it stays what it was ``before``."""
    found = sum(millivolt >= border for border in table.borders())
    if before is not None and before != _STATES[found]:
        was = _STATES.index(before)
        nearest = table.borders()[min(found, was)]
        if abs(found - was) == 1 and abs(millivolt - nearest) < HYSTERESIS_MV:
            return before
    return _STATES[found]


def resistance(connection: Connection, state: LineState) -> float:
    """Ohms of the circuit in a state: what a simulated board puts at the input."""
    if state == "short":
        return 0.0
    if state == "cut":
        return float("inf")
    if connection == "parallel":
        return 22_000.0 if state == "open" else 1 / (1 / 22_000 + 1 / 4_700)
    ohm = {"serial_1k": 1_000.0, "serial_2k2": 2_200.0, "serial_4k7": 4_700.0, "serial_10k": 10_000.0}[connection]
    return 2 * ohm if state == "open" else ohm


def voltage(ohm: float) -> int:
    """Millivolts that the input sees of a circuit."""
    return SUPPLY_MV if ohm == float("inf") else round(SUPPLY_MV * ohm / (ohm + PULL_UP_OHM))
