"""Reference workloads of the native kernels for ``axcore profile KERNEL``.

``python -m axcore.interfaces.cli.kernels NAME`` prepares one and runs one round: that is what callgrind counts.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

Step = Callable[[], int]
"""Runs one round; gives how many units it did."""

FRAMES = 1000
CARDS = 1000


@dataclass(frozen=True)
class Kernel:
    """A workload."""

    text: str
    unit: str
    prepare: Callable[[], Step]
    symbols: tuple[str, ...]
    """C functions whose time is counted (with all they call)."""


def wiegand_decode() -> Step:
    """Edges of 26-bit cards, in one batch, without making objects."""
    from axcore import wiegand

    card = wiegand.FORMATS["H10301"].encode(facility=123, card=4567)
    one = [(t, line, level) for t, line, level in wiegand.EDGE.iter_unpack(bytes(wiegand.schedule(card)))]
    span = one[-1][0] + 50_000_000
    edges = wiegand.pack_edges([(t + n * span, line, level) for n in range(FRAMES) for t, line, level in one])
    out = bytearray(wiegand.FRAME.size * (FRAMES + 1))

    def step() -> int:
        decoder = wiegand.Decoder()
        frames, taken = decoder.feed_into(edges, out)
        if frames != FRAMES - 1 or taken != len(one) * FRAMES:
            raise RuntimeError(f"decoded {frames} frames of {taken} edges")
        return taken

    return step


def wiegand_encode() -> Step:
    """Facility and card number to 26 bits."""
    from axcore import wiegand

    encode = wiegand.FORMATS["H10301"].encode

    def step() -> int:
        for number in range(CARDS):
            encode(123, number)
        return CARDS

    return step


def wiegand_format_decode() -> Step:
    """26 bits to facility and card number, with the parity check."""
    from axcore import wiegand

    form = wiegand.FORMATS["H10301"]
    frames = [form.encode(123, number) for number in range(CARDS)]

    def step() -> int:
        for frame in frames:
            form.decode(frame)
        return CARDS

    return step


def wiegand_identify() -> Step:
    """26 bits to every format whose parity holds."""
    from axcore import wiegand

    frames = [wiegand.FORMATS["H10301"].encode(123, number) for number in range(CARDS)]

    def step() -> int:
        for frame in frames:
            wiegand.identify(frame)
        return CARDS

    return step


def led_frame() -> Step:
    """White with a tail turning on 1024 LEDs, to 8-bit codes."""
    from axcore.led import Layout, Pattern

    pattern = Pattern("Rotate tail white + steady color", Layout.strip(1024), colors=["red"])
    out = bytearray(3 * 1024)

    def step() -> int:
        for number in range(FRAMES):
            pattern.frame8(number * 10_000_000, number, out)
        return FRAMES

    return step


KERNELS = {
    "led-frame": Kernel("a pattern on 1024 LEDs to codes", "frames", led_frame, ("ax_led_frame8",)),
    "wiegand-decode": Kernel("edges to frames", "edges", wiegand_decode, ("ax_wiegand_feed",)),
    "wiegand-encode": Kernel("card to bits", "cards", wiegand_encode, ("ax_wiegand_format_encode",)),
    "wiegand-format-decode": Kernel("bits to card", "cards", wiegand_format_decode, ("ax_wiegand_format_decode",)),
    "wiegand-identify": Kernel("bits to formats", "frames", wiegand_identify, ("ax_wiegand_identify",)),
}

if __name__ == "__main__":
    KERNELS[sys.argv[1]].prepare()()
