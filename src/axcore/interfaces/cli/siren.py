"""``axcore siren``: list the sounds, render one to a WAV file and a spectrogram."""

from __future__ import annotations

import argparse
import wave
from array import array
from pathlib import Path
from typing import TYPE_CHECKING

from axcore.interfaces.cli.output import CliError, add_json, print_json, table

if TYPE_CHECKING:
    from axcore.siren import Tone

BLOCK = 1 << 16
WAV_MAX = (1 << 32) - 64
"""Bytes of samples: the format counts in 32 bits."""
DEFAULT_S = 10.0
PICTURE_S = 60
"""A picture shows the first minute."""


def configure(parser: argparse.ArgumentParser) -> None:
    """list, render."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    add_json(actions.add_parser("list", help="list the sounds", description="List the sounds.", allow_abbrev=False))
    text = "write a sound to a WAV file"
    render = actions.add_parser("render", help=text, description=text.capitalize() + ".", allow_abbrev=False)
    render.add_argument("name", help="as `axcore siren list` shows it")
    render.add_argument("out", type=Path, metavar="OUT.WAV", help="16 bits, one channel")
    length = render.add_mutually_exclusive_group()
    length.add_argument("--seconds", type=float, help=f"default: {DEFAULT_S:g}")
    length.add_argument("--repetitions", type=int, help="of the whole pattern, instead of seconds")
    render.add_argument("--rate", type=int, default=48000, help="8000, 16000, 32000, 44100 or 48000 (default)")
    render.add_argument("--intensity", type=int, choices=range(1, 6), default=5, help="1 to 5, 6 dB each; default: 5")
    render.add_argument("--dither", action="store_true", help="add triangular dither")
    render.add_argument("--picture", type=Path, metavar="OUT.PNG", help="a spectrogram of the first minute")
    add_json(render)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    return _list(args) if args.action == "list" else _render(args)


def _list(args: argparse.Namespace) -> int:
    from axcore.siren import SOUNDS, STANDARD_SIGNALS

    sounds = [*SOUNDS.values(), *STANDARD_SIGNALS.values()]
    if args.json:
        keys = ("name", "text", "seconds", "source", "timing_verified")
        print_json([{key: getattr(sound, key) for key in keys} for sound in sounds])
        return 0
    verified = {None: "", True: "yes", False: "no"}
    rows = [[s.name, f"{s.seconds:.2f} s", s.text, verified[s.timing_verified]] for s in sounds]
    print(table(["name", "cycle", "sound", "verified"], rows))
    return 0


def _render(args: argparse.Namespace) -> int:
    from axcore.siren import Tone

    seconds = DEFAULT_S if args.seconds is None and args.repetitions is None else args.seconds
    tone = Tone(
        args.name,
        rate=args.rate,
        intensity=args.intensity,
        seconds=seconds,
        repetitions=args.repetitions,
        dither=args.dither,
    )
    count = tone.end or 0
    if 2 * count > WAV_MAX:
        longest = WAV_MAX // 2 // args.rate
        raise CliError("a WAV file cannot be that long", f"render {longest} s or less, or at a lower --rate", 2)
    try:
        _write_wav(args.out, tone, count)
        if args.picture:
            _write_picture(args.picture, tone, min(count, PICTURE_S * args.rate))
    except OSError as error:
        raise CliError(f"{error.filename}: {error.strerror}", "choose a place that can be written to") from error
    files = [str(args.out)] + ([str(args.picture)] if args.picture else [])
    told = {"sound": tone.sound.name, "seconds": count / args.rate, "rate": args.rate, "files": files}
    if args.json:
        print_json(told)
    else:
        print(f"{tone.sound.name}: {count / args.rate:g} s at {args.rate} Hz in {' and '.join(files)}")
    return 0


def _write_wav(path: Path, tone: Tone, count: int) -> None:
    with path.open("wb") as raw, wave.open(raw, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(tone.rate)
        for pos in range(0, count, BLOCK):
            block = array("h", bytes(2 * min(BLOCK, count - pos)))
            tone.render(pos, block)
            file.writeframesraw(memoryview(block))


def _write_picture(path: Path, tone: Tone, count: int) -> None:
    from axcore.interfaces.cli.png import png
    from axcore.interfaces.cli.spectrogram import HEIGHT, WIDTH, spectrogram

    samples = array("h", bytes(2 * count))
    tone.render(0, samples)
    path.write_bytes(png(WIDTH, HEIGHT, spectrogram(samples, tone.rate)))
