"""Rules: events through 256 rules, ours and others in the same run.

*Sparse*: three conditions a rule over 400 properties, events about any of them, half of them news. *Worst*: every rule
looks at the property that changes with each event, and every second event satisfies all 256. All tests of a group do
the same work and their activations are compared; peers match levels only, ours waits, triggers and inversion too.
``python bench/bench_rules.py`` prints the numbers alone, without pytest.
"""

import random
import sys
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from axcore._native import rules as native
from axcore.model.events import NewEvent
from axcore.model.rules import Condition, Rule, ToggleIoOnce
from axcore.rules import Filter, Kind, Matcher, RuleDef, Test, Topic, define

sys.path.insert(0, str(Path(__file__).parent / "peers"))
from rules_counting import CelMatcher, ClipsMatcher, CountingMatcher, Rules

RULES, PROPERTIES, EACH = 256, 400, 3
INPUT = np.dtype([("t_ns", "u8"), ("event", "u4"), ("flags", "u4")])
ACTION = np.dtype([("t_ns", "u8"), ("cause", "u4"), ("rule", "u2"), ("what", "u2")])
OUT = np.zeros(1 << 16, ACTION)
Event = tuple[int, int]


class Workload:
    """Rules, and events to feed again and again."""

    def __init__(self, rules: Rules, events: list[Event]) -> None:
        self.rules = rules
        self.events = events

    def ours(self) -> tuple[Matcher, np.ndarray[Any, Any]]:
        """The matcher with every (property, value) interned, and the events as records."""
        matcher = Matcher([_definition(str(number), rule) for number, rule in enumerate(self.rules)])
        ids = {(prop, value): matcher.intern(_event(prop, value)) for prop in range(PROPERTIES) for value in (0, 1)}
        records = np.zeros(len(self.events), INPUT)
        records["event"] = [ids[event] for event in self.events]
        return matcher, records


def _event(prop: int, value: int) -> NewEvent:
    return NewEvent(topic=f"p{prop}", data={"v": str(value)}, is_property=True)


def _definition(rule_id: str, rule: tuple[Event, ...]) -> RuleDef:
    tests = [Test(Filter((Topic(f"p{prop}"),), (), (("v", str(value)),))) for prop, value in rule]
    return RuleDef(rule_id, tuple(tests))


def sparse(count: int) -> Workload:
    """Properties of a rule are different ones, as a peer's rules must be able to hold."""
    dice = random.Random(5)
    props = range(PROPERTIES)
    rules = [tuple((prop, dice.randrange(2)) for prop in dice.sample(props, EACH)) for _ in range(RULES)]
    return Workload(rules, [(dice.randrange(PROPERTIES), dice.randrange(2)) for _ in range(count)])


def worst(count: int) -> Workload:
    """Two properties that hold from the first events on, and one that changes."""
    return Workload([((0, 1), (1, 1), (2, 1))] * RULES, [(0, 1), (1, 1), *((2, at % 2) for at in range(1, count - 1))])


SPARSE, WORST = sparse(20_000), worst(2_000)
SHORT = {"sparse": sparse(2_000), "worst": worst(200)}


def batch(matcher: Matcher, records: np.ndarray[Any, Any]) -> int:
    """Activations of a batch, each written out with its rule and time."""
    core, done, total = matcher.core, 0, 0
    while done < len(records):
        count, taken = core.feed_into(records[done:], OUT)
        total += count
        done += taken
    return total


def singles(matcher: Matcher, records: np.ndarray[Any, Any]) -> Callable[[], int]:
    """One call an event."""
    feed, ids = matcher.core.feed, records["event"].tolist()

    def run() -> int:
        total = 0
        for number in ids:
            if actions := feed(number, 0):
                total += len(actions)
        return total

    return run


def plain(matcher: Any, events: list[Event]) -> int:
    """The same, for whatever has ``feed(property, value)``."""
    feed, total = matcher.feed, 0
    for prop, value in events:
        if fired := feed(prop, value):
            total += len(fired)
    return total


def again(function: Callable[[], int]) -> int:
    """Activations of the second round: from the second on, every round is the same."""
    function()
    return function()


def expected(workload: Workload) -> int:
    matcher = CountingMatcher(workload.rules, PROPERTIES)
    return again(lambda: plain(matcher, workload.events))


def timed(benchmark: Any, function: Callable[[], int], workload: Workload) -> None:
    """Time rounds of the workload; the activations of a round are those of plain counting."""
    benchmark.extra_info["units"] = len(workload.events)
    benchmark.extra_info["unit"] = "events"
    assert again(function) == expected(workload)
    benchmark(function)


@pytest.mark.benchmark(group="rules-sparse")
def test_axcore_sparse(benchmark: Any) -> None:
    matcher, records = SPARSE.ours()
    timed(benchmark, lambda: batch(matcher, records), SPARSE)


@pytest.mark.benchmark(group="rules-sparse")
def test_peer_counting_sparse(benchmark: Any) -> None:
    other = CountingMatcher(SPARSE.rules, PROPERTIES)
    timed(benchmark, lambda: plain(other, SPARSE.events), SPARSE)


@pytest.mark.benchmark(group="rules-worst")
def test_axcore_worst(benchmark: Any) -> None:
    matcher, records = WORST.ours()
    timed(benchmark, lambda: batch(matcher, records), WORST)


@pytest.mark.benchmark(group="rules-worst")
def test_peer_counting_worst(benchmark: Any) -> None:
    other = CountingMatcher(WORST.rules, PROPERTIES)
    timed(benchmark, lambda: plain(other, WORST.events), WORST)


@pytest.mark.benchmark(group="rules-call")
def test_axcore_call(benchmark: Any) -> None:
    """One event a call from Python, the loop included."""
    timed(benchmark, singles(*SPARSE.ours()), SPARSE)


@pytest.mark.benchmark(group="rules-call")
def test_peer_counting_call(benchmark: Any) -> None:
    other = CountingMatcher(SPARSE.rules, PROPERTIES)
    timed(benchmark, lambda: plain(other, SPARSE.events), SPARSE)


def against(benchmark: Any, workload: Workload) -> None:
    """Ours, beside a peer that needs a short workload."""
    matcher, records = workload.ours()
    timed(benchmark, lambda: batch(matcher, records), workload)


def peer(benchmark: Any, module: str, made: Callable[[Rules], Any], workload: Workload) -> None:
    pytest.importorskip(module)
    other = made(workload.rules)
    timed(benchmark, lambda: plain(other, workload.events), workload)


@pytest.mark.benchmark(group="rules-clips")
def test_axcore_against_clips(benchmark: Any) -> None:
    against(benchmark, SHORT["sparse"])


@pytest.mark.benchmark(group="rules-clips")
def test_peer_clips(benchmark: Any) -> None:
    """CLIPS 6.4 through clipspy (Rete)."""
    peer(benchmark, "clips", ClipsMatcher, SHORT["sparse"])


@pytest.mark.benchmark(group="rules-clips-worst")
def test_axcore_against_clips_worst(benchmark: Any) -> None:
    against(benchmark, SHORT["worst"])


@pytest.mark.benchmark(group="rules-clips-worst")
def test_peer_clips_worst(benchmark: Any) -> None:
    peer(benchmark, "clips", ClipsMatcher, SHORT["worst"])


@pytest.mark.benchmark(group="rules-cel")
def test_axcore_against_cel(benchmark: Any) -> None:
    against(benchmark, SHORT["sparse"])


@pytest.mark.benchmark(group="rules-cel")
def test_peer_cel(benchmark: Any) -> None:
    """The fastest CEL wheel (Rust), with the index from properties to rules that it has not."""
    peer(benchmark, "cel", CelMatcher, SHORT["sparse"])


@pytest.mark.benchmark(group="rules-cel-worst")
def test_axcore_against_cel_worst(benchmark: Any) -> None:
    against(benchmark, SHORT["worst"])


@pytest.mark.benchmark(group="rules-cel-worst")
def test_peer_cel_worst(benchmark: Any) -> None:
    peer(benchmark, "cel", CelMatcher, SHORT["worst"])


def compiled() -> Callable[[], Matcher]:
    """Compile the sparse rules from their model; the matcher stays below 64 kB with all events known."""
    kinds = {f"p{prop}": Kind(stateful=True) for prop in range(PROPERTIES)}
    action = ToggleIoOnce(port="4")
    rules = [
        Rule(
            id=str(number),
            name="r",
            conditions=tuple(Condition(topic=f"p{prop}", data={"v": str(value)}) for prop, value in rule),
            action=action,
        )
        for number, rule in enumerate(SPARSE.rules)
    ]
    return lambda: Matcher([define(rule, kinds) for rule in rules])


@pytest.mark.benchmark(group="rules-compile")
def test_axcore_compile(benchmark: Any) -> None:
    benchmark.extra_info["unit"] = "compilations of 256 rules"
    assert len(benchmark(compiled()).rules()) == RULES
    assert SPARSE.ours()[0].core.size <= 64 * 1024


def main() -> None:
    def best(function: Callable[[], Any], number: int = 1) -> float:
        return min(timeit.repeat(function, number=number, repeat=7)) / number

    for name, load in (("sparse", SPARSE), ("worst", WORST)):
        matcher, records = load.ours()
        other = CountingMatcher(load.rules, PROPERTIES)
        theirs = best(lambda other=other, load=load: plain(other, load.events)) / len(load.events)
        for level, variant in enumerate(native.LEVELS):
            matcher.core.set_level(level)
            fast = best(lambda matcher=matcher, records=records: batch(matcher, records), 5) / len(load.events)
            print(
                f"{name:8} batch, {variant:8} {fast * 1e9:8.1f} ns  plain {theirs * 1e9:9.1f} ns  {theirs / fast:6.1f}x"
            )
    matcher, records = SPARSE.ours()
    print(f"one call an event {best(singles(matcher, records)) / len(SPARSE.events) * 1e9:8.1f} ns, loop included")
    print(
        f"compile 256 rules {best(compiled()) * 1e3:8.2f} ms; {matcher.core.size / 1024:.1f} kB with 800 events known"
    )
    for title, made in (("clips", ClipsMatcher), ("cel", CelMatcher)):
        for name, load in SHORT.items():
            matcher, records = load.ours()
            fast = best(lambda matcher=matcher, records=records: batch(matcher, records), 5) / len(load.events)
            other = made(load.rules)
            slow = best(lambda other=other, load=load: plain(other, load.events)) / len(load.events)
            print(f"{title:6}{name:8} {slow * 1e9:10.0f} ns  ours {fast * 1e9:6.1f} ns  {slow / fast:8.0f}x")


if __name__ == "__main__":
    main()
