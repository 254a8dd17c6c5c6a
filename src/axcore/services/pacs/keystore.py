"""The keys that readers are talked to with (VAPIX *Keystore service*): what may be stored, and which key a reader has.

Keys that everybody knows are refused: the default key of OSDP, equal octets, ramps (OSDP 2.2, annex D: SCBK-D). A key
that is stored cannot be read back; ``MASK`` in its place leaves it as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from axcore.errors import InputError
from axcore.model.pacs import EncryptionKey, IdPointConfiguration
from axcore.osdp import key_is_weak
from axcore.services.pacs.check import check_named
from axcore.services.pacs.readers import setting

MASK = "*****"
MAX_DIGITS = 1024
OSDP_OCTETS = 16
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")


def check_key(held: EncryptionKey) -> None:
    """The key is one, and not a known one."""
    check_named(held)
    if not held.key:
        raise InputError("key", "is required")
    if len(held.key) > MAX_DIGITS or _HEX.fullmatch(held.key) is None:
        raise InputError("key", f"must be whole octets in hexadecimal, at most {MAX_DIGITS} digits")
    octets = bytes.fromhex(held.key)
    if len(octets) == OSDP_OCTETS and key_is_weak(octets):
        raise InputError("key", "is weak: equal octets, a ramp, or the published default key")


def merged(before: EncryptionKey, after: EncryptionKey) -> EncryptionKey:
    """``after``, with the key that is there where it is not given."""
    return msgspec.structs.replace(after, key=before.key) if after.key in ("", MASK) else after


def shown(held: EncryptionKey) -> EncryptionKey:
    """As it may be seen."""
    return msgspec.structs.replace(held, key=MASK)


def secret_of(configuration: IdPointConfiguration | None, keys: Mapping[str, EncryptionKey]) -> bytes | None:
    """The base key (16 octets) that a reader is to be talked to with; None: there is no usable one."""
    if setting(configuration, "IdPoint.SecureChannel.KeyType") != "KeyBase":
        return None
    held = keys.get(setting(configuration, "IdPoint.SecureChannel.KeyToken"))
    octets = b"" if held is None else bytes.fromhex(held.key)
    return octets if len(octets) == OSDP_OCTETS else None
