"""Times on the wire: the seconds part of ``xs:duration`` (XML Schema 1.0 part 2, 3.2.6), ``PT7S``, in milliseconds.

Years and months have no fixed length and are refused; days, hours, minutes and seconds are read.
"""

from __future__ import annotations

import re

from axcore.errors import InputError

MAX_MS = 7 * 86_400_000
"""Longest time that a setting takes: a week."""

_DURATION = re.compile(
    r"P(?:(?P<days>\d{1,6})D)?(?:T(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,8})M)?"
    r"(?:(?P<seconds>\d{1,10})(?:\.(?P<part>\d{1,9}))?S)?)?",
    re.ASCII,
)


def parse_duration(field: str, text: str) -> int:
    """Milliseconds (0..``MAX_MS``) of a duration: ``PT7S``, ``PT0.5S``, ``P1DT2H``. InputError names ``field``."""
    found = _DURATION.fullmatch(text)
    if found is None or text.endswith(("P", "T")):
        raise InputError(field, f"{text[:40]!r} is not a duration like PT7S")
    days, hours, minutes, seconds = (int(found[name] or 0) for name in ("days", "hours", "minutes", "seconds"))
    part = int((found["part"] or "0").ljust(3, "0")[:3])
    total = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000 + part
    if total > MAX_MS:
        raise InputError(field, "must be at most a week")
    return total


def duration(ms: int) -> str:
    """The text of a time in milliseconds: ``PT7S``, ``PT0.5S``."""
    seconds, part = divmod(ms, 1000)
    return f"PT{seconds}.{part:03}".rstrip("0") + "S" if part else f"PT{seconds}S"
