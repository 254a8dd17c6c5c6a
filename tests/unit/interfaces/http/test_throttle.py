"""Limits on failed logins, in virtual time."""

from __future__ import annotations

from axcore.interfaces.http.throttle import MAX_ADDRESSES, Limits, Throttle
from axcore.testing import VirtualClock


def make(limits: Limits | None = None) -> tuple[Throttle, VirtualClock]:
    clock = VirtualClock()
    return Throttle(clock.mono_ns, lambda: limits or Limits()), clock


def attack(throttle: Throttle, clock: VirtualClock, addresses: list[str], minutes: int) -> dict[str, list[float]]:
    """Guess from each address four times a second; the moments of those that were evaluated."""
    evaluated: dict[str, list[float]] = {address: [] for address in addresses}
    for _ in range(minutes * 240):
        for address in addresses:
            if not throttle.blocked(address):
                throttle.failed(address)
                evaluated[address].append(clock.mono_ns() / 1e9)
        clock.advance(0.25)
    return evaluated


def most_in_a_minute(moments: list[float]) -> int:
    return max(sum(start <= t < start + 60 for t in moments) for start in moments)


def test_at_most_ten_a_minute_from_an_address() -> None:
    throttle, clock = make()
    moments = attack(throttle, clock, ["10.0.0.1"], 10)["10.0.0.1"]
    assert most_in_a_minute(moments) <= 10
    assert len(moments) >= 90


def test_at_most_sixty_a_minute_from_all() -> None:
    throttle, clock = make()
    found = attack(throttle, clock, [f"10.0.{n}.1" for n in range(40)], 5)
    everything = sorted(t for moments in found.values() for t in moments)
    assert most_in_a_minute(everything) <= 60


def test_an_address_that_logged_in_is_not_locked_out_by_others() -> None:
    throttle, clock = make()
    throttle.passed("10.9.9.9")
    for n in range(60):
        throttle.failed(f"10.0.{n}.1")
    clock.advance(30)
    assert throttle.blocked("10.8.8.8") == 30
    assert not throttle.blocked("10.9.9.9")
    for _ in range(10):
        throttle.failed("10.9.9.9")
    assert throttle.blocked("10.9.9.9") > 0, "but it has its own limit"


def test_ipv6_counts_by_network_and_mapped_ipv4_as_ipv4() -> None:
    throttle, _ = make()
    for n in range(10):
        throttle.failed(f"2001:db8::{n}")
    assert throttle.blocked("2001:db8::ffff")
    assert not throttle.blocked("2001:db8:0:1::1")
    for _ in range(10):
        throttle.failed("::ffff:10.0.0.1")
    assert throttle.blocked("10.0.0.1")


def test_the_wait_told_is_enough() -> None:
    throttle, clock = make()
    for _ in range(10):
        throttle.failed("a")
        clock.advance(1)
    wait = throttle.blocked("a")
    assert 0 < wait <= 60
    clock.advance(wait)
    assert throttle.blocked("a") == 0


def test_memory_is_bounded() -> None:
    throttle, _ = make(Limits(site_count=10_000))
    for n in range(MAX_ADDRESSES + 500):
        throttle.failed(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}")
        throttle.passed(f"11.{n >> 16}.{n >> 8 & 255}.{n & 255}")
    assert len(throttle._pages) == len(throttle._known) == MAX_ADDRESSES


def test_evaluations_under_way_count() -> None:
    throttle, _ = make()
    for _ in range(10):
        assert not throttle.blocked("a")
        throttle.begin("a")
    assert throttle.blocked("a")
    for _ in range(10):
        throttle.end("a")
    assert not throttle.blocked("a")
