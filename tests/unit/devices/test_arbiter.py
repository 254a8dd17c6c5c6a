"""One activity a level, the highest shows, hidden ones count down; against a plain list in random order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axcore.devices.arbiter import Activity, Arbiter


def activity(number: int, priority: int, start: int = 0, end: int | None = None) -> Activity:
    return Activity(id=number, priority=priority, what=None, start_ns=start, end_ns=end)


def test_the_higher_interrupts_and_the_lower_comes_back() -> None:
    arbiter = Arbiter().start(activity(1, 3)).start(activity(2, 4, end=50))
    assert arbiter.shown is not None
    assert arbiter.shown.id == 2
    assert arbiter.next_ns() == 50
    arbiter = arbiter.advance(49)
    assert arbiter.shown is not None
    assert arbiter.shown.id == 2
    arbiter = arbiter.advance(50)
    assert arbiter.shown is not None
    assert arbiter.shown.id == 1


def test_what_is_hidden_counts_down() -> None:
    arbiter = Arbiter().start(activity(1, 3, end=30)).start(activity(2, 4, end=50))
    assert arbiter.advance(30).stop([2]).shown is None
    assert activity(1, 3, end=30).left_ns(40) == 0
    assert activity(1, 3).left_ns(40) is None


def test_levels_are_1_to_13() -> None:
    for priority in (0, 14):
        with pytest.raises(ValueError, match="level"):
            Arbiter().start(activity(1, priority))


steps = st.lists(
    st.one_of(
        st.tuples(st.just("start"), st.integers(1, 13), st.one_of(st.none(), st.integers(1, 40))),
        st.tuples(st.just("stop"), st.integers(1, 30), st.none()),
        st.tuples(st.just("wait"), st.integers(0, 20), st.none()),
    ),
    max_size=30,
)


@given(steps)
def test_any_history_equals_a_plain_table(history: list[tuple[str, int, int | None]]) -> None:
    arbiter, table, now = Arbiter(), {}, 0
    for number, (what, value, length) in enumerate(history, 1):
        if what == "start":
            end = None if length is None else now + length
            arbiter = arbiter.start(activity(number, value, now, end))
            table[value] = (number, end)
        elif what == "stop":
            arbiter = arbiter.stop([value])
            table = {level: held for level, held in table.items() if held[0] != value}
        else:
            now += value
        arbiter = arbiter.advance(now)
        table = {level: held for level, held in table.items() if held[1] is None or held[1] > now}
        assert [held.id for held in arbiter.activities] == [table[level][0] for level in sorted(table, reverse=True)]
        assert len(arbiter.activities) <= 13
        assert arbiter.next_ns() == min((end for _, end in table.values() if end is not None), default=None)
