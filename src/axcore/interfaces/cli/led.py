"""``axcore led``: the light patterns: list them, check them for flashes, draw what the light does."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from axcore.interfaces.cli.output import CliError, add_json, print_json, table

if TYPE_CHECKING:
    from axcore.led import Layout, Pattern

LAYOUTS = ("siren", "strip", "ring", "stripe", "icons", "call-button")
GAP = 1
"""Lines between the LEDs of a picture, when there is room."""


def configure(parser: argparse.ArgumentParser) -> None:
    """``list``, ``check NAME``, ``render NAME FILE``."""
    verbs = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    add_json(verbs.add_parser("list", help="the patterns with speeds and colors", allow_abbrev=False))
    check = verbs.add_parser("check", help="how often a pattern flashes (WCAG 2.3.1)", allow_abbrev=False)
    render = verbs.add_parser("render", help="draw a pattern: time to the right, LEDs downwards", allow_abbrev=False)
    for command in (check, render):
        command.add_argument("name", metavar="NAME", help="as in the manual: 'Blink 4x'")
        add_json(command)
    render.add_argument("file", metavar="FILE", type=Path, help="a PNG file")
    for command in (check, render):
        command.add_argument("--colors", default=None, help="red,blue or #ff8000; the pattern's default")
        command.add_argument("--speed", type=int, default=None, help="from 1; the pattern's default")
        command.add_argument("--intensity", type=int, default=5, help="1 .. 5 (default 5)")
        command.add_argument("--layout", choices=LAYOUTS, default="siren", help="where the LEDs are (default siren)")
        command.add_argument("--leds", type=int, default=60, help="of a strip or ring (default 60)")
        command.add_argument("--sections", type=int, default=12, help="of a strip or ring (default 12)")
    render.add_argument("--seconds", type=float, default=4.0, help="how long (default 4)")
    render.add_argument("--width", type=int, default=1000, help="pixels (default 1000)")
    render.add_argument("--safe", action="store_true", help="as safe mode shows it")


def layout_of(args: argparse.Namespace) -> Layout:
    """The layout that was asked for."""
    from axcore.led import Layout

    if args.layout in {"strip", "ring"}:
        if not 1 <= args.sections <= args.leds:
            raise CliError("--sections: 1 to as many as there are LEDs", "give fewer sections or more LEDs", 2)
        return (Layout.strip if args.layout == "strip" else Layout.ring)(args.leds, args.sections)
    made: Layout = getattr(Layout, args.layout.replace("-", "_"))()
    return made


def pattern_of(args: argparse.Namespace) -> Pattern:
    """The pattern that was asked for. ``InputError`` names what is wrong."""
    from axcore.led import Pattern

    colors = None if args.colors is None else [color for color in args.colors.split(",") if color]
    return Pattern(args.name, layout_of(args), colors=colors, speed=args.speed, intensity=args.intensity)


def picture(pattern: Pattern, seconds: float, width: int) -> tuple[int, int, bytearray]:
    """Width, height and pixels: a column for each instant, lines for each LED."""
    from axcore.led import SCREEN

    count = len(pattern.layout)
    thick = max(1, 400 // count)
    shown = thick - GAP if thick > 2 * GAP else thick
    height = count * thick
    columns = [pattern.frame8(int(seconds * 1e9 * x / width), x, None, SCREEN) for x in range(width)]
    pixels = bytearray(3 * width * height)
    for led in range(count):
        line = b"".join(column[3 * led : 3 * led + 3] for column in columns)
        for y in range(led * thick, led * thick + shown):
            pixels[3 * width * y : 3 * width * (y + 1)] = line
    return width, height, pixels


def _list(args: argparse.Namespace) -> int:
    from axcore.led import PATTERNS

    if args.json:
        import msgspec

        print_json([msgspec.to_builtins(info) for info in PATTERNS.values()])
        return 0
    rows = []
    for info in PATTERNS.values():
        colors = info.colors
        default = " ".join(colors.default) or "none"
        rows.append(
            [
                info.name,
                f"1-{len(info.period_ms)}",
                info.speed.default,
                f"{colors.min_colors}-{colors.max_colors}",
                default,
            ]
        )
    print(table(["pattern", "speeds", "default", "colors", "default"], rows))
    return 0


def _check(args: argparse.Namespace) -> int:
    from axcore.led import analyse, safe

    pattern = pattern_of(args)
    report = analyse(pattern)
    if args.json:
        import msgspec

        print_json({**msgspec.to_builtins(report), "safe": report.safe})
    else:
        print(f"{pattern.name}, speed {pattern.speed}: {report}")
        if not report.safe:
            better = safe(pattern)
            slower = f" and {better.stretch:.2f} times slower" if better.stretch > 1 else ""
            print(f"safe mode shows it at speed {better.speed}{slower}")
    return 0 if report.safe else 1


def _render(args: argparse.Namespace) -> int:
    from axcore.interfaces.cli.png import png
    from axcore.led import safe

    if not (0 < args.seconds <= 3600 and 1 <= args.width <= 10_000):
        raise CliError("--seconds is 0 .. 3600, --width 1 .. 10000", "a period of most patterns is 1 to 4 seconds", 2)
    pattern = pattern_of(args)
    if args.safe:
        pattern = safe(pattern)
    width, height, pixels = picture(pattern, args.seconds, args.width)
    try:
        args.file.write_bytes(png(width, height, pixels))
    except OSError as error:
        raise CliError(f"{args.file}: {error.strerror}", "name a file in a folder that exists") from error
    facts: dict[str, Any] = {"file": str(args.file), "width": width, "height": height, "speed": pattern.speed}
    print_json(facts) if args.json else print(f"{args.file}: {width} x {height} pixels, {args.seconds:g} s")
    return 0


def run(args: argparse.Namespace) -> int:
    """One of the actions."""
    return {"list": _list, "check": _check, "render": _render}[args.action](args)
