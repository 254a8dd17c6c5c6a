"""Right of way: who asks stands still while it is taken, and not for long."""

from __future__ import annotations

import threading

from axcore.runtime.way import RightOfWay


def test_nobody_waits_when_nothing_happens() -> None:
    way = RightOfWay()
    way.give()
    way.leave()
    way.take()
    way.leave()
    way.give()


def test_who_asks_goes_on_when_the_way_is_free_again() -> None:
    way = RightOfWay()
    order: list[str] = []

    def bulk() -> None:
        while len(order) < 1:
            way.give()
        order.append("bulk")

    way.take()
    thread = threading.Thread(target=bulk)
    thread.start()
    order.append("door")
    way.leave()
    thread.join()
    assert order == ["door", "bulk"]


def test_a_way_that_stays_taken_holds_nobody_for_ever() -> None:
    way = RightOfWay()
    way.take()
    way.take()
    way.give()
    way.leave()
    way.leave()
    assert way._lock.acquire(blocking=False)


def test_news_that_the_ledger_has_not_seen_is_waited_for() -> None:
    way = RightOfWay()
    looks: list[bool] = []

    def coming() -> bool:
        looks.append(True)
        if len(looks) == 3:
            way.take()
            way.leave()
        return len(looks) < 3

    way.coming = coming
    way.give()
    assert len(looks) == 3


def test_who_asks_at_the_wrong_moment_does_not_block_the_ledger() -> None:
    way = RightOfWay()
    way._lock.acquire()
    way.take()
    assert not way._taken
    way.leave()
    way._lock.release()
