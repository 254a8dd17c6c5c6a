from __future__ import annotations

import asyncio
import logging

import pytest

from axcore.errors import InputError
from axcore.interfaces.streams.follow import MAX_FILTERS, Follower, Login, may_see, read_filters
from axcore.interfaces.streams.hub import MAX_TOKENS, TOKEN_NS, Tokens
from axcore.model.accounts import Identity, Role
from axcore.model.events import CONFIGURATION_CHANGED, ENTRY_GRANTED, IO_PORT, IO_VIRTUAL_INPUT, RELAY, RFID, Event
from axcore.runtime import bus as bus_module
from axcore.runtime.bus import Bus

ALL = read_filters([("", "")])
ADMIN = Identity(name="root", role=Role.ADMIN)


def state(number: int, port: str = "0", value: str = "1", topic: str = IO_PORT) -> Event:
    return Event(id=number, time="", topic=topic, source={"port": port}, data={"state": value}, is_property=True)


def pulse(number: int, topic: str = "tns1:Device/tnsaxis:X") -> Event:
    return Event(id=number, time="", topic=topic)


async def drain(follower: Follower) -> list[tuple[int, str]]:
    """Everything there is, after the loop has turned."""
    await asyncio.sleep(0)
    found: list[tuple[int, str]] = []
    while (sent := follower.take()) is not None:
        found += [(sent.event.id, sent.operation)] * sent.copies
    return found


def follower(bus: Bus, identity: Identity = ADMIN, limit: int = 100) -> Follower:
    return Follower(bus, identity, "a client", limit=limit)


async def test_initial_states_come_first_and_then_what_happens() -> None:
    bus = Bus()
    bus.deliver([state(1), state(2, "1"), pulse(3), state(4)])
    one = follower(bus)
    one.configure(ALL)
    bus.deliver([state(5), pulse(6)])
    assert await drain(one) == [(2, "Initialized"), (4, "Initialized"), (5, "Changed"), (6, "Changed")]


async def test_nothing_comes_before_filters_and_nothing_of_before_is_lost_or_doubled() -> None:
    bus = Bus()
    bus.deliver([state(1)])
    one = follower(bus)
    bus.deliver([state(2), pulse(3), state(4, "1")])
    one.configure(ALL)
    bus.deliver([state(5)])
    assert await drain(one) == [
        (2, "Initialized"), (4, "Initialized"), (3, "Changed"), (5, "Changed"),
    ]  # fmt: skip


async def test_what_was_committed_before_the_start_and_is_told_late_is_left_out() -> None:
    bus = Bus()
    other = bus.subscribe()
    bus.deliver([state(1), pulse(2)])  # waits for the loop, which does not turn before the next subscription
    one = follower(bus)
    one.configure(ALL)
    assert await drain(one) == [(1, "Initialized")]
    assert other.get_nowait() is not None


async def test_every_possible_moment_of_the_start_gives_each_property_its_last_state() -> None:
    for before in range(6):
        for seen in range(before, 6):
            bus = Bus()
            bus.subscribe()
            stream = [state(n, value=str(n)) if n % 2 else pulse(n) for n in range(1, 6)]
            bus.deliver(stream[:before])
            one = follower(bus)
            bus.deliver(stream[before:seen])
            one.configure(ALL)
            bus.deliver(stream[seen:])
            found = await drain(one)
            ids = [number for number, _ in found]
            assert len(ids) == len(set(ids)), (before, seen)
            states = {number for number in ids if number % 2}
            last = max((n for n in range(1, seen + 1) if n % 2), default=0)
            assert states == {n for n in range(1, 6) if n % 2 and (n == last or n > seen)}, (before, seen)
            assert {n for n in ids if not n % 2} == {n for n in range(before + 1, 6) if not n % 2}, (before, seen)


async def test_only_the_latest_filter_applies_and_brings_initial_states() -> None:
    bus = Bus()
    bus.deliver([state(1), state(2, topic=IO_VIRTUAL_INPUT)])
    one = follower(bus)
    one.configure(read_filters([(IO_PORT, "")]))
    assert await drain(one) == [(1, "Initialized")]
    one.configure(read_filters([("onvif:Device/axis:IO/VirtualInput", "")]))
    bus.deliver([state(3), state(4, topic=IO_VIRTUAL_INPUT)])
    assert await drain(one) == [(2, "Initialized"), (4, "Changed")]
    one.configure(())
    bus.deliver([state(5)])
    assert await drain(one) == []


async def test_an_event_counts_once_for_each_filter_that_it_matches() -> None:
    bus = Bus()
    one = follower(bus)
    one.configure(read_filters([("onvif:Device//.", ""), ("", 'boolean(//SimpleItem[@Name="port" and @Value="7"])')]))
    bus.deliver([state(1, "7"), state(2, "8"), pulse(3, "tns1:Other")])
    assert await drain(one) == [(1, "Changed"), (1, "Changed"), (2, "Changed")]


async def test_a_full_queue_drops_and_counts_and_leaves_no_state_behind(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    bus = Bus()
    one = follower(bus, limit=3)
    one.configure(ALL)
    bus.deliver([state(1, "a"), state(2, "b"), pulse(3), state(4, "a"), pulse(5), pulse(6), state(7, "c")])
    assert await drain(one) == [(2, "Changed"), (4, "Changed"), (5, "Changed"), (6, "Changed"), (7, "Changed")]
    assert one.dropped == 4
    assert "a client: does not keep up, 4 events were dropped (4 in all)" in caplog.text
    bus.deliver([state(8)])
    assert await drain(one) == [(8, "Changed")]
    one.close()
    assert "4 events were dropped in all" in caplog.text


async def test_states_that_a_stalled_loop_lost_come_all_the_same() -> None:
    bus = Bus()
    one = follower(bus, limit=10)
    one.configure(ALL)
    bus.deliver([state(1, "a", "lost")])
    bus.deliver([pulse(n) for n in range(2, bus_module.BACKLOG + 20)])
    found = await drain(one)
    assert found[0] == (1, "Changed")
    assert len(found) == 11


async def test_ready_waits_and_ends_with_the_follower() -> None:
    bus = Bus()
    one = follower(bus)
    waiting = asyncio.create_task(one.ready())
    await asyncio.sleep(0)
    assert not waiting.done()
    one.configure(ALL)
    assert await waiting
    one.close()
    assert not await one.ready()
    assert one.take() is None


async def test_events_about_people_need_an_operator() -> None:
    for topic in (ENTRY_GRANTED, CONFIGURATION_CHANGED, RFID):
        assert not may_see(Role.VIEWER, topic)
        assert may_see(Role.OPERATOR, topic)
    assert may_see(Role.VIEWER, RELAY)
    bus = Bus()
    bus.deliver([state(1)])
    one = follower(bus, Identity(name="view", role=Role.VIEWER))
    one.configure(read_filters([("//.", "")]))
    bus.deliver([pulse(2, ENTRY_GRANTED), pulse(3)])
    assert await drain(one) == [(1, "Initialized"), (3, "Changed")]


def test_filters_are_checked() -> None:
    with pytest.raises(InputError, match="topic"):
        read_filters([("a b", "")])
    with pytest.raises(InputError, match="content"):
        read_filters([("", "boolean(")])
    with pytest.raises(InputError, match="eventFilterList"):
        read_filters([("", "")] * (MAX_FILTERS + 1))
    assert read_filters([(" //. ", "")])[0].topics == ()


class Accounts:
    def __init__(self) -> None:
        self.generation = 1
        self.known: dict[str, object] = {"root": object()}

    def get(self, name: str) -> object | None:
        return self.known.get(name)


def test_a_login_ends_with_its_account() -> None:
    accounts = Accounts()
    login = Login(accounts, ADMIN)  # type: ignore[arg-type]
    accounts.generation = 2  # another account has changed
    assert login.holds()
    accounts.known["root"] = object()
    assert login.holds()
    accounts.generation = 3
    assert not login.holds()
    assert not login.holds()
    accounts.known.clear()
    assert not Login(accounts, ADMIN).holds()  # type: ignore[arg-type]


def test_a_token_is_for_one_connection_and_fifteen_seconds() -> None:
    tokens = Tokens()
    token = tokens.issue(ADMIN, 0)
    assert tokens.redeem("x", 0) is None
    assert tokens.redeem(token, TOKEN_NS) == ADMIN
    assert tokens.redeem(token, TOKEN_NS) is None
    late = tokens.issue(ADMIN, 0)
    assert tokens.redeem(late, TOKEN_NS + 1) is None


def test_tokens_cannot_be_guessed_and_do_not_pile_up() -> None:
    tokens = Tokens()
    made = [tokens.issue(ADMIN, 0) for _ in range(MAX_TOKENS + 1)]
    assert len(set(made)) == len(made)
    assert all(len(token) == 43 for token in made)
    other = tokens.issue(Identity(name="other", role=Role.VIEWER), 0)
    assert tokens.redeem(made[0], 0) is None
    assert tokens.redeem(made[1], 0) == ADMIN
    found = tokens.redeem(other, 0)
    assert found is not None
    assert found.name == "other"
