from __future__ import annotations

import asyncio

from axcore.model.events import Event
from axcore.runtime import bus as bus_module
from axcore.runtime.bus import Bus


def event(number: int, topic: str = "a", state: str | None = None, port: str = "1") -> Event:
    data = {} if state is None else {"state": state}
    return Event(id=number, time="", topic=topic, source={"port": port}, data=data, is_property=state is not None)


def test_properties_keep_the_last_value_of_each_source() -> None:
    bus = Bus()
    bus.deliver([event(1, state="0"), event(2, state="1"), event(3, state="1", port="2"), event(4)])
    assert [e.id for e in bus.properties()] == [2, 3]


def test_a_property_that_is_forgotten_is_gone_even_if_its_last_event_comes_after() -> None:
    bus = Bus()
    bus.deliver([event(1, state="1"), event(2, state="1", port="2")])
    bus.forget("a", {"port": "1"})
    assert [e.id for e in bus.properties()] == [2]
    bus.deliver([event(3, state="0")])
    assert [e.id for e in bus.properties()] == [2]
    bus.deliver([event(4, state="0")])
    assert [e.id for e in bus.properties()] == [2, 4]


async def test_a_subscription_gets_events_in_order_and_of_its_prefix() -> None:
    bus = Bus()
    with bus.subscribe(prefix="a/") as subscription:
        await asyncio.to_thread(bus.deliver, [event(1, "a/x"), event(2, "b"), event(3, "a/y")])
        first, second = await subscription.get(), await subscription.get()
        assert [first and first.id, second and second.id] == [1, 3]


async def test_a_full_subscription_drops_the_oldest_and_counts() -> None:
    bus = Bus()
    subscription = bus.subscribe(maxsize=2)
    bus.deliver([event(n) for n in range(1, 6)])
    await asyncio.sleep(0)
    assert subscription.dropped == 3
    subscription.close()
    assert [e.id async for e in subscription] == [4, 5]


async def test_a_stalled_loop_costs_a_bounded_backlog_and_one_wake_up() -> None:
    bus = Bus()
    subscription = bus.subscribe(maxsize=10)
    calls = 0
    loop = asyncio.get_running_loop()
    original = loop.call_soon_threadsafe

    def counting(*args: object) -> asyncio.Handle:
        nonlocal calls
        calls += 1
        return original(*args)  # type: ignore[arg-type]

    loop.call_soon_threadsafe = counting  # type: ignore[method-assign,assignment]
    for n in range(bus_module.BACKLOG + 5):
        bus.deliver([event(n)])
    assert calls == 1
    assert bus.dropped == 5
    await asyncio.sleep(0)
    assert subscription.dropped == 5 + bus_module.BACKLOG - 10
    bus.deliver([event(1)])
    assert calls == 2


async def test_closing_ends_a_waiting_reader() -> None:
    bus = Bus()
    subscription = bus.subscribe()
    reader = asyncio.create_task(subscription.get())
    await asyncio.sleep(0)
    subscription.close()
    assert await reader is None
    assert subscription.get_nowait() is None


def test_delivering_to_a_closed_loop_is_no_error() -> None:
    bus = Bus()

    async def subscribe() -> None:
        bus.subscribe()

    asyncio.run(subscribe())
    bus.deliver([event(1)])
    bus.deliver([event(2)])


def test_in_transaction_subscribers_are_found_by_prefix_and_can_leave() -> None:
    bus = Bus()
    first = bus.in_transaction("a/", lambda tx, e: None)
    bus.in_transaction(None, lambda tx, e: None)
    assert len(bus.subscribers_of("a/b")) == 2
    assert len(bus.subscribers_of("b")) == 1
    first()
    assert len(bus.subscribers_of("a/b")) == 1


async def test_a_snapshot_says_up_to_which_event_it_is_complete() -> None:
    bus = Bus()
    bus.deliver([event(1, state="0"), event(2)])
    assert ([e.id for e in bus.snapshot()[0]], bus.snapshot()[1]) == ([1], 2)
    with bus.subscribe() as subscription:
        assert subscription.since == 2
        bus.deliver([event(3)])
        assert bus.snapshot()[1] == 3
        assert subscription.since == 2


async def test_waiting_ends_with_an_event_a_wake_up_or_the_end() -> None:
    bus = Bus()
    subscription = bus.subscribe()
    for end in (subscription.wake, lambda: bus.deliver([event(1)])):
        waiting = asyncio.create_task(subscription.wait())
        await asyncio.sleep(0)
        assert not waiting.done()
        end()
        assert await waiting
    assert subscription.get_nowait() is not None
    waiting = asyncio.create_task(subscription.wait())
    await asyncio.sleep(0)
    subscription.close()
    assert not await waiting
    assert not await subscription.wait()
