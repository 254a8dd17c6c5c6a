"""The simple form of the Call service: lines of ``name=value``, for clients without JSON.

Levels are joined by underscores, the entries of an array have their number as a level (``CallStatus_0_CallId="7"``;
the last level may be left empty: ``AudioCodecs_0_="PCMU"``). ``true``, ``false``, numbers and ``null`` are plain, texts
in quotation marks. What comes in may leave the quotation marks out: what is a number or a flag is known by its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from axcore.errors import InputError

FLAGS: Final = frozenset(("SIPEnabled", "AllowIncomingCalls", "ApplyAccessList", "KeepCurrent", "IsDefault", "Active",
                          "AutoAnswer", "SIPSEnabled", "Enabled", "RFC2833", "RFC2976"))  # fmt: skip
NUMBERS: Final = frozenset(("SIPPort", "SIPTLSPort", "RTPStartPort", "CallingTimeout", "Timeout",
                            "AudioFromDeviceToNetworkStreams", "AudioFromNetworkToDeviceStreams",
                            "VideoFromDeviceToNetworkStreams"))  # fmt: skip
LISTS: Final = frozenset(("AccessList", "AudioCodecs", "SIPProxies"))
MAX_FIELDS: Final = 400
MAX_LEVELS: Final = 6
MAX_ENTRIES: Final = 200
_NUMBER: Final = re.compile(r"-?[0-9]{1,15}", re.ASCII)
_PLAIN: Final = {"n": "\n", "r": "\r"}
_ESCAPED: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\r": "\\r", "\n": "\\n"})


def scalar(name: str, text: str) -> Any:
    """A value by the name of its field. InputError names it."""
    if name in FLAGS:
        if text not in ("true", "false", "1", "0"):
            raise InputError(name, "must be true or false")
        return text in ("true", "1")
    if name in NUMBERS:
        if not _NUMBER.fullmatch(text):
            raise InputError(name, "must be a whole number")
        return int(text)
    return text


def read(fields: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Arguments from names and values. InputError names what cannot be."""
    root: dict[str, Any] = {}
    for count, (name, value) in enumerate(fields):
        levels = name.removesuffix("_").split("_")
        if count >= MAX_FIELDS or len(levels) > MAX_LEVELS or not all(levels):
            raise InputError(name[:60], f"is no name of up to {MAX_LEVELS} levels, or one of more than {MAX_FIELDS}")
        at: dict[str, Any] = root
        for level in levels[:-1]:
            found = at.setdefault(level, {})
            if not isinstance(found, dict):
                raise InputError(name[:60], "is a value and has levels")
            at = found
        if levels[-1] in at:
            raise InputError(name[:60], "is there twice")
        named = next((level for level in reversed(levels) if not level.isdigit()), "")
        at[levels[-1]] = _value(named, value)
    return {name: _lists(name, value) for name, value in root.items()}


def _value(name: str, text: str) -> Any:
    if text == "null":
        return None
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", lambda found: _PLAIN.get(found[1], found[1]), text[1:-1])
    return scalar(name, text)


def _lists(name: str, value: Any) -> Any:
    """Levels that are numbers are entries of a list."""
    if isinstance(value, dict):
        if value and all(key.isascii() and key.isdigit() for key in value):
            entries = sorted(value.items(), key=lambda item: int(item[0]))
            if [int(key) for key, _ in entries] != list(range(min(len(entries), MAX_ENTRIES))):
                raise InputError(name[:60], "must have the entries 0, 1, 2 and so on")
            return [_lists(name, entry) for _, entry in entries]
        return {key: _lists(key, entry) for key, entry in value.items()}
    return [] if name in LISTS and value == "" else value


def write(answer: dict[str, Any]) -> str:
    """The lines of an answer."""
    return "".join(f"{name}={text}\n" for name, text in _lines("", answer))


def _lines(name: str, value: Any) -> Iterable[tuple[str, str]]:
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from _lines(f"{name}_{key}" if name else key, entry)
    elif isinstance(value, (list, tuple)):
        for number, entry in enumerate(value):
            deeper = isinstance(entry, (dict, list, tuple))
            yield from _lines(f"{name}_{number}" if deeper else f"{name}_{number}_", entry)
    elif value is None:
        yield name, "null"
    elif isinstance(value, bool):
        yield name, "true" if value else "false"
    elif isinstance(value, int | float):
        yield name, str(value)
    else:
        yield name, f'"{str(value).translate(_ESCAPED)}"'
