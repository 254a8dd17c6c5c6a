"""SirenService: activities by priority, maintenance across restarts, health check, heat, power, profiles, actions."""

from __future__ import annotations

from typing import Any

import pytest

from axcore.devices import MODELS
from axcore.errors import ConflictError, InputError, LimitError, NotFoundError
from axcore.led import Pattern
from axcore.model import events
from axcore.model.actions import Action, ProfileWhileActive, StartProfile, StopProfile
from axcore.model.profiles import Duration, Light, Profile, Siren
from axcore.model.rules import Condition, RuleSpec
from axcore.services.events import EventService, PortPerformer
from axcore.services.ports import PortService
from axcore.services.siren import ProfilePerformer, SirenService, Sound
from axcore.testing import MemoryLedger
from tests.unit.services.fake_lines import FakeLines

MODEL = MODELS["d4100-ve-mk2"]
RED = Light(pattern="Steady", colors=("red",), priority=3)
BLUE = Light(pattern="Steady", colors=("blue",), priority=4)
EVAC = Siren(pattern="Siren: Evac", priority=4)


class FakeSignal:
    """Shows and plays at once, and can be broken."""

    def __init__(self) -> None:
        self.pattern: Pattern | None = None
        self.sound: Sound | None = None
        self.broken: set[int] = set()
        self.deaf = False
        self.clock: Any = None

    def show(self, pattern: Pattern | None) -> None:
        self.pattern = pattern

    def play(self, sound: Sound | None) -> None:
        self.sound = sound

    def light_seen(self) -> list[float]:
        if self.pattern is None:
            return [0.0] * 12
        frame = self.pattern.frame(self.clock.mono_ns())
        return [0.0 if n in self.broken else max(frame[36 * n : 36 * n + 36]) / 65535 for n in range(12)]

    def sound_heard(self) -> float:
        return 0.0 if self.sound is None or self.deaf else 0.1


class Bench:
    def __init__(self, ledger: MemoryLedger | None = None) -> None:
        self.ledger = ledger or MemoryLedger()
        self.siren = SirenService(self.ledger.post)
        self.signal = FakeSignal()
        self.signal.clock = self.ledger.clock
        self.lines = FakeLines()
        self.ports = PortService(MODEL, self.ledger.post)
        performers = (PortPerformer(self.ports), ProfilePerformer(self.siren))
        self.events = EventService(MODEL, performers, self.ledger.bus, self.ledger.post)
        self.ledger.load(self.ports.load, self.siren.load, self.events.load)
        self.ports.attach(self.lines)
        self.siren.attach(self.signal)
        for timer in (self.siren, self.ports, self.events):
            self.ledger.add_timer(timer)
        self.ledger.load(self.siren.start_up, self.ports.announce, self.ports.virtual.announce, self.events.start)

    def do(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return self.ledger.do(lambda tx: getattr(self.siren, method)(tx, *args, **kwargs))

    def add(self, name: str, **fields: Any) -> Profile:
        profile = Profile(name=name, **fields)
        return self.ledger.do(lambda tx: self.siren.profiles.add(tx, profile, self.siren.poe_class))

    def shown(self) -> tuple[str, ...] | None:
        pattern = self.signal.pattern
        return None if pattern is None else (pattern.name, *map(str, pattern.colors))


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.do("set_maintenance", False)
    return bench


def test_a_new_device_is_in_maintenance_mode_and_silent() -> None:
    bench = Bench()
    assert bench.siren.maintenance
    assert bench.shown() == ("Maintenance",)
    bench.do("start", light=RED, siren=EVAC)
    assert bench.shown() == ("Maintenance",)
    assert bench.signal.sound is None
    bench.do("set_maintenance", False)
    assert bench.shown() == ("Steady", "red")
    assert bench.signal.sound is not None


def test_the_higher_priority_interrupts_and_the_lower_resumes(bench: Bench) -> None:
    bench.do("start", light=RED)
    second = bench.do("start", light=BLUE)
    assert bench.shown() == ("Steady", "blue")
    bench.do("stop_ids", light=second.light)
    assert bench.shown() == ("Steady", "red")


def test_the_same_priority_replaces(bench: Bench) -> None:
    bench.do("start", light=RED)
    bench.do("start", light=Light(pattern="Steady", colors=("green",), priority=3))
    assert bench.shown() == ("Steady", "green")
    assert len(bench.siren.activities("light")) == 1


def test_hidden_timers_run_on_and_ends_are_on_time(bench: Bench) -> None:
    bench.do("start", light=Light(pattern="Steady", colors=("red",), duration=Duration(unit="seconds", value=5)))
    bench.do(
        "start", light=Light(pattern="Steady", colors=("blue",), priority=4, duration=Duration(unit="seconds", value=7))
    )
    bench.ledger.advance(6.9)
    assert bench.shown() == ("Steady", "blue")
    bench.ledger.advance(0.1)
    assert bench.shown() is None
    assert bench.siren.activities("light") == ()


def test_repetitions_are_periods_of_the_pattern(bench: Bench) -> None:
    twice = Duration(unit="repetitions", value=2)
    bench.do("start", light=Light(pattern="Alternate", speed=1, duration=twice))
    (activity,) = bench.siren.activities("light")
    pattern = bench.signal.pattern
    assert pattern is not None
    assert activity.end_ns == activity.start_ns + 2 * pattern.period_ns
    bench.do("start", siren=Siren(pattern="Siren: Evac", duration=twice))
    (sound,) = bench.siren.activities("siren")
    assert sound.end_ns is not None
    assert sound.end_ns > sound.start_ns


def test_ten_levels(bench: Bench) -> None:
    for priority in range(1, 11):
        bench.do("start", light=Light(pattern="Steady", colors=("red",), priority=priority))
        bench.do("start", light=Light(pattern="Steady", colors=("blue",), priority=priority))
    assert [a.priority for a in bench.siren.activities("light")] == list(range(10, 0, -1))


@pytest.mark.parametrize(
    ("light", "field"),
    [
        (Light(pattern="Disco"), "light.pattern"),
        (Light(pattern="Steady", colors=("red", "blue")), "light.colors.number"),
        (Light(pattern="Steady", colors=("mauve",)), "light.colors[0]"),
        (Light(pattern="Steady", speed=99), "light.speed"),
        (Light(pattern="Steady", intensity=0), "light.intensity"),
        (Light(pattern="Steady", priority=11), "light.priority"),
        (Light(pattern="Steady", duration=Duration(unit="seconds", value=259_201)), "light.duration.value"),
        (Light(pattern="Steady", duration=Duration(unit="repetitions", value=21)), "light.duration.value"),
    ],
)
def test_what_a_light_cannot_do_is_refused_and_changes_nothing(bench: Bench, light: Light, field: str) -> None:
    with pytest.raises(InputError) as caught:
        bench.do("start", light=light, siren=EVAC)
    assert caught.value.field == field
    assert bench.siren.activities("siren") == ()


@pytest.mark.parametrize(
    ("siren", "field"),
    [
        (Siren(pattern="Siren: Techno"), "siren.pattern"),
        (Siren(pattern="Siren: Evac", intensity=6), "siren.intensity"),
        (Siren(pattern="Siren: Evac", priority=0), "siren.priority"),
        (Siren(pattern="Siren: Evac", duration=Duration(unit="repetitions", value=-1)), "siren.duration.value"),
    ],
)
def test_what_a_siren_cannot_do_is_refused(bench: Bench, siren: Siren, field: str) -> None:
    with pytest.raises(InputError) as caught:
        bench.do("start", siren=siren, light=RED)
    assert caught.value.field == field
    assert bench.siren.activities("light") == ()


def test_the_devices_own_activities_cannot_be_stopped(bench: Bench) -> None:
    bench.do("set_maintenance", True)
    own = bench.siren.activities("light")[0].id
    with pytest.raises(NotFoundError) as caught:
        bench.do("stop_ids", light=own)
    assert caught.value.field == "lightId"
    bench.do("stop_all", "light")
    assert bench.siren.maintenance


def test_maintenance_ends_by_itself_and_survives_a_restart_with_what_is_left(bench: Bench) -> None:
    """Manual: set to two hours, off, on again an hour later: another hour."""
    bench.do("set_maintenance", True, 7200)
    bench.ledger.virtual_clock.advance(3600.0)
    again = Bench(MemoryLedger(clock=bench.ledger.virtual_clock, store=bench.ledger.store))
    assert again.siren.maintenance
    again.ledger.advance(3599.0)
    assert again.siren.maintenance
    again.ledger.advance(1.0)
    assert not again.siren.maintenance
    third = Bench(MemoryLedger(clock=again.ledger.virtual_clock, store=again.ledger.store))
    assert not third.siren.maintenance


def test_identify_is_above_maintenance(bench: Bench) -> None:
    bench.do("set_maintenance", True)
    bench.do("set_identify", True, 10)
    assert bench.shown() == ("Identify",)
    with pytest.raises(ConflictError):
        bench.do("set_identify", True)
    bench.ledger.advance(10.0)
    assert bench.shown() == ("Maintenance",)


def test_a_healthy_device_passes_and_faults_are_named(bench: Bench) -> None:
    with pytest.raises(NotFoundError):
        bench.siren.health.last()
    bench.ledger.do(bench.siren.health.run)
    with pytest.raises(ConflictError):
        bench.ledger.do(bench.siren.health.run)
    bench.ledger.advance(30.0)
    assert bench.siren.health.last().errors == ()
    assert bench.shown() is None
    bench.signal.broken, bench.signal.deaf = {4}, True
    bench.ledger.do(bench.siren.health.run)
    bench.ledger.advance(30.0)
    faults = bench.siren.health.last().errors
    assert [(fault.code, fault.message) for fault in faults] == [
        (101, "light section 5 is dark"),
        (102, "the test tone was not heard"),
    ]
    told = [event.data["passed"] for event in bench.ledger.events if event.topic == events.HEALTH_CHECK]
    assert told == ["1", "0"]


def test_heat_dims_and_a_weak_supply_limits(bench: Bench) -> None:
    bench.do("start", light=Light(pattern="Steady", colors=("red",), intensity=5))
    bright = bench.signal.pattern
    bench.do("set_temperature", 75.0)
    dimmed = bench.signal.pattern
    assert bright is not None
    assert dimmed is not None
    assert dimmed.level == round(bright.level * 0.4)
    bench.do("set_temperature", 20.0)
    bench.do("set_poe_class", 3)
    weak = bench.signal.pattern
    assert weak is not None
    assert weak.level < bright.level
    with pytest.raises(InputError):
        bench.do("start", light=Light(pattern="Steady", intensity=5))


def test_thirty_profiles_with_names_of_their_own(bench: Bench) -> None:
    for number in range(30):
        bench.add(f"p{number}", light=RED)
    with pytest.raises(LimitError):
        bench.add("p30", light=RED)
    bench.ledger.do(lambda tx: bench.siren.profiles.remove(tx, "p7"))
    with pytest.raises(ConflictError):
        bench.add("p8", light=RED)
    bench.add("last", siren=EVAC)
    again = Bench(MemoryLedger(clock=bench.ledger.virtual_clock, store=bench.ledger.store))
    assert list(again.siren.profiles.all) == list(bench.siren.profiles.all)
    assert list(again.siren.profiles.all)[-1] == "last"


def test_an_import_with_one_bad_profile_changes_nothing_and_names_it(bench: Bench) -> None:
    bench.add("old", light=RED)
    good, bad = Profile(name="good", light=BLUE), Profile(name="bad", light=Light(pattern="Steady", speed=9))
    for mode in ("add", "overwrite", "erase_and_add"):
        with pytest.raises(InputError) as caught:
            bench.ledger.do(lambda tx, mode=mode: bench.siren.profiles.load_in(tx, (good, bad), mode, 4))
        assert caught.value.field == "profiles[1].light.speed"
        assert list(bench.siren.profiles.all) == ["old"]
    bench.ledger.do(lambda tx: bench.siren.profiles.load_in(tx, (good,), "erase_and_add", 4))
    assert list(bench.siren.profiles.all) == ["good"]
    with pytest.raises(ConflictError):
        bench.ledger.do(lambda tx: bench.siren.profiles.load_in(tx, (good,), "add", 4))
    many = tuple(Profile(name=str(n), light=RED) for n in range(30))
    with pytest.raises(LimitError):
        bench.ledger.do(lambda tx: bench.siren.profiles.load_in(tx, many, "add", 4))


def rule(bench: Bench, action: Action, *, port: str = "1") -> None:
    condition = Condition(topic=events.IO_VIRTUAL_INPUT, source={"port": port})
    bench.ledger.do(lambda tx: bench.events.add_rule(tx, RuleSpec(name="r", conditions=(condition,), action=action)))


def test_rules_run_profiles(bench: Bench) -> None:
    bench.add("alarm", light=BLUE, siren=EVAC)
    rule(bench, ProfileWhileActive(profile="alarm"))
    rule(bench, StartProfile(profile="alarm"), port="2")
    rule(bench, StopProfile(profile="alarm"), port="3")
    set_input = lambda port, on: bench.ledger.do(lambda tx: bench.ports.set_virtual_input(tx, port, on))  # noqa: E731
    set_input(1, True)
    assert bench.shown() == ("Steady", "blue")
    assert bench.signal.sound is not None
    set_input(1, False)
    assert bench.shown() is None
    set_input(2, True)
    set_input(2, False)
    assert bench.shown() == ("Steady", "blue")
    set_input(3, True)
    assert bench.shown() is None
    with pytest.raises(NotFoundError) as caught:
        rule(bench, StartProfile(profile="nobody"))
    assert caught.value.field == "action.profile"


def test_a_profile_that_is_gone_fails_the_action(bench: Bench) -> None:
    bench.add("alarm", light=BLUE)
    rule(bench, StartProfile(profile="alarm"))
    bench.ledger.do(lambda tx: bench.siren.profiles.remove(tx, "alarm"))
    bench.ledger.do(lambda tx: bench.ports.set_virtual_input(tx, 1, True))
    assert [e.data["reason"] for e in bench.ledger.events if e.topic == events.ACTION_FAILED]


def test_a_failed_commit_changes_neither_state_nor_outputs(bench: Bench) -> None:
    bench.do("start", light=RED)
    bench.ledger.store.broken = "no disk"
    with pytest.raises(Exception, match="no disk"):
        bench.do("start", light=BLUE)
    bench.ledger.store.broken = None
    assert bench.shown() == ("Steady", "red")
    assert len(bench.siren.activities("light")) == 1


def test_two_devices_on_one_wall_clock_show_the_same_frame() -> None:
    """Started at different times, with different monotonic clocks; also after one was interrupted."""
    benches = []
    for late, boot in ((0.0, 5.0), (3.21, 77.7)):
        bench = Bench()
        bench.ledger.virtual_clock.advance(boot)
        bench.ledger.virtual_clock.step(-boot)  # another age, the same date
        bench.ledger.do(lambda tx: tx.put("param", "SirenAndLight.Synchronize", b"yes"))
        bench.do("set_maintenance", False)
        bench.ledger.advance(late)
        bench.do("start", light=Light(pattern="Rotate tail white + steady color", colors=("red",), speed=2))
        bench.ledger.advance(10.0 - late)
        benches.append(bench)
    frames = []
    for bench in benches:
        assert bench.signal.pattern is not None
        frames.append(bench.signal.pattern.frame(bench.ledger.clock.mono_ns()))
    assert frames[0] == frames[1]
