"""The text of a schedule: ``DTSTART``, ``DTEND``, ``RRULE``, ``EXDATE`` (RFC 5545, 3.3.5, 3.3.10, 3.8), local times."""

from __future__ import annotations

import re
from datetime import datetime
from typing import NamedTuple

from axcore.errors import InputError

STEPS = {"HOURLY": 3600, "MINUTELY": 60, "SECONDLY": 1}
"""Seconds of the frequencies that are exact."""
FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", *STEPS)
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MAX_LENGTH = 4096
MAX_INTERVAL = 100_000

_BY_DAY = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)")
_STAMP = re.compile(r"\d{8}(T\d{6})?", re.ASCII)
_FRAME = re.compile(r"(?:BEGIN|END):V(?:CALENDAR|EVENT)")


class Recurrence(NamedTuple):
    """An ``RRULE``."""

    frequency: str
    interval: int = 1
    months: tuple[int, ...] = ()
    days: tuple[tuple[int, int], ...] = ()
    """(ordinal, weekday): ordinal 0 = every one, -1 = the last of the month; Monday is 0."""


def parse(text: str) -> tuple[datetime, datetime | None, Recurrence | None, tuple[datetime, ...]]:
    """Start, end (None = a pulse), recurrence (None = once), excluded starts. InputError names the property."""
    if len(text) > MAX_LENGTH:
        raise InputError("schedule", f"more than {MAX_LENGTH} characters")
    found: dict[str, str] = {}
    for part in text.split():
        if _FRAME.fullmatch(part):
            continue
        name, colon, value = part.partition(":")
        if not colon or name not in {"DTSTART", "DTEND", "RRULE", "EXDATE"}:
            raise InputError("schedule", f"{part[:40]!r} is not DTSTART:, DTEND:, RRULE: or EXDATE:")
        if name in found and name != "EXDATE":
            raise InputError(name, "stands twice")
        found[name] = f"{found[name]},{value}" if name in found else value
    if "DTSTART" not in found:
        raise InputError("DTSTART", "is missing")
    start = _stamp("DTSTART", found["DTSTART"])
    end = _stamp("DTEND", found["DTEND"]) if "DTEND" in found else None
    if end is not None and end <= start:
        raise InputError("DTEND", "must be after DTSTART")
    excluded = tuple([_stamp("EXDATE", value) for value in found["EXDATE"].split(",")]) if "EXDATE" in found else ()
    return start, end, _recurrence(found["RRULE"]) if "RRULE" in found else None, excluded


def _stamp(field: str, text: str) -> datetime:
    if not _STAMP.fullmatch(text):
        raise InputError(field, f"{text[:40]!r} is not a local time like 20260131T235959")
    try:
        moment = datetime.strptime(text, "%Y%m%dT%H%M%S" if "T" in text else "%Y%m%d")
    except ValueError as error:
        raise InputError(field, f"{text!r}: {error}") from None
    if not 1970 <= moment.year <= 2199:
        raise InputError(field, "the year must be 1970..2199")
    return moment


def _recurrence(text: str) -> Recurrence:
    parts: dict[str, str] = {}
    for part in text.rstrip(";").split(";"):
        name, equals, value = part.partition("=")
        if not equals or name not in {"FREQ", "INTERVAL", "BYMONTH", "BYDAY", "WKST"} or name in parts:
            raise InputError("RRULE", f"{part[:40]!r} is not understood here")
        parts[name] = value
    frequency = parts.get("FREQ", "")
    if frequency not in FREQUENCIES:
        raise InputError("RRULE", f"FREQ must be one of {', '.join(FREQUENCIES)}")
    if parts.get("WKST", "MO") != "MO":
        raise InputError("RRULE", "weeks begin on Monday (WKST)")
    interval = _number("INTERVAL", parts.get("INTERVAL", "1"), MAX_INTERVAL)
    months = (
        tuple(sorted({_number("BYMONTH", part, 12) for part in parts["BYMONTH"].split(",")}))
        if "BYMONTH" in parts
        else ()
    )
    days = _days(parts["BYDAY"], frequency) if "BYDAY" in parts else ()
    if months and frequency not in {"YEARLY", "MONTHLY"}:
        raise InputError("RRULE", "BYMONTH goes with YEARLY and MONTHLY")
    return Recurrence(frequency, interval, months, days)


def _number(name: str, text: str, most: int) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= most:
        raise InputError("RRULE", f"{name} must be 1..{most}, not {text[:20]!r}")
    return int(text)


def _days(text: str, frequency: str) -> tuple[tuple[int, int], ...]:
    if frequency not in {"YEARLY", "MONTHLY", "WEEKLY"}:
        raise InputError("RRULE", "BYDAY goes with YEARLY, MONTHLY and WEEKLY")
    found: list[tuple[int, int]] = []
    for part in text.split(","):
        match = _BY_DAY.fullmatch(part)
        if match is None or (match[1] and frequency == "WEEKLY"):
            raise InputError("RRULE", f"BYDAY: {part[:20]!r} is not a day here")
        found.append((int(match[1] or 0), WEEKDAYS.index(match[2])))
    return tuple(found)
