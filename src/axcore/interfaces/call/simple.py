"""The simple form of the Call service: lines of ``name=value``, for clients without JSON.

Levels are joined by underscores, the entries of an array have their number as a level (``CallStatus_0_CallId="7"``;
the last level may be left empty: ``AccessList_0_="1001"``). ``true``, ``false``, numbers and ``null`` are plain, texts
in quotation marks and URL-encoded (``"Does+not+register"``). What comes in is decoded with the request, as every query
is, and may leave the quotation marks out: what is a number or a flag is known by its name. So the lines of an answer,
joined by ``&``, are arguments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote_plus

from axcore.errors import InputError

FLAGS: Final = frozenset(("SIPEnabled", "STUNEnabled", "TURNEnabled", "ICEEnabled", "AllowIncomingCalls",
                          "ApplyUserAuthentication", "ApplyAllowedURIs", "ApplyAccessList", "KeepCurrent", "Enabled",
                          "IsDefault", "AutoAnswerEnabled", "SIPSEnabled", "PrioritizeIPv6", "AllowMWI",
                          "VerifyServerCertificate", "RFC2833", "RFC2976"))  # fmt: skip
NUMBERS: Final = frozenset(("SIPPort", "SIPTLSPort", "RTPStartPort", "CallingTimeout", "SampleRate", "Timeout",
                            "AudioFromDeviceToNetworkStreams", "AudioFromNetworkToDeviceStreams",
                            "VideoFromDeviceToNetworkStreams"))  # fmt: skip
LISTS: Final = frozenset(("AccessList", "AllowedURIs", "AllowedUsers", "Attribute", "AudioCodec", "SIPProxies",
                          "SecondarySIPProxies", "STUNServers", "TURNServers"))  # fmt: skip
ENTRIES: Final = frozenset(("CallId", "SIPAccount", "SIPAccountId", "DTMFConfiguration", "DTMFConfigurationId",
                            "DTMFEvent", "DTMFEventId", "DTMFTrigger", "DTMFTriggerId"))  # fmt: skip
"""Lists where a method is about several (``GetSIPAccounts``)."""
INNER: Final = frozenset((("DTMFConfiguration", "DTMFTriggerId"),))
"""Lists in objects of a name."""
MAX_FIELDS: Final = 400
MAX_LEVELS: Final = 6
MAX_ENTRIES: Final = 200
MAX_DIGITS: Final = 9
"""Of the number of an entry; Python refuses to read one of thousands."""
_NUMBER: Final = re.compile(r"-?[0-9]{1,15}", re.ASCII)
_READABLE: Final = ":@;/,()[]"
"""Stays as it is in texts, with letters, digits and ``_.-~``."""


def is_list(name: str, inside: str) -> bool:
    """Whether a name is that of a list. ``inside``: the method or object that it is of."""
    several = inside.startswith(("Get", "Set", "Remove")) and inside.endswith("s") and not inside.endswith("Status")
    return name in LISTS or (several and name in ENTRIES) or (inside, name) in INNER


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


def read(fields: Iterable[tuple[str, str]], method: str = "") -> dict[str, Any]:
    """Arguments of a method from names and values. InputError names what cannot be."""
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
    return {name: _lists(name, value, method) for name, value in root.items()}


def _value(name: str, text: str) -> Any:
    if text == "null":
        return None
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return text[1:-1]
    return scalar(name, text)


def _lists(name: str, value: Any, inside: str) -> Any:
    """Levels that are numbers are entries of a list."""
    if isinstance(value, dict):
        if value and all(key.isascii() and key.isdigit() for key in value):
            if any(len(key) > MAX_DIGITS for key in value):
                raise InputError(name[:60], f"must have entries with numbers of up to {MAX_DIGITS} digits")
            entries = sorted(value.items(), key=lambda item: int(item[0]))
            if [int(key) for key, _ in entries] != list(range(min(len(entries), MAX_ENTRIES))):
                raise InputError(name[:60], "must have the entries 0, 1, 2 and so on")
            return [_lists(name, entry, inside) if isinstance(entry, dict) else entry for _, entry in entries]
        return {key: _lists(key, entry, name) for key, entry in value.items()}
    return [] if value == "" and is_list(name, inside) else value


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
        yield name, f'"{quote_plus(str(value), _READABLE, errors="replace")}"'
