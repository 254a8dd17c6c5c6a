"""Simple types of XML Schema: booleans, durations and times as they stand in messages."""

from __future__ import annotations

import re
from typing import Final

from axcore.runtime.clock import NS, parse_rfc3339

from .envelope import invalid

_DURATION: Final = re.compile(
    r"P(?:(?P<d>\d{1,5})D)?(?:T(?:(?P<h>\d{1,6})H)?(?:(?P<m>\d{1,8})M)?(?:(?P<s>\d{1,9}(?:\.\d{1,9})?)S)?)?", re.ASCII
)


def boolean(text: str | None, name: str, default: bool | None = None) -> bool:
    """``true``, ``false``, ``1`` or ``0``. Raises Fault naming ``name``; without a default it has to be there."""
    if text is None and default is not None:
        return default
    if text not in ("true", "false", "1", "0"):
        raise invalid(f"{name}: must be true or false")
    return text in ("true", "1")


def seconds(text: str) -> float:
    """Seconds of an ``xs:duration`` of days or less (``PT1M30S``). Raises ValueError."""
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise ValueError("must be a duration like PT60S")
    units = {"d": 86400, "h": 3600, "m": 60}
    return sum(int(match[unit] or 0) * length for unit, length in units.items()) + float(match["s"] or 0)


def duration(value: float) -> str:
    """An ``xs:duration`` in seconds."""
    text = f"{value:.9f}".rstrip("0").rstrip(".")
    return f"PT{text}S"


def until(text: str, wall_ns: int) -> float:
    """Seconds from now that a duration or an absolute time stands for. Raises ValueError."""
    if text.startswith("P"):
        return seconds(text)
    moment = text if re.search(r"(?:Z|[+-]\d\d:\d\d)$", text) else text + "Z"
    return (parse_rfc3339(moment) - wall_ns) / NS
