"""Wall time as text (RFC 3339) and as nanoseconds since 1970."""

from __future__ import annotations

import functools
from datetime import UTC, date, datetime, timedelta

NS = 1_000_000_000
"""Nanoseconds in a second."""

_DAY_US = 86_400_000_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_NS = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp()) * NS


def rfc3339(wall_ns: int) -> str:
    """``2026-01-31T12:00:00.000000Z``; times outside the years 1970..9999 are clamped."""
    day, us = divmod(min(max(wall_ns, 0), _LAST_NS) // 1000, _DAY_US)
    minutes, us = divmod(us, 60_000_000)
    return f"{_date(day)}T{minutes // 60:02}:{minutes % 60:02}:{us // 1_000_000:02}.{us % 1_000_000:06}Z"


@functools.lru_cache(maxsize=4)
def _date(day: int) -> str:
    return date.fromordinal(_EPOCH_DAY + day).isoformat()


def parse_rfc3339(text: str) -> int:
    """Wall time in nanoseconds of an RFC 3339 date-time with a time zone.

    Raises ValueError (also for a date alone or a missing zone).
    """
    if len(text) < 20 or text[10] not in "Tt ":
        raise ValueError("must be a date and time like 2026-01-31T12:00:00Z")
    moment = datetime.fromisoformat(text.upper())
    if moment.tzinfo is None:
        raise ValueError("must end with Z or an offset like +01:00")
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000
