"""``axcore sim picture`` and ``axcore sim sound``: what the light of a simulated siren did, and what its loudspeaker or
that of a door station gave out.

A picture has time to the right and a line for each LED; a recording has silence where nothing sounded.
"""

from __future__ import annotations

import argparse
import wave
from array import array
from pathlib import Path
from typing import Any

from axcore.drivers.capture import LIGHT_RING, SOUND_RING, Capture
from axcore.errors import FormatError
from axcore.interfaces.cli.output import CliError

WIDTH, LINE = 1000, 3
"""Pixels: of a picture, and of an LED."""
SECONDS = 10.0
SCREEN_GAMMA = 1 / 2.2


def picture_arguments(parser: argparse.ArgumentParser) -> None:
    """``FILE``, ``--seconds``, ``--width``."""
    parser.add_argument("file", type=Path, metavar="OUT.PNG", help="time to the right, LEDs downwards")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"the last seconds (default {SECONDS:g})")
    parser.add_argument("--width", type=int, default=WIDTH, help=f"pixels (default {WIDTH})")


def sound_arguments(parser: argparse.ArgumentParser) -> None:
    """``FILE``, ``--seconds``."""
    parser.add_argument("file", type=Path, metavar="OUT.WAV", help="16 bits, one channel")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"the last seconds (default {SECONDS:g})")


def write_picture(args: argparse.Namespace, data_dir: Path, now_ns: int) -> dict[str, Any]:
    """Write the picture of the last seconds before ``now_ns`` (monotonic); tells what was written."""
    from axcore.interfaces.cli.png import png

    if not (0 < args.seconds <= 3600 and 1 <= args.width <= 10_000):
        raise CliError("--seconds is 0 .. 3600, --width 1 .. 10000", "the last 80 s are kept", 2)
    with _open(data_dir / LIGHT_RING) as capture:
        first_ns = now_ns - round(args.seconds * 1e9)
        frames = [(record.t_ns, record.data) for record in capture.since()]
        height, pixels = strip(frames, capture.detail, first_ns, now_ns, args.width)
    _write(args.file, png(args.width, height, pixels))
    shown = sum(first_ns <= t_ns <= now_ns for t_ns, _ in frames)
    return {"file": str(args.file), "seconds": args.seconds, "frames": shown}


def strip(frames: list[tuple[int, bytes]], leds: int, first_ns: int, last_ns: int, width: int) -> tuple[int, bytearray]:
    """Height and pixels: the column of a time shows the frame that was on then; black before the first one."""
    shades = bytes(round(255 * (code / 255) ** SCREEN_GAMMA) for code in range(256))
    height = leds * LINE
    columns: list[bytes] = []
    at, dark = -1, bytes(3 * leds)
    for x in range(width):
        t_ns = first_ns + (last_ns - first_ns) * (x + 1) // width
        while at + 1 < len(frames) and frames[at + 1][0] <= t_ns:
            at += 1
        columns.append(dark if at < 0 else frames[at][1].translate(shades))
    pixels = bytearray()
    for led in range(leds):
        pixels += b"".join(column[3 * led : 3 * led + 3] for column in columns) * LINE
    return height, pixels


def write_sound(args: argparse.Namespace, data_dir: Path, now_ns: int) -> dict[str, Any]:
    """Write what was heard in the last seconds before ``now_ns`` (monotonic); tells what was written."""
    if not 0 < args.seconds <= 3600:
        raise CliError("--seconds is 0 .. 3600", "the last 40 s of sound are kept", 2)
    with _open(data_dir / SOUND_RING) as capture:
        rate = round(capture.rate)
        first_ns = now_ns - round(args.seconds * 1e9)
        blocks = [(record.t_ns, array("h", record.data)) for record in capture.since()]
    samples, heard = recording(blocks, rate, first_ns, round(args.seconds * rate))
    try:
        with args.file.open("wb") as raw, wave.open(raw, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(memoryview(samples))
    except OSError as error:
        raise _no_place(args.file, error) from error
    return {"file": str(args.file), "seconds": args.seconds, "rate": rate, "sounding": round(heard / rate, 3)}


def recording(blocks: list[tuple[int, array[int]]], rate: int, first_ns: int, count: int) -> tuple[array[int], int]:
    """``count`` samples from ``first_ns`` on, silent between blocks; and how many of them blocks gave.

    A block that follows another without a gap stands right behind it: times are ns, and samples are not.
    """
    out = array("h", bytes(2 * count))
    heard, expected_ns, expected = 0, -1, 0
    for t_ns, samples in blocks:
        at = expected if abs(t_ns - expected_ns) < 1_000_000 else round((t_ns - first_ns) * rate / 1e9)
        expected_ns, expected = t_ns + len(samples) * 1_000_000_000 // rate, at + len(samples)
        low, high = max(0, at), min(count, at + len(samples))
        if low < high:
            out[low:high] = samples[low - at : high - at]
            heard += high - low
    return out, heard


def _open(path: Path) -> Capture:
    try:
        return Capture(path)
    except (OSError, FormatError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CliError(
            f"{path}: {reason}",
            "is the device running, and does it sound, or has it?  axcore run d4100-ve-mk2 --simulate",
        ) from error


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise _no_place(path, error) from error


def _no_place(path: Path, error: OSError) -> CliError:
    return CliError(f"{path}: {error.strerror}", "name a file in a folder that exists")
