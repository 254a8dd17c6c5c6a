"""Native and plain light patterns agree on any layout, choice, time; variants to the bit; the dither keeps its mean."""

from array import array
from collections.abc import Sequence

from hypothesis import example, given
from hypothesis import strategies as st

from axcore._native.led import LEVELS, Profile, flashes_of
from axcore.led import PATTERNS, SYSTEM_PATTERNS, Curve, Layout, Pattern, Place, analyse, pattern_info, safe
from axcore.led.colors import Linear
from axcore.led.safety import LIMIT, WINDOW_NS
from axcore.testing.reference_flashes import count_flashes
from axcore.testing.reference_led import Led, ReferencePattern

NAMES = [*PATTERNS, *SYSTEM_PATTERNS]
FULL = 65535

values = st.one_of(st.sampled_from([0, 1, FULL - 1, FULL]), st.integers(0, FULL))
lights = st.tuples(values, values, values)
times = st.one_of(st.integers(0, 10**10), st.integers(0, 2**64 - 1), st.integers(0, 40).map(lambda n: n * 250_000_000))


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    count = draw(st.one_of(st.integers(1, 40), st.sampled_from([64, 144, 257])))
    sections = draw(st.integers(1, min(count, 64)))
    if draw(st.booleans()):
        return draw(st.sampled_from([Layout.strip, Layout.ring]))(count, sections)
    unit = st.floats(0, 1, width=32)
    spots = draw(st.lists(st.tuples(unit, unit, unit), min_size=count, max_size=count))
    return Layout("any", (Place(*spot, i * sections // count) for i, spot in enumerate(spots)))


@st.composite
def patterns(draw: st.DrawFn, names: Sequence[str] = NAMES) -> Pattern:
    info = pattern_info(draw(st.sampled_from(names)))
    colors = draw(st.lists(lights, min_size=info.colors.min_colors, max_size=info.colors.max_colors))
    return Pattern(
        info.name,
        draw(layouts()),
        colors=colors,
        speed=draw(st.sampled_from(info.speed.possible)),
        level=draw(values),
        stretch=draw(st.sampled_from([1.0, 1.5, 3.0, 255.9])),
        epoch_ns=draw(st.one_of(st.just(0), st.integers(0, 2**63))),
    )


def plain(pattern: Pattern) -> ReferencePattern:
    leds = [Led(place.turn % 1.0, place.x, place.y, place.section) for place in pattern.layout.places]
    colors = [color for color in pattern.colors if not isinstance(color, str)]
    stretch = round(pattern.stretch * 65536)
    return ReferencePattern(
        pattern.name, leds, colors, speed=pattern.speed, level=pattern.level, stretch=stretch, epoch_ns=pattern.epoch_ns
    )


@given(patterns(), times)
@example(
    Pattern("Spin white + steady color", Layout.ring(257), colors=[(FULL, 0, 0)], speed=4, level=FULL), 999_999_999
)
@example(Pattern("Direction D + steady color", Layout.ring(5), colors=[], speed=4, level=FULL), 499_999_999)
def test_the_kernel_is_the_reference_within_one_step(pattern: Pattern, t_ns: int) -> None:
    seen = pattern.frame(t_ns)
    expected = [channel for light in plain(pattern).frame(t_ns) for channel in light]
    assert len(seen) == len(expected)
    assert max(abs(a - b) for a, b in zip(seen, expected, strict=True)) <= 1.0


@given(patterns(), times)
def test_every_variant_gives_the_same_bits(pattern: Pattern, t_ns: int) -> None:
    lights_, count = pattern.layout.lights(), len(pattern.layout)
    curve = Curve(2.2)
    found = set()
    for level in range(len(LEVELS)):
        lights_.level = level
        light, codes = array("H", bytes(6 * count)), bytearray(3 * count)
        lights_.frame(pattern.profile, t_ns, light)
        lights_.frame8(pattern.profile, curve, t_ns, t_ns & 0xFFFF, codes)
        found.add((light.tobytes(), bytes(codes)))
    assert len(found) == 1


@given(patterns(), st.integers(0, 2**40), st.integers(1, 1000))
def test_a_period_later_all_is_the_same(pattern: Pattern, t_ns: int, times_: int) -> None:
    later = pattern.epoch_ns + t_ns + times_ * pattern.period_ns
    assert pattern.frame(pattern.epoch_ns + t_ns) == pattern.frame(later)


@given(st.lists(values, min_size=1, max_size=50), st.floats(0.25, 4.0), st.integers(0, 2**32 - 257))
def test_the_mean_of_256_frames_has_16_bits(light: list[int], gamma: float, first: int) -> None:
    lights_, curve = Layout.lamp().lights(), Curve(gamma)
    knots = curve.knots
    codes, sums = bytearray(len(light)), [0] * len(light)
    source = array("H", light)
    for frame in range(first, first + 256):
        lights_.encode(curve, source, frame, codes)
        sums = [total + code for total, code in zip(sums, codes, strict=True)]
    for value, total in zip(light, sums, strict=True):
        piece, part = divmod(value, 256)
        assert total == min(65280, (knots[piece] * (256 - part) + knots[piece + 1] * part) >> 7)


@given(patterns(list(PATTERNS)))
def test_safe_mode_never_shows_more_than_three_flashes_in_a_second(pattern: Pattern) -> None:
    shown = safe(pattern.changed(stretch=1.0, epoch_ns=0, layout=Layout.siren(), level=FULL))
    report = analyse(shown)
    assert report.safe
    assert max(report.general, report.red) <= LIMIT
    assert shown.speed <= pattern.speed
    assert _switches(shown) <= 2 * LIMIT + 1


steps = st.lists(st.tuples(st.integers(1, 40), lights, lights), min_size=1, max_size=40)


@given(steps)
def test_flashes_are_counted_as_plain_python_counts_them(shown: list[tuple[int, Linear, Linear]]) -> None:
    samples = [(a, b) for times_, a, b in shown for _ in range(times_)]
    times_ = [20_000_000 * i for i in range(len(samples))]
    frames = [(t, array("H", [*a, *b])) for t, (a, b) in zip(times_, samples, strict=True)]
    general, red, worst_ns, _ = flashes_of(frames, 2)
    assert (general, red) == count_flashes(times_, [[a for a, _ in samples], [b for _, b in samples]])
    assert worst_ns <= times_[-1]


def _switches(pattern: Pattern) -> int:
    """Most jumps between dark and bright of one LED in any second, counted in another way: by thresholds."""
    times_ = range(0, pattern.period_ns + WINDOW_NS, 10_000_000)
    light = [sum(pattern.frame(t)[:3]) for t in times_]
    half = max(light) / 2
    jumps = [i for i in range(1, len(light)) if (light[i] > half) != (light[i - 1] > half)]
    return max((sum(1 for j in jumps if i <= j < i + 100) for i in jumps), default=0)


def test_profiles_of_the_kernel_refuse_what_rows_do_not_have() -> None:
    for row, info in enumerate([*PATTERNS.values(), *SYSTEM_PATTERNS.values()]):
        assert info.row == row
        assert Profile(row, info.speed.default, [(0, 0, 0)] * info.colors.min_colors).period_ns(3) >= 0
