"""The flash analyser against signals that are counted by hand, and safe mode."""

import itertools
from array import array

import pytest

from axcore._native.led import flashes_of
from axcore.led import PATTERNS, Pattern, Report, analyse, safe
from axcore.led import safety as module

MS = 1_000_000


def found(*steps: tuple[int, tuple[int, int, int]]) -> Report:
    """One LED that shows given colors for given times (ms), again and again."""
    period = sum(ms for ms, _ in steps)
    shown = [light for ms, light in steps for _ in range(ms)]
    frames = [(t * MS, array("H", shown[t % period])) for t in range(0, 2 * period + 2000, 2)]
    begin = (frames[-1][0] + 1) - period * MS
    general, red, worst_ns, changes = flashes_of(frames, 1, max(0, begin))
    return Report(general=general, red=red, worst_ns=worst_ns, rate=changes / 2 / (period / 1000))


BLACK, WHITE, RED, GREY, PALE = (0, 0, 0), (65535,) * 3, (65535, 0, 0), (60000,) * 3, (53000,) * 3
PINK = (65535, 20000, 20000)


@pytest.mark.parametrize(
    ("on_ms", "off_ms", "flashes"),
    [(500, 500, 1), (250, 250, 2), (170, 170, 3), (168, 168, 3), (100, 150, 4), (50, 50, 10), (10, 10, 32)],
)
def test_flashes_of_black_and_white(on_ms: int, off_ms: int, flashes: int) -> None:
    report = found((on_ms, WHITE), (off_ms, BLACK))
    assert report.general == flashes
    assert report.rate == pytest.approx(1000 / (on_ms + off_ms))
    assert report.red == 0
    assert report.general_exceeded is (flashes > 3)
    assert report.safe is (flashes <= 3)


def test_a_change_of_less_than_ten_percent_is_no_flash() -> None:
    assert found((50, WHITE), (50, GREY)).general == 0


def test_no_flash_while_the_darker_state_is_bright() -> None:
    assert found((50, WHITE), (50, PALE)).general == 0  # 0.81 of white
    assert found((50, WHITE), (50, (52000,) * 3)).general == 10  # 0.79


def test_slow_fades_are_counted_once_each_way() -> None:
    ramp = [(20, (v, v, v)) for v in [*range(0, 65536, 3000), *range(65000, 0, -3000)]]
    assert found(*ramp).general in {0, 1}


def test_red_flashes_are_counted_apart() -> None:
    report = found((100, RED), (100, (20000, 0, 0)))
    assert report.red == 5
    assert report.red_exceeded
    even = (30000, 15000, 15000)  # As bright as the red, and not saturated: no general flash.
    bright = 0.2126 * 65535
    grey = round(bright)
    assert found((100, RED), (100, (grey,) * 3)).general == 0
    assert found((100, RED), (100, (grey,) * 3)).red == 5
    assert found((100, PINK), (100, even)).red == 0  # Neither is a saturated red.


def test_black_and_steady_do_not_flash() -> None:
    assert analyse(Pattern("Off")) == Report(general=0, red=0, worst_ns=None, rate=0.0)
    assert str(analyse(Pattern("Steady"))) == "no flashes"


def test_the_worst_second_and_the_rate() -> None:
    burst = [(100, WHITE), (100, BLACK)] * 4
    report = found((3000, BLACK), *burst)
    assert report.general == 4
    assert report.worst_ns == 3000 * MS
    assert report.rate == pytest.approx(4 / 3.8)
    assert "worst second begins at 3.00 s; more than 3" in str(report)


def test_a_dim_flash_is_a_flash() -> None:
    dim = analyse(Pattern("Flash 1x", speed=4, intensity=1, colors=["blue"]))
    assert dim.general == 4


def test_every_default_is_safe_and_the_fastest_may_not_be() -> None:
    for info in PATTERNS.values():
        assert analyse(Pattern(info.name)).safe, info.name
    assert not analyse(Pattern("Blink 4x", speed=3)).safe
    assert not analyse(Pattern("Flash 1x", speed=4)).safe


@pytest.mark.parametrize("name", PATTERNS)
def test_safe_mode_takes_the_fastest_speed_that_is_safe(name: str) -> None:
    for speed in PATTERNS[name].speed.possible:
        shown = safe(Pattern(name, speed=speed))
        assert analyse(shown).safe
        assert shown.stretch == 1.0
        for faster in range(shown.speed + 1, speed + 1):
            assert not analyse(Pattern(name, speed=faster)).safe


def test_safe_mode_is_slower_than_the_slowest_speed_if_it_must(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = itertools.count()
    good = Report(general=0, red=0, worst_ns=None, rate=0.0)
    monkeypatch.setattr(
        module, "analyse", lambda p: good if next(asked) > 10 else Report(general=9, red=0, worst_ns=0, rate=9)
    )
    shown = safe(Pattern("Pulse", speed=2))
    assert shown.speed == 1
    assert 2.0 < shown.stretch < 3.0
    monkeypatch.setattr(module, "analyse", lambda _: Report(general=9, red=0, worst_ns=0, rate=9.0))
    assert safe(Pattern("Pulse")).level == 0  # Dark before unsafe.
