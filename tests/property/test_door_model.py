"""The door's state machine against a second statement of it, over random histories: no difference is allowed.

``AXCORE_DOOR_STEPS`` asks for more than the usual 120,000 steps.
"""

from __future__ import annotations

import os
import random
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from axcore.devices import door as subject
from axcore.devices.door_parts import TOLD, Change, LockCommand, Outcome, Output, Setup
from axcore.errors import ConflictError
from axcore.model.doors import (
    Door,
    DoorConfiguration,
    DoorMonitor,
    LockConfiguration,
    PriorityAction,
    PriorityConfiguration,
)
from axcore.testing.reference_door import ReferenceDoor, RefusedError

STEPS = int(os.environ.get("AXCORE_DOOR_STEPS", "120000"))
HISTORY = 400
MS = 1_000_000
LEVELS = ("high", "middle", "low")
ACTIONS = ("Lock", "Unlock", "Block", "DoubleLock", "Release")
MONITORED = {"monitor_when_locked": "Input Ground", "monitor_when_unlocked": "Input Open"}
KINDS = (
    "wait", "wait", "monitor", "monitor", "monitor", "access", "access", "rex", "rex", "lock_monitor", "lock_monitor",
    "command", "command", "schedule", "hold", "unhold", "unhold", "link",
)  # fmt: skip
WAITS = (0, 0, 1, 50, 100, 300, 699, 700, 701, 1000, 2000, 3000, 4999, 5000, 9999, 10_000, 20_000, 60_000)


def setup(rng: random.Random) -> Setup:
    """A door with anything that a door can have."""

    def lock(kinds: tuple[str, ...]) -> LockConfiguration:
        return LockConfiguration(
            type=rng.choice(kinds),  # type: ignore[arg-type]
            lock_when_door_opens=rng.random() < 0.3,
            relay_when_locked=rng.choice(("Open", "Closed")),
            bolt_out_ms=rng.choice((0, 300, 700)),
            bolt_in_ms=rng.choice((0, 300, 700)),
            **(MONITORED if rng.random() < 0.4 else {}),  # type: ignore[arg-type]
        )

    prefix = rng.choice(("Input", "Supervised"))
    values = [f"{prefix} Open", f"{prefix} Ground"]
    rng.shuffle(values)
    monitor = DoorMonitor(
        type="None" if rng.random() < 0.1 else "Standard",
        value_when_open=values[0],  # type: ignore[arg-type]
        value_when_closed=values[1],  # type: ignore[arg-type]
    )
    door = Door(
        token="d",
        access_ms=rng.choice((1000, 5000, 10_000)),
        open_too_long_ms=rng.choice((0, 1000, 3000, 10_000)),
        pre_alarm_ms=rng.choice((0, 1000, 2000)),
        extended_access_ms=20_000,
        extended_open_too_long_ms=rng.choice((0, 20_000)),
        default_priority=rng.choice(("", *LEVELS)),
    )
    actions = tuple(
        PriorityAction(level=level, action=rng.choice(("Release", "Release", *ACTIONS))) for level in LEVELS
    )  # type: ignore[arg-type]
    hardware = DoorConfiguration(
        token="d", lock=lock(("None", "Relay")), double_lock=lock(("None", "Relay")), monitor=monitor
    )
    return Setup(door, hardware, PriorityConfiguration(token="p", actions=actions))


def operation(rng: random.Random) -> tuple[Any, ...]:
    """Something that happens to a door."""
    kind = rng.choice(KINDS)
    level = rng.choice(("", *LEVELS))
    choices = {
        "wait": (),
        "monitor": (rng.choice(("open", "open", "closed", "closed", "short", "cut")),),
        "access": (
            rng.random() < 0.7,
            rng.random() < 0.2,
            rng.choice((None, None, -1, 2500)),
            rng.choice((None, 0, 4000)),
        ),
        "rex": (rng.random() < 0.5,),
        "lock_monitor": (rng.choice(("Input Ground", "Input Open", "cut")), rng.choice(("lock", "double"))),
        "command": (level, rng.choice(ACTIONS)),
        "schedule": (level, rng.choice(ACTIONS)),
        "hold": (rng.choice(("LockedDown", "LockedOpen")),),
        "unhold": (rng.choice(("LockedDown", "LockedOpen")),),
        "link": (rng.random() < 0.6,),
    }
    return (kind, *choices[kind])


COMMANDS = {
    "Lock": "lock_door",
    "Unlock": "unlock_door",
    "Block": "block",
    "DoubleLock": "double_lock",
    "Release": "release",
}
HOLDS = {"LockedDown": "lockdown", "LockedOpen": "lockopen"}


def ours(
    door: subject.DoorMachine, what: tuple[Any, ...], now: int, tag: str
) -> tuple[subject.DoorMachine, list[Output]]:
    """Do it to the machine."""
    kind, *given = what
    if kind == "access":
        unlock, extended, ms, long = given
        return door.access(now, tag, unlock=unlock, extended=extended, access_ms=ms, open_too_long_ms=long)
    if kind == "lock_monitor":
        return door.on_lock_monitor(given[0], now, "double_lock" if given[1] == "double" else "lock")
    calls: dict[str, tuple[str, tuple[Any, ...]]] = {
        "wait": ("advance", (now,)),
        "monitor": ("on_monitor", (*given, now)),
        "rex": ("on_rex", (*given, now, tag)),
        "command": (COMMANDS.get(given[-1], "") if given else "", (now, *given[:1])),
        "schedule": ("on_schedule", (*given, now)),
        "hold": (HOLDS.get(given[0], "") if given else "", (now,)),
        "unhold": (HOLDS.get(given[0], "") + "_release" if given else "", (now,)),
        "link": ("on_link", (*given, now)),
    }
    name, arguments = calls[kind]
    return getattr(door, name)(*arguments)  # type: ignore[no-any-return]


def theirs(door: ReferenceDoor, what: tuple[Any, ...], now: int, tag: str) -> None:
    """Do it to the reference."""
    kind, *given = what
    match kind:
        case "wait":
            door.wait(now)
        case "monitor":
            door.monitor(given[0], now)
        case "access":
            door.access(now, tag, unlock=given[0], extended=given[1], ms=given[2], long=given[3])
        case "rex":
            door.press(given[0], now, tag)
        case "lock_monitor":
            door.lock_monitor(*given[:1], now, given[1])
        case "command":
            door.set(given[0], given[1], now)
        case "schedule":
            door.schedule(*given, now)
        case "hold":
            door.keep(given[0], now)
        case "unhold":
            door.unkeep(given[0], now)
        case "link":
            door.line(given[0], now)


def seen(outputs: list[Output], kind: type) -> list[tuple[str, str, bool]]:
    """Lock commands, or outcomes, in the reference's form."""
    if kind is LockCommand:
        return [(entry.which, "", entry.locked) for entry in outputs if isinstance(entry, LockCommand)]
    return [("taken", entry.request, entry.taken) for entry in outputs if isinstance(entry, Outcome)]


def run(configured: Setup, history: list[tuple[int, tuple[Any, ...]]]) -> None:
    """The same history to both; raises AssertionError at the first difference."""
    now, told = 0, {}
    machine, _ = subject.start(configured, now)
    reference = ReferenceDoor(configured.door, configured.hardware, configured.priorities)
    told = {what: getattr(machine.state, what) for what in TOLD}
    for number, (wait, what) in enumerate(history):
        now += wait * MS
        tag, before = str(number), machine
        machine, passed = machine.advance(now)
        calm = machine
        reference.wait(now)
        try:
            machine, outputs = ours(machine, what, now, tag)
            refused = False
        except ConflictError:
            refused, outputs = True, []
        try:
            theirs(reference, what, now, tag)
            assert not refused, what
        except RefusedError:
            assert refused, what
        outputs = passed + outputs
        assert msgspec.structs.asdict(machine.state) == reference.told(), (number, what)
        assert machine.next_deadline() == min(reference.timers.values(), default=None), (number, what)
        both = [entry for entry in reference.log if entry[0] != "taken"], [e for e in reference.log if e[0] == "taken"]
        assert (seen(outputs, LockCommand), seen(outputs, Outcome)) == both, (number, what)
        reference.log.clear()
        told |= {entry.what: entry.value for entry in outputs if isinstance(entry, Change)}
        assert told == {name: getattr(machine.state, name) for name in TOLD}, (number, what)
        invariants(before, calm, machine, what)


def invariants(
    before: subject.DoorMachine, calm: subject.DoorMachine, after: subject.DoorMachine, what: tuple[Any, ...]
) -> None:
    """What must never be, whatever the reference says."""
    assert calm.lock.locked or not before.lock.locked, "time alone has opened the lock"
    if what[0] in ("link", "monitor", "lock_monitor", "wait"):
        assert after.lock.locked or not calm.lock.locked, "a link or a monitor has opened the lock"
    if after.alarm == "DoorForcedOpen" and calm.alarm != "DoorForcedOpen":
        assert what[0] == "monitor"
        assert calm.lock.locked
        assert calm.access_until is None
    if after.rex:
        assert not after.lock.locked, "a request to exit does not open"
    if after.hold == "LockedDown" and calm.hold is None and not after.rex:
        assert after.lock.locked


def test_a_hundred_thousand_steps_without_a_difference() -> None:
    """P14: >= 100,000 random steps, zero differences."""
    for seed in range(-(-STEPS // HISTORY)):
        rng = random.Random(seed)
        configured = setup(rng)
        history = [(rng.choice(WAITS), operation(rng)) for _ in range(HISTORY)]
        try:
            run(configured, history)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error


@given(st.integers(0, 1 << 32), st.integers(1, 40))
@settings(max_examples=150, deadline=None)
def test_short_histories_agree(seed: int, length: int) -> None:
    """The same with few steps, where hypothesis finds the shortest history that fails."""
    rng = random.Random(seed)
    configured = setup(rng)
    run(configured, [(rng.choice(WAITS), operation(rng)) for _ in range(length)])


@given(st.integers(0, 1 << 32))
@settings(max_examples=150, deadline=None)
def test_a_restart_opens_nothing_and_alarms_nobody(seed: int) -> None:
    """After any history: a lock that is open after the restart was asked to be open; no alarm is made up."""
    rng = random.Random(seed)
    configured, now = setup(rng), 0
    machine, _ = subject.start(configured, now)
    for _ in range(60):
        now += rng.choice(WAITS) * MS
        try:
            machine, _ = ours(machine, operation(rng), now, "")
        except ConflictError:
            machine, _ = machine.advance(now)
    kept = msgspec.json.decode(msgspec.json.encode(machine.snapshot), type=subject.Snapshot)
    again, outputs = subject.start(configured, 5, kept)
    assert again.lock.locked == (not machine.released)
    assert seen(outputs, LockCommand)[0] == ("lock", "", again.lock.locked)
    assert again.alarm in ("Normal", machine.alarm)
    assert (again.alarm == machine.alarm) or machine.released or not configured.has_monitor
    assert again.claims == machine.claims
    assert again.hold == machine.hold
    for line in ("open", "closed"):
        after, _ = again.on_monitor(line, 6)  # type: ignore[arg-type]
        assert after.alarm in ("Normal", machine.alarm), "a break-in that never was"
