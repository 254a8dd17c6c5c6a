"""The I/O core against a small independent model: who has a claim on an output, and which one wins.

REX > pulse or sequence, the newer one > hold > base. The model looks at one instant only: it asks what the pin should
be now, from the list of everything that was asked of it.
"""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from axcore._native import io
from axcore._native.io import InputConfig, OutputConfig
from axcore._native.io_core import IoCore

DEBOUNCE, REX_HOLD = 5, 50


@dataclass
class Model:
    """One output, with one REX input. Times are whole numbers, all claims end at their time."""

    base: bool = False
    hold: bool | None = None
    pulse: tuple[bool, int, int] | None = None  # state, end, age
    sequence: list[tuple[bool, int]] = field(default_factory=list)  # state, end of step
    sequence_age: int = 0
    age: int = 0
    raw: bool = True
    raw_since: int = 0
    pressed: bool = False
    rex_until: int = -1

    def at(self, now: int) -> None:
        """Let everything end that ends by now, in the order of time."""
        due = self.raw_since + DEBOUNCE
        if self.raw == self.pressed and due <= now:
            self.pressed = not self.raw
            if self.pressed:
                self.rex_until = max(self.rex_until, due + REX_HOLD)
        if self.pulse and self.pulse[1] <= now:
            self.pulse = None
        while self.sequence and self.sequence[0][1] <= now:
            state, _ = self.sequence.pop(0)
            if not self.sequence:
                self.base = state

    def active(self, now: int) -> bool:
        if self.pressed or self.rex_until > now:
            return True
        if self.sequence and (self.pulse is None or self.sequence_age > self.pulse[2]):
            return self.sequence[0][0]
        if self.pulse:
            return self.pulse[0]
        return self.base if self.hold is None else self.hold

    def do(self, now: int, op: tuple[object, ...]) -> None:
        match op:
            case ("rex", bool(level)):
                if level != self.raw:
                    self.raw, self.raw_since = level, now
            case ("set", bool(state)):
                self.base = state
            case ("hold", bool(on), bool(state)):
                self.hold = state if on else None
            case ("pulse", bool(state), int(length)):
                self.age += 1
                end = now + length
                if self.pulse and self.pulse[0] == state:
                    end = max(end, self.pulse[1])
                self.pulse = (state, end, self.age)
            case ("sequence", list(steps)):
                if not self.sequence:
                    self.age += 1
                    self.sequence_age = self.age
                    end = now
                    for state, wait in steps:
                        end += wait
                        self.sequence.append((state, end))
            case ("fault",) | ("configure",):
                self.base = op == ("fault",)
                self.hold = self.pulse = None
                self.sequence = []


def apply(core: IoCore, now: int, op: tuple[object, ...]) -> None:
    match op:
        case ("rex", bool(level)):
            core.input(now, 0, level)
        case ("set", bool(state)):
            core.set(now, 0, state)
        case ("hold", bool(on), bool(state)):
            core.hold(now, 0, on, state)
        case ("pulse", bool(state), int(length)):
            core.pulse(now, 0, state, length)
        case ("sequence", list(steps)):
            core.sequence(now, 0, steps)
        case ("fault",):
            core.fault(now, 0)
        case ("configure",):
            core.configure_output(now, 0, OutputConfig(fault_active=True))


waits = st.integers(1, 60)
operations = st.one_of(
    st.tuples(st.just("rex"), st.booleans()),
    st.tuples(st.just("set"), st.booleans()),
    st.tuples(st.just("hold"), st.booleans(), st.booleans()),
    st.tuples(st.just("pulse"), st.booleans(), waits),
    st.tuples(st.just("sequence"), st.lists(st.tuples(st.booleans(), waits), min_size=1, max_size=5)),
    st.tuples(st.sampled_from(["fault", "configure"])),
)


def fresh() -> IoCore:
    return IoCore([InputConfig(DEBOUNCE, True, 0, REX_HOLD)], [OutputConfig(fault_active=True)])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 25), operations), max_size=30))
def test_the_pin_is_what_the_claims_say(script: list[tuple[int, tuple[object, ...]]]) -> None:
    core, model, now = fresh(), Model(), 1000
    for wait, op in [*script, (200, ("set", False))]:
        for _ in range(wait):
            now += 1
            core.advance(now)
            model.at(now)
            assert core.output_active(0) == model.active(now), (now, op)
        if op[0] == "sequence" and model.sequence:
            continue  # refused while one runs
        apply(core, now, op)
        model.do(now, op)
        model.at(now)
        assert core.output_active(0) == model.active(now), (now, op)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), operations), max_size=20))
def test_a_late_caller_gets_the_same_events(script: list[tuple[int, tuple[object, ...]]]) -> None:
    """One core is advanced at each of its deadlines, the other only by the next command: same edges, same times."""
    punctual, late = fresh(), fresh()
    now, busy = 1000, False
    for wait, op in [*script, (10_000, ("set", False))]:
        now += wait
        while punctual.deadline <= now:
            punctual.advance(punctual.deadline)
        sequences = op[0] == "sequence"
        if sequences and busy:
            continue
        apply(punctual, now, op)
        apply(late, now, op)
        _, events = punctual.take()
        _, same = late.take()
        busy = (busy or sequences) and not any(e.kind == io.KIND_SEQUENCE_END for e in events)
        told = [(e.t_ns, e.kind, e.index, e.value, e.reason) for e in events]
        assert told == [(e.t_ns, e.kind, e.index, e.value, e.reason) for e in same]
        assert told == sorted(told, key=lambda one: one[0])
    assert punctual.deadline == late.deadline == io.NEVER or punctual.output_active(0)
