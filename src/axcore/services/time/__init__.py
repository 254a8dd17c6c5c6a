"""Wall time and time zones (manual: System > Date and time). Pure functions: the time is an argument.

Zones are IANA names; the POSIX form (IEEE Std 1003.1, TZ) is the last line of their TZif file (RFC 8536).
``zoneinfo`` is imported only when a zone other than UTC is used.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Final

from axcore.errors import InputError

MAX_YEAR: Final = 2037
"""Last year promised; arithmetic beyond it works, but peers with 32-bit time do not."""
_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,32}(?:/[A-Za-z0-9_+-]{1,32}){0,2}", re.ASCII)


@lru_cache(maxsize=8)
def _zone(name: str) -> tzinfo | None:
    if name == "UTC":
        return UTC
    if not _ZONE.fullmatch(name):
        return None
    import zoneinfo

    try:
        return zoneinfo.ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return None


def check_zone(name: str) -> str:
    """``name`` if this system knows that IANA time zone. Raises InputError."""
    if _zone(name) is None:
        raise InputError("timeZone", "not an IANA time zone that this device knows")
    return name


def zone(name: str) -> tzinfo:
    """The IANA zone; UTC if it is not known (any more)."""
    return _zone(name) or UTC


def utc(wall_ns: int) -> datetime:
    """Wall time (ns since 1970) as UTC, cut to microseconds."""
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=wall_ns // 1000)


def local(wall_ns: int, name: str) -> datetime:
    """Wall time in a zone; UTC if the zone is not known any more."""
    return utc(wall_ns).astimezone(zone(name))


@lru_cache(maxsize=8)
def posix_zone(name: str) -> str | None:
    """The POSIX TZ form of an IANA zone (``CET-1CEST,M3.5.0,M10.5.0/3``), None if it is not known."""
    if name == "UTC":
        return "UTC0"
    if _zone(name) is None:
        return None
    import zoneinfo

    for folder in zoneinfo.TZPATH:
        try:
            data = (Path(folder) / name).read_bytes()
        except OSError:
            continue
        last = data.rstrip(b"\n").rpartition(b"\n")[2]
        return last.decode("ascii", "replace") if data[:4] == b"TZif" and last else None
    return None


def has_dst(wall_ns: int, name: str) -> bool:
    """Whether daylight saving time is in force then and there."""
    return bool(local(wall_ns, name).dst())


def known_zones() -> list[str]:
    """Names of all time zones that this device knows, sorted; UTC is always there."""
    import zoneinfo

    return sorted(zoneinfo.available_timezones() | {"UTC"})
