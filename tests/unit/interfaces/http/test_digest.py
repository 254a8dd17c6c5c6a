"""Digest: the vectors of RFC 7616, parsing, nonces."""

from __future__ import annotations

import contextlib
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axcore.interfaces.http import digest
from axcore.testing import VirtualClock

RFC = {
    "uri": "/dir/index.html",
    "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
    "nc": "00000001",
    "cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
}


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_rfc_7616_section_3_9_1(algorithm: digest.Algorithm, expected: str) -> None:
    a1 = b"Mufasa:http-auth@example.org:Circle of Life"
    ha1 = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm](a1).hexdigest()
    assert digest.response(algorithm, ha1, "GET", RFC) == expected


def test_commas_and_escapes_in_quoted_strings() -> None:
    text = r'username="ro\"ot", uri="/p?group=Brand,Properties.A,b", qop=auth,nc=00000001 , cnonce="a=,b"'
    assert digest.parse_credentials(text) == {
        "username": 'ro"ot',
        "uri": "/p?group=Brand,Properties.A,b",
        "qop": "auth",
        "nc": "00000001",
        "cnonce": "a=,b",
    }


@pytest.mark.parametrize("text", ["a", "a=", 'a="', 'a="b" c=d', "=b", "a=b,,c=d", 'a="b"c', "a=b;c=d"])
def test_what_is_not_well_formed_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="digest parameter"):
        digest.parse_credentials(text)


@given(st.text(max_size=200))
def test_parser_raises_nothing_else(text: str) -> None:
    with contextlib.suppress(ValueError):
        digest.parse_credentials(text)


@given(st.lists(st.integers(1, 400), max_size=200))
def test_no_counter_is_taken_twice(counters: list[int]) -> None:
    nonces = digest.Nonces(VirtualClock().mono_ns)
    nonce = nonces.make()
    taken: set[int] = set()
    for nc in counters:
        fresh = nc not in taken and nc > max(taken, default=0) - digest.WINDOW
        assert nonces.use(nonce, nc) == fresh
        if fresh:
            taken.add(nc)


def test_forgotten_nonces_cannot_be_replayed() -> None:
    clock = VirtualClock()
    nonces = digest.Nonces(clock.mono_ns)
    first = nonces.make()
    assert nonces.fresh(first)
    assert nonces.use(first, 1)
    for _ in range(digest.MAX_NONCES):
        clock.advance(0.001)
        assert nonces.use(nonces.make(), 1)
    assert len(nonces._used) == digest.MAX_NONCES
    assert not nonces.fresh(first)
    assert nonces.fresh(nonces.make())


def test_nonces_of_another_run_are_not_fresh() -> None:
    clock = VirtualClock()
    assert not digest.Nonces(clock.mono_ns).fresh(digest.Nonces(clock.mono_ns).make())
    made = digest.Nonces(clock.mono_ns)
    nonce = made.make()
    assert not made.fresh(nonce[:-1] + ("0" if nonce[-1] != "0" else "1"))
    assert not made.fresh("ä" * 52)
