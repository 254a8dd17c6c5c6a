"""Base keys (SCBK) as people write them."""

from __future__ import annotations

import re

from axcore._native.osdp import key_is_weak
from axcore.errors import InputError

_KEY = re.compile(r"[0-9a-fA-F]{32}")


def normal_key(field: str, key: str) -> str:
    """``key`` in lower case: 32 hexadecimal digits, or empty for none. Raises InputError; also for a weak key."""
    if not key:
        return ""
    if not _KEY.fullmatch(key):
        raise InputError(field, "must be 32 hexadecimal digits, or empty")
    if key_is_weak(bytes.fromhex(key)):
        raise InputError(field, "is weak: equal bytes, a ramp, or the published default key")
    return key.lower()
