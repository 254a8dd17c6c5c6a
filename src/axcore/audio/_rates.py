"""Rates that the kernels know, and what to say about others."""

from __future__ import annotations

from axcore.errors import InputError

RATES = (8000, 16000, 32000, 44100, 48000)


def check_rate(rate: int, rates: tuple[int, ...] = RATES, field: str = "rate") -> int:
    """The rate, or InputError."""
    if rate not in rates:
        raise InputError(field, f"{rate} Hz is not possible; take one of {', '.join(map(str, rates))}")
    return rate


def check_range(field: str, value: float, least: float, most: float) -> float:
    """The number, or InputError; NaN is in no range."""
    if not least <= value <= most:
        raise InputError(field, f"must be {least:g} to {most:g}, not {value!r}")
    return value
