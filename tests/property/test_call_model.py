"""A call lives random lives: whatever the legs do, there is one winner at most and no leg is left behind."""

from hypothesis import given, settings
from hypothesis import strategies as st

from axcore.devices.call import (
    MOST_TRANSFERS,
    NS,
    Accept,
    Call,
    Dial,
    Drop,
    Effect,
    Hush,
    Limits,
    Notify,
    Ring,
    Talk,
    Told,
    place,
    receive,
)
from axcore.devices.keys import PAUSE_NS, Keys
from axcore.model.intercom import MAX_LEGS, Target

LIMITS = Limits(calling_ns=60 * NS, active_ns=600 * NS)
NEXT = {
    None: {"Calling"},
    "Calling": {"Active", "Terminating"},
    "Active": {"Terminating"},
    "Terminating": {"Terminated"},
    "Terminated": set(),
}


class Life:
    """Plays the network to a call, and checks what it asks for."""

    def __init__(self, call: Call, effects: tuple[Effect, ...]) -> None:
        self.state: str | None = None
        self.dialled: list[str] = []
        self.ends: int | None = None
        self.ended: set[str] = set()
        self.dropped: set[str] = set()
        self.talking: list[str] = []
        self.asked = ""
        """Who waits for word of a transfer."""
        self.take(call, effects)

    def take(self, call: Call, effects: tuple[Effect, ...]) -> None:
        self.call = call
        if call.state == "Active" and self.state != "Active":
            self.ends = call.deadline
        for effect in effects:
            match effect:
                case Told(state, reason):
                    assert state in NEXT[self.state] or (state == self.state == "Active" and reason == "transferred")
                    self.state = state
                case Dial(leg, _):
                    assert leg not in self.dialled
                    self.dialled.append(leg)
                case Drop(leg, _):
                    self.dropped.add(leg)
                case Talk(leg):
                    assert not self.talking or call.transfers
                    self.talking = [leg]
                case Hush(leg):
                    assert leg not in self.talking
                case Notify(leg, code):
                    assert leg not in self.ended
                    assert leg == self.asked
                    self.asked = leg if code < 200 else ""
                case Ring(leg) | Accept(leg):
                    self.dialled += [leg] * (leg not in self.dialled)
        assert call.state == self.state
        assert len(self.talking) <= 1
        assert (call.state == "Active") <= (self.talking == [call.winner])
        assert (call.transfer is not None) <= (call.state == "Active")
        assert call.transfers <= MOST_TRANSFERS
        if call.state == "Active" and call.transfer is None:
            assert [leg.name for leg in call.legs if leg.state == "answered"] == [call.winner]
        if not call.live:
            assert {leg.name for leg in call.legs} <= self.dropped | self.ended
        assert (call.deadline is None) == (
            call.state == "Terminated"
            or (call.state == "Active" and call.transfer is None and call.limits.active_ns is None)
        )
        if call.state == "Active" and self.ends is not None:
            assert call.deadline is not None
            assert call.deadline <= self.ends  # transfers make no call longer
        assert len([leg for leg in call.legs if leg.open]) <= MAX_LEGS


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["rings", "answered", "over", "hang_up", "advance", "accept", "refer", "refer"]),
        st.integers(0, 11),
        st.integers(0, 90),
    ),
    max_size=40,
)
STAGES = st.lists(st.integers(1, MAX_LEGS), min_size=1, max_size=3)


def live(life: Life, events: list[tuple[str, int, int]]) -> None:
    now = 0
    for what, number, seconds in events:
        now += seconds * NS
        name = life.dialled[number % len(life.dialled)]
        if what in ("rings", "answered", "over") and name in life.ended:
            continue
        match what:
            case "rings":
                life.take(*life.call.rings(name))
            case "answered":
                life.take(*life.call.answered(name, now))
            case "over":
                life.ended.add(name)
                life.take(*life.call.leg_over(name, "", now))
            case "hang_up":
                life.take(*life.call.hang_up("", now))
            case "advance":
                life.take(*life.call.advance(now))
            case "accept":
                life.take(*life.call.accept())
            case "refer" if name not in life.ended:
                to = Target(uri=f"sip:{number}@elsewhere", account="a")
                before, life.asked = life.asked, name
                call, effects = life.call.refer(name, to, now)
                refused = effects == (Notify(name, 603),)
                life.take(call, effects)
                life.asked = before if refused else name
    # Time alone ends every call that has an end.
    for _ in range(20):
        if life.call.deadline is not None:
            now = max(now, life.call.deadline)
            life.take(*life.call.advance(now))
    assert life.call.state == "Terminated"


@given(STAGES, EVENTS)
@settings(max_examples=400, deadline=None)
def test_an_outgoing_call_has_one_winner_and_an_end(sizes: list[int], events: list[tuple[str, int, int]]) -> None:
    stages = tuple(
        tuple(Target(uri=f"sip:{stage}.{number}@host", account="a") for number in range(size))
        for stage, size in enumerate(sizes)
    )
    life = Life(*place("7", stages, LIMITS, 0))
    assert len(life.dialled) == sizes[0]
    live(life, events)
    assert len(life.dialled) <= sum(sizes) + MOST_TRANSFERS


@given(st.booleans(), EVENTS)
@settings(max_examples=200, deadline=None)
def test_an_incoming_call_has_an_end(answer: bool, events: list[tuple[str, int, int]]) -> None:
    life = Life(*receive("8", "in1", Target(uri="sip:x@host", account="a"), LIMITS, 0, answer=answer))
    live(life, events)


@given(
    st.lists(st.text("12*", min_size=1, max_size=3), max_size=4, unique=True),
    st.lists(st.tuples(st.sampled_from("12*#"), st.integers(0, 8)), max_size=60),
)
def test_a_sequence_is_hit_by_its_keys_only(sequences: list[str], typed: list[tuple[str, int]]) -> None:
    known = {sequence: str(number) for number, sequence in enumerate(sequences)}
    keys, now, row = Keys(), 0, ""
    for key, pause in typed:
        now += pause * NS
        row = "" if pause * NS > PAUSE_NS else row
        row += key
        keys, hit = keys.press(key, now, known)
        if hit is not None:
            assert row.endswith(sequences[int(hit)])
        assert not keys.missed or (hit is None and not keys.typed)
        assert not any(len(keys.typed) >= len(sequence) for sequence in sequences if keys.typed == sequence) or any(
            sequence.startswith(keys.typed) and sequence != keys.typed for sequence in sequences
        )


@given(st.text("12", min_size=1, max_size=5), st.text("123", max_size=60))
def test_who_tries_codes_is_counted(code: str, row: str) -> None:
    """No fewer than one wrong code for twice its keys, however they are cut; and no two for the keys of one."""
    keys, wrong, since_hit, last = Keys(), 0, 0, -len(code)
    for number, key in enumerate(row):
        keys, hit = keys.press(key, NS, {code: "1"})
        wrong, since_hit = (0, 0) if hit else (wrong + keys.missed, since_hit + 1)
        assert wrong >= since_hit // (2 * len(code))
        if keys.missed:
            assert number - last >= len(code)
        last = -len(code) if hit else number if keys.missed else last
