"""Native and plain Wiegand agree on any edges and frames: glitches, overlaps, limits at +-1 ns, time run backwards."""

import itertools
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from axcore import wiegand
from axcore.testing import reference_wiegand
from axcore.testing.reference_wiegand import ReferenceDecoder
from axcore.testing.reference_wiegand_table import TABLE

Edge = tuple[int, int, int]
Shown = tuple[int, int, int, int, int, int, int]
US, MS = 1_000, 1_000_000

_LIMITS = (5 * US, 10 * US, 400 * US, 82_500, 24 * MS, 25 * MS)
near_limits = st.sampled_from(_LIMITS).flatmap(lambda limit: st.integers(limit - 1, limit + 1))
widths = st.one_of(st.just(50 * US), st.integers(10 * US, 400 * US), near_limits, st.integers(0, 30 * MS))
spaces = st.one_of(st.just(2 * MS), st.integers(82_500, 20 * MS), near_limits, st.integers(0, 60 * MS))
configs = st.fixed_dictionaries(
    {},
    optional={
        "expect_bits": st.sampled_from([0, 4, 5, 26]),
        "max_bits": st.sampled_from([26, 70, 256]),
        "glitch_ns": st.sampled_from([0, 5 * US, 10 * US]),
        "min_pulse_ns": st.sampled_from([10 * US, 20 * US]),
        "frame_gap_ns": st.sampled_from([25 * MS, 30 * MS]),
    },
)


@st.composite
def bursts(draw: st.DrawFn) -> list[Edge]:
    """Pulses on both lines in time order, most of them sane, some wild."""
    t = draw(st.integers(0, 10 * MS))
    edges: list[Edge] = []
    tame = draw(st.booleans())
    for bit in draw(st.lists(st.integers(0, 1), max_size=80)):
        width = 50 * US if tame else draw(widths)
        edges += [(t, bit, 0), (t + width, bit, 1)]
        if draw(st.integers(0, 9)) == 0:  # a short high within the pulse
            at = t + draw(st.integers(0, width))
            edges += [(at, bit, 1), (at + draw(st.integers(0, 6 * US)), bit, 0)]
        if draw(st.integers(0, 9)) == 0:  # a visitor on the other line: crosstalk or an overlap
            start = t + draw(st.integers(-20 * US, 60 * US))
            edges += [(max(start, 0), 1 - bit, 0), (max(start, 0) + draw(st.integers(0, 60 * US)), 1 - bit, 1)]
        t += 2 * MS if tame and draw(st.integers(0, 9)) else draw(spaces)
    return sorted(edges)


wild = st.lists(
    st.tuples(st.integers(0, 200 * MS), st.integers(0, 2), st.integers(0, 2)),
    max_size=40,
)
streams = st.one_of(
    bursts(),
    st.lists(bursts(), min_size=2, max_size=3).map(
        lambda parts: [(t + n * 700 * MS, line, level) for n, part in enumerate(parts) for t, line, level in part]
    ),
    wild,
    wild.map(sorted),
    st.tuples(bursts(), wild).map(lambda both: both[0] + both[1]),
)


def native(edges: list[Edge], config: dict[str, Any]) -> tuple[list[Shown], int, int]:
    decoder = wiegand.Decoder(**config)
    frames = [frame for edge in edges if (frame := decoder.feed_edge(*edge)) is not None]
    deadline = decoder.deadline_ns
    if deadline != wiegand.NEVER:
        assert decoder.advance(deadline - 1) is None
        last = decoder.advance(deadline)
        assert last is not None
        frames.append(last)
    shown = [(f.bits, f.nbits, f.result, f.t_first_ns, f.t_last_ns, f.t_done_ns, f.glitches) for f in frames]
    return shown, deadline, decoder.ignored


def reference(edges: list[Edge], config: dict[str, Any]) -> tuple[list[Shown], int, int]:
    decoder = ReferenceDecoder(**config)
    frames = [frame for edge in edges if (frame := decoder.feed_edge(*edge)) is not None]
    deadline = decoder.deadline_ns
    last = decoder.advance(deadline)
    if last is not None:
        frames.append(last)
    shown = [(f.bits, f.nbits, f.result, f.t_first_ns, f.t_last_ns, f.t_done_ns, f.glitches) for f in frames]
    return shown, deadline, decoder.ignored


@settings(max_examples=400, deadline=None)
@given(edges=streams, config=configs)
@example(edges=[(0, 0, 0)], config={})
@example(edges=[(0, 0, 1), (5, 0, 1)], config={})
def test_decoders_agree(edges: list[Edge], config: dict[str, Any]) -> None:
    assert native(edges, config) == reference(edges, config)


@settings(max_examples=150, deadline=None)
@given(edges=streams, config=configs, cuts=st.lists(st.integers(0, 200), max_size=6))
def test_batches_do_not_matter(edges: list[Edge], config: dict[str, Any], cuts: list[int]) -> None:
    known = [edge for edge in edges if edge[1] < 2 and edge[2] < 2]
    one_by_one = wiegand.Decoder(**config)
    expected = [frame for edge in known if (frame := one_by_one.feed_edge(*edge)) is not None]
    decoder = wiegand.Decoder(**config)
    frames = []
    marks = [0, *sorted(min(cut, len(known)) for cut in cuts), len(known)]
    for start, end in itertools.pairwise(marks):
        frames += decoder.feed(wiegand.pack_edges(known[start:end]))
    assert frames == expected
    assert decoder.deadline_ns == one_by_one.deadline_ns


@settings(max_examples=100, deadline=None)
@given(
    text=st.text("01", min_size=4, max_size=128),
    pulse_us=st.integers(10, 400),
    interval_us=st.integers(600, 16_000),
    seed=st.randoms(use_true_random=False),
)
def test_jitter_of_45_percent_is_taken(text: str, pulse_us: int, interval_us: int, seed: Any) -> None:
    edges: list[Edge] = []
    t = 0
    pulse_ns = min(pulse_us * US, interval_us * 540)
    for bit in text:
        edges += [(t, int(bit), 0), (t + pulse_ns, int(bit), 1)]
        t += round(interval_us * US * seed.uniform(0.55, 1.45))
    frames, _, _ = native(edges, {})
    assert [frame[:3] for frame in frames] == [(int(text, 2), len(text), wiegand.Result.FRAME)]


@settings(max_examples=200, deadline=None)
@given(value=st.integers(0, 2**64 - 1), nbits=st.integers(26, 56))
def test_identify_agrees(value: int, nbits: int) -> None:
    frame = value & ((1 << nbits) - 1)
    assert [f.name for f in wiegand.identify(frame, nbits)] == reference_wiegand.identify(frame, nbits)


@settings(max_examples=300, deadline=None)
@given(name=st.sampled_from(list(TABLE)), data=st.data())
def test_codecs_agree(name: str, data: st.DataObject) -> None:
    row, ours = TABLE[name], wiegand.FORMATS[name]
    fields = {field: data.draw(st.integers(0, most)) for field, most in row.limit.items()}
    frame = ours.encode(**fields)
    assert frame.value == reference_wiegand.encode(row, **fields)
    any_frame = data.draw(st.integers(0, 2**row.bits - 1))
    for value in (frame.value, any_frame):
        card = ours.decode(value, row.bits)
        found, ok = reference_wiegand.decode(row, value, row.bits)
        assert {field: getattr(card, field) for field in found} == found
        assert card.ok == ok
