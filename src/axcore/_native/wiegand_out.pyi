"""Wiegand output: edge plans, keys and PINs as frames. The friendly face is ``axcore.wiegand``. Units: ns."""

from axcore._native.wiegand_format import Bits

KEYPRESS_FORMATS: tuple[str, ...]
"""The manual's seven keypress formats; a format's index is ``mode`` below."""
MAX_PIN: int

def schedule(value: int, nbits: int, start_ns: int, pulse_ns: int, interval_ns: int, gap_ns: int) -> tuple[bytes, int]:
    """Edge records of a frame and the time at which the next frame may start. ``RangeError`` for a bad timing."""

def pin_frames(mode: int, pin: str, facility: int = 0) -> list[Bits]:
    """A PIN as frames. ``RangeError`` when a key cannot be sent or the number or facility code does not fit."""

def key_of(value: int, nbits: int) -> str | None:
    """The key of a 4 or 8 bit frame; None when it is no key."""
